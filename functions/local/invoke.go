package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

const invokeUsage = `Usage: go run ./functions/local invoke [FLAGS] timer|http|event FILE

Send one event through the real function and print its answer. FILE may be - for standard input.

  -live      use the real API and the default credentials
  -now       send the event as if it happened now; the examples in events are old
  -platform  whose runtime the function runs on: fc (default) or lambda
  -json      print the answer as it is

  go run ./functions/local invoke -now timer events/timer-sweep-fc.json
`

// eventMax is the largest event in bytes that Function Compute takes.
const eventMax = 32 << 20

// invokeFlags defines the flags of invoke.
func (s *session) invokeFlags(flags *flag.FlagSet) {
	s.liveFlag(flags)
	s.platformFlag(flags)
	flags.BoolVar(&s.now, "now", false, "")
}

// invoke sends one event through the real function and prints its answer. A function error, and an HTTP answer of
// status 400 and more, is exit status 1.
func invoke(ctx context.Context, s *session) error {
	function, file := s.args[0], s.args[1]
	if !slices.Contains(functionNames, function) {
		return usageError(fmt.Sprintf("there is no function %q: use timer, http or event", function))
	}
	event, err := s.readEvent(file)
	if err != nil {
		return err
	}
	if s.now {
		event = atPresent(event, time.Now())
	}
	c, err := newCloud(ctx, s, cloudConfig{functions: []string{function}})
	if err != nil {
		return err
	}
	defer c.close()
	answer, err := c.functions[function].Invoke(ctx, event)
	if err != nil {
		return fmt.Errorf("failed to invoke %s: %w", function, err)
	}
	if answer.FunctionError != "" {
		fmt.Fprintln(s.stdout, s.indented([]byte(answer.ErrorMessage)))
		fmt.Fprintf(s.stderr, "swas-snapshot: function error %s\n", answer.FunctionError)
		return errFailed
	}
	fmt.Fprintln(s.stdout, s.indented(answer.Payload))
	var httpAnswer struct {
		StatusCode int `json:"statusCode"`
	}
	if function != "http" || json.Unmarshal(answer.Payload, &httpAnswer) != nil || httpAnswer.StatusCode < 400 {
		return nil
	}
	if httpAnswer.StatusCode == http.StatusNotFound && s.getenv("API_TOKEN") == "" {
		fmt.Fprintln(s.stderr,
			"swas-snapshot: API_TOKEN is not set, so the HTTP API is off: set it to the token of the event")
	}
	return errFailed
}

// readEvent returns the bytes of an event's file.
func (s *session) readEvent(file string) ([]byte, error) {
	reader := s.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("failed to read the event: %w: "+
				"name a file such as events/timer-fc.json, or - for standard input", err)
		}
		defer f.Close()
		reader = f
	}
	event, err := io.ReadAll(io.LimitReader(reader, eventMax+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to read the event: %w", err)
	case len(event) > eventMax:
		return nil, fmt.Errorf("failed to read the event: %q has more than 32 MiB, which no platform takes", file)
	}
	return event, nil
}

// indented returns JSON indented for users; with -json, and if it is not JSON, as it is.
func (s *session) indented(text []byte) string {
	var out bytes.Buffer
	if s.json || json.Indent(&out, text, "", "  ") != nil {
		return string(text)
	}
	return out.String()
}
