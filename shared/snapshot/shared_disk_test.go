package snapshot

import "testing"

// TestTwoTargetsOneDisk: two names of one server share its system disk; the roles of both rotate.
func TestTwoTargetsOneDisk(t *testing.T) {
	t.Parallel()
	nightly := Target{Name: "nightly", DiskID: "d-web", RegionID: home, Keep: []Slots{{"daily", 2}}}
	deploys := Target{Name: "deploys", DiskID: "d-web", RegionID: home, Keep: []Slots{{"deploy", 1}}}
	for _, role := range []string{"daily", "deploy"} {
		one := Snapshot{DiskID: "d-web", Tags: []Tag{{TagToken, "t"}, {TagMeta, role + "/timer/f"}}}
		s := &situation{targets: []Target{nightly, deploys}, target: nightly}
		owner, _ := s.targetOf(one)
		if _, named := owner.Slots(role); !named {
			t.Errorf("a %s snapshot is of target %s, which has no slots for it", role, owner.Name)
		}
	}
}
