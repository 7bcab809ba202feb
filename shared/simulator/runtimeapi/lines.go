package runtimeapi

import (
	"bytes"
	"io"
	"sync"
)

// longestLine is where a line without an end is cut, in bytes: a process that prints none must not fill the memory.
const longestLine = 64 << 10

// lineWriter hands whole lines to a writer that it shares with others. It never fails: a process must not die of
// SIGPIPE because its log cannot be written.
type lineWriter struct {
	mu      *sync.Mutex // held while writing to to
	to      io.Writer
	partial []byte
}

func (l *lineWriter) Write(data []byte) (int, error) {
	l.partial = append(l.partial, data...)
	if end := bytes.LastIndexByte(l.partial, '\n') + 1; end > 0 {
		l.write(l.partial[:end])
		l.partial = append(l.partial[:0], l.partial[end:]...)
	}
	if len(l.partial) >= longestLine {
		l.flush()
	}
	return len(data), nil
}

// flush writes what is left of a line that never ended, and ends it.
func (l *lineWriter) flush() {
	if len(l.partial) > 0 {
		l.write(append(l.partial, '\n'))
		l.partial = nil
	}
}

func (l *lineWriter) write(lines []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.to.Write(lines) // nowhere to report it to
}
