package snapshot

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// hours is a schedule that is due every so many hours.
type hours int

func (h hours) Latest(t time.Time) time.Time { return t.Truncate(time.Duration(h) * time.Hour) }
func (h hours) Next(t time.Time) time.Time   { return h.Latest(t).Add(time.Duration(h) * time.Hour) }

// crowd is a region of n targets, each on a server of its own with three snapshots. Where blocked, all are foreign, so that
// the due role of each target finds no slot; else the oldest of each is surplus.
func crowd(n int, blocked bool) *situation {
	s := situation{now: someDay, disksKnown: true, disks: make(map[string]Disk)}
	for i := range n {
		disk, server := fmt.Sprint("d-", i), fmt.Sprint("i-", i)
		s.disks[disk] = Disk{ID: disk, InstanceID: server, System: true}
		s.targets = append(s.targets, Target{Name: fmt.Sprint("web-", i), RegionID: "cn-a", DiskID: disk,
			Keep: []Slots{{"daily", 1, hours(24)}, {"deploy", 1, nil}}})
		for j, role := range []string{"daily", "deploy", "deploy"} {
			one := Snapshot{ID: fmt.Sprint("s-", i, "-", j), DiskID: disk, InstanceID: server, Status: Accomplished,
				CreationTime: someDay.Add(-time.Duration(30+j) * time.Hour)}
			if !blocked {
				one.Tags = []Tag{{TagToken, one.ID}, {TagMeta, role + "/timer/x"}}
			}
			s.snapshots = append(s.snapshots, one)
		}
	}
	return newSituation(s)
}

func TestCrowd(t *testing.T) {
	t.Parallel()
	for _, blocked := range []bool{false, true} {
		p := crowd(3, blocked).plan(false)
		of := func(state dueState) int {
			return len(slices.DeleteFunc(slices.Clone(p.dues), func(d *due) bool { return d.state != state }))
		}
		if blocked && of(dueBlocked) != 3 || !blocked && (len(p.deletions) != 3 || of(dueCreate) != 3) {
			t.Errorf("blocked %v: %d deletions, %d blocked", blocked, len(p.deletions), of(dueBlocked))
		}
	}
}

// BenchmarkPlan plans 1,000 snapshots of 333 targets. The time of a plan grows with the number of targets, not faster.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{33, 333} {
		for _, blocked := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/blocked=%v", n, blocked), func(b *testing.B) {
				s := crowd(n, blocked)
				b.ReportAllocs()
				for b.Loop() {
					newSituation(situation{now: s.now, targets: s.targets, snapshots: s.snapshots, disks: s.disks,
						disksKnown: true}).plan(false)
				}
			})
		}
	}
}

// BenchmarkShow makes the plan of one of 333 targets, with what is to be expected.
func BenchmarkShow(b *testing.B) {
	s := crowd(333, true)
	b.ReportAllocs()
	for b.Loop() {
		s.show(s.targets[0])
		s.later(s.targets[0])
		s.outlook(s.targets[0])
	}
}
