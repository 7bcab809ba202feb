package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
)

// output is a writer for goroutines that write at the same time: the functions, the timers and the command itself.
type output struct {
	w      io.Writer
	cancel context.CancelCauseFunc // ends the command if it cannot print; nil: it goes on

	mu  sync.Mutex
	err error // of the first write that failed
}

// Write writes p whole.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.w.Write(p)
	if err != nil && o.err == nil && o.cancel != nil {
		o.err = fmt.Errorf("failed to print: %w", err)
		o.cancel(o.err)
	}
	return n, err
}

// print prints value as JSON with -json, and otherwise the rows of table, whose columns end in tabs.
func (s *session) print(value any, table func(io.Writer)) error {
	if s.json {
		return s.encode(value)
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	table(w)
	return w.Flush()
}

// encode prints value as JSON with -json; without it, it prints nothing.
func (s *session) encode(value any) error {
	if !s.json {
		return nil
	}
	return json.NewEncoder(s.stdout).Encode(value)
}

// say prints text for users; with -json it prints nothing.
func (s *session) say(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.stdout, format, args...)
	}
}
