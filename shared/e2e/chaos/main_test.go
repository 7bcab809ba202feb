// Package chaos lets everything go wrong at once: the three functions as real processes on both platforms, against one
// simulated account that loses answers, throttles, hangs and forgets, while the processes are killed at any call.
//
// A run is a number of histories, each a seeded random schedule. What the schedule does is a function of the seed; how the
// processes interleave is not. These variables ask for more:
//
//	SNAPSHOT_ROUNDS=1000 go test -timeout 1h -run Chaos ./shared/e2e/chaos   # more rounds; default 24
//	SNAPSHOT_SEED=42 go test -run Chaos ./shared/e2e/chaos                   # the histories of a seed once more
//	SNAPSHOT_LOAD=20s go test -v -run Load ./shared/e2e/chaos                # load for so long; default 2,000 requests
package chaos

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
)

func TestMain(m *testing.M) {
	// Histories wait for back-offs and time-outs far longer than they compute, so more of them run at once than there are
	// processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(testbed.MainWithClock(m))
}

// asked returns the number that an environment variable asks for, or the default.
func asked(t *testing.T, name string, byDefault uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return byDefault
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %q is not a whole number: %v", name, text, err)
	}
	return n
}

// askedTime returns the duration that an environment variable asks for; 0: none.
func askedTime(t *testing.T, name string) time.Duration {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		t.Fatalf("%s: %q is not a duration such as 20s: %v", name, text, err)
	}
	return d
}
