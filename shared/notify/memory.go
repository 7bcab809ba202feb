package notify

import (
	"slices"
	"sync"
)

// memory remembers the latest keys, [remembered] at most. The zero memory is empty.
type memory struct {
	mu   sync.Mutex
	keys []string // the oldest first
}

// add remembers the key; false says that it was there already. A search takes microseconds, and a key is a message to
// people.
func (m *memory) add(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.keys, key) {
		return false
	}
	if len(m.keys) == remembered {
		m.keys = slices.Delete(m.keys, 0, 1)
	}
	m.keys = append(m.keys, key)
	return true
}

func (m *memory) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.keys, key); i >= 0 {
		m.keys = slices.Delete(m.keys, i, i+1)
	}
}
