package snapshot

import (
	"testing"
	"time"
)

// TestTwoTargetsOneDisk: two names of one server share its system disk; the roles of both rotate.
func TestTwoTargetsOneDisk(t *testing.T) {
	t.Parallel()
	nightly := Target{Name: "nightly", DiskID: "d-web", RegionID: home, Keep: []Slots{{"daily", 2}}}
	deploys := Target{Name: "deploys", DiskID: "d-web", RegionID: home, Keep: []Slots{{"deploy", 1}}}
	for _, role := range []string{"daily", "deploy"} {
		one := Snapshot{DiskID: "d-web", Tags: []Tag{{TagToken, "t"}, {TagMeta, role + "/timer/f"}}}
		s := &situation{targets: []Target{nightly, deploys}, target: nightly}
		owner, _ := s.targetOf(one)
		if _, named := owner.slots(role); !named {
			t.Errorf("a %s snapshot is of target %s, which has no slots for it", role, owner.Name)
		}
	}
}

// TestAccountFullElsewhere: the account's slots are used in another region, so the list of this one is empty. The API is
// asked once more, and then the order is blocked.
func TestAccountFullElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2})
	w.api.fault = always(create, fault{code: CodeLimitExceed})
	got := w.Take(within(w.clock, time.Minute), order("daily", "1"))
	if got.Outcome != OutcomeBlocked || w.api.count[create] != 2 {
		t.Errorf("%q after %d creations: %v", got.Outcome, w.api.count[create], got.Error)
	}
}
