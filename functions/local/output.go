package main

import (
	"io"
	"sync"
)

// shared is a writer for what runs at the same time: the functions' processes, the timers, the command itself.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

// Write writes p whole.
func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
