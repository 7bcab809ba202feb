package snapshot_test

import (
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestLostAnswerIsNotFollowedByARefusal: once a CreateSnapshot got no answer, its order is not refused for good until a
// list asked for at least a minute later shows neither snapshot nor name.
func TestLostAnswerIsNotFollowedByARefusal(t *testing.T) {
	t.Parallel()
	full := func(a *account) {
		for _, id := range []string{"s-1", "s-2", "s-3"} {
			a.add(id, "deploy", time.Hour, pinned)
		}
	}
	cases := map[string]struct {
		setup func(*account)
		then  []simulator.Fault // after the lost answer
		final string            // code of the refusal a minute later; "": the order is done by then
	}{
		"blocked":            {full, nil, snapshot.CodeBlocked},
		"mismatch":           {func(*account) {}, []simulator.Fault{refusal(create, snapshot.CodeMismatch)}, ""},
		"no permission":      {func(*account) {}, []simulator.Fault{refusal(create, "NoPermission")}, ""},
		"disk not found":     {func(*account) {}, []simulator.Fault{refusal(create, "InvalidDiskId.NotFound")}, ""},
		"list not permitted": {full, []simulator.Fault{refusal(list, "NoPermission")}, snapshot.CodeBlocked},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)))
				s := a.service()
				c.setup(a)
				a.Fault(lost(create, false))
				for _, f := range c.then {
					a.Fault(f)
				}
				got := takeBy(s, order("deploy", "k"), 15*time.Second)
				if got.Outcome != snapshot.OutcomeDeferred || got.Error == nil || !got.Error.Retryable || got.Plan != nil {
					t.Errorf("at first: %q %v", got.Outcome, got.Error)
				}
				time.Sleep(30 * time.Second)
				if got := takeBy(s, order("deploy", "k"), 15*time.Second); c.final != "" && (got.Error == nil ||
					!got.Error.Retryable) {
					t.Errorf("half a minute later: %q %v", got.Outcome, got.Error)
				}
				time.Sleep(31 * time.Second)
				got = takeBy(s, order("deploy", "k"), 15*time.Second)
				if code(got) != c.final || got.Error != nil && got.Error.Retryable {
					t.Errorf("a minute later: %q %v", got.Outcome, got.Error)
				}
			})
		})
	}
}

// TestLostAnswerAndALateList: the snapshot of a lost answer is not listed for two minutes, and its server is full.
func TestLostAnswerAndALateList(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newAccount(t, web(slots("daily", 1), slots("deploy", 1)),
			func(c *simulator.Config) { c.TokenLifetime = time.Nanosecond })
		a.add("s-1", "deploy", 2*time.Hour, pinned)
		a.add("s-2", "daily", time.Hour, pinned)
		a.SetLag(simulator.Lag{Created: 2 * time.Minute})
		a.Fault(lost(create, true))
		s := a.service()
		for range 20 {
			got := takeBy(s, order("deploy", "k"), 15*time.Second)
			if got.Error != nil && !got.Error.Retryable {
				t.Fatalf("got %q %v", got.Outcome, got.Error)
			}
			if got.Error == nil {
				break
			}
			time.Sleep(10 * time.Second)
		}
		if got := takeBy(s, order("deploy", "k"), 15*time.Second); got.Outcome != snapshot.OutcomeReplayed ||
			len(a.ids()) != 3 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
}
