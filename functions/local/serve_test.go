package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTimers shows that serve has the one timer of s.yaml, which sweeps.
func TestTimers(t *testing.T) {
	t.Parallel()
	timers, err := readTimers()
	if err != nil || len(timers) != 1 || timers[0].Name != "sweep" || timers[0].Payload != `{"sweep":true}` {
		t.Fatalf("the timers of s.yaml are %+v, %v", timers, err)
	}
	var announced strings.Builder
	s := &session{stdout: &announced}
	if err := s.announce(served{HTTP: "http://127.0.0.1:9000"}, timers, samples{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(announced.String(), "timer  sweep") {
		t.Errorf("it announces\n%s", &announced)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 25*time.Minute)
		defer stop()
		start := time.Now().UTC().Truncate(10 * time.Minute)
		var got []time.Duration
		for at := range timesOf(ctx, timers[0].Next) {
			if !at.Equal(time.Now()) {
				t.Errorf("%s comes at %s", at, time.Now())
			}
			got = append(got, at.Sub(start))
		}
		if want := []time.Duration{10 * time.Minute, 20 * time.Minute}; !slices.Equal(got, want) {
			t.Errorf("it fires after %v, want %v", got, want)
		}
	})
}
