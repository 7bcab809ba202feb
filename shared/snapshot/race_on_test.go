//go:build race

package snapshot

// raced says that the race detector watches. It makes code ten times slower, and what has no goroutines needs no year
// of it.
const raced = true
