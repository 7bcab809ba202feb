package judge_test

import (
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/judge"
)

var (
	now     = time.Date(2026, 3, 10, 3, 5, 0, 0, time.UTC)
	daily   = judge.Times{Period: 24 * time.Hour, Offset: 3 * time.Hour}
	weekly  = judge.Times{Period: 7 * 24 * time.Hour, Offset: 4 * time.Hour}
	keepOne = []judge.Role{{Name: "daily", Count: 1, Times: daily}}
	policy  = judge.Policy{
		{Name: "web", Disk: "d-1", Server: "i-1", Region: "r", Roles: []judge.Role{
			{Name: "daily", Count: 2, Times: daily}, {Name: "weekly", Count: 1, Times: weekly},
		}},
		{Name: "free", Disk: "d-2", Server: "i-2", Region: "r"},
		{Name: "twice", Disk: "d-3", Server: "i-3", Region: "r", Roles: keepOne},
		{Name: "twice too", Disk: "d-3", Server: "i-3", Region: "r", Roles: keepOne},
		{Name: "gone", Disk: "d-4", Server: "i-4", Region: "r", Roles: keepOne},
	}
)

// one is a snapshot of ours of web, accomplished.
func one(id, role string, age time.Duration, change ...func(*simulator.Snapshot)) simulator.Snapshot {
	s := simulator.Snapshot{ID: id, DiskID: "d-1", InstanceID: "i-1", RegionID: "r", Status: simulator.Accomplished,
		CreationTime: now.Add(-age),
		Tags: []simulator.Tag{
			{Key: "swas-snapshot/token", Value: id},
			{Key: "swas-snapshot/meta", Value: role + "/timer/fingerprint/abcdef"},
		}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func disk(id, server string) func(*simulator.Snapshot) {
	return func(s *simulator.Snapshot) { s.DiskID, s.InstanceID = id, server }
}

func status(text string) func(*simulator.Snapshot) {
	return func(s *simulator.Snapshot) { s.Status = text }
}

func pin(until string) func(*simulator.Snapshot) {
	return func(s *simulator.Snapshot) {
		s.Tags = append(s.Tags, simulator.Tag{Key: "swas-snapshot/keep", Value: until})
	}
}

func foreign(s *simulator.Snapshot) { s.Tags = nil }

func TestDeletion(t *testing.T) {
	const day = 24 * time.Hour
	old, new1, new2, week := one("old", "daily", 3*day), one("new1", "daily", 2*day), one("new2", "daily", day),
		one("week", "weekly", 2*day)
	tests := map[string]struct {
		victim simulator.Snapshot
		others []simulator.Snapshot
		reason judge.Reason
		err    string
	}{
		"failed":  {one("x", "daily", day, status("failed")), nil, judge.Failed, ""},
		"surplus": {old, []simulator.Snapshot{new1, new2}, judge.Surplus, ""},
		"surplus by a pin": {new2, []simulator.Snapshot{one("old", "daily", 3*day, pin("forever")),
			one("older", "daily", 4*day, pin("2026-03-10"))}, judge.Surplus, ""},
		"unkept":         {one("x", "manual", 8*day), []simulator.Snapshot{new1}, judge.Unkept, ""},
		"unkept, young":  {one("x", "manual", 6*day), []simulator.Snapshot{new1}, "", "7 days"},
		"replacement":    {old, []simulator.Snapshot{new1, week}, judge.Replacement, ""},
		"newer replaced": {new1, []simulator.Snapshot{old, week}, "", "is older"},
		"a slot is free": {old, []simulator.Snapshot{new1}, "", "a slot is free"},
		"role not due":   {old, []simulator.Snapshot{one("new", "daily", time.Minute), week}, "", "not due"},
		"others do not last": {one("w", "weekly", 9*day), []simulator.Snapshot{one("x", "", day, foreign),
			one("y", "daily", time.Minute)}, "", "none lasts longer"},
		"in progress there": {old, []simulator.Snapshot{new1, one("x", "weekly", time.Minute, status("progressing"))},
			"", "in progress"},
		"failed one there": {old, []simulator.Snapshot{new1, one("x", "weekly", time.Hour, status("failed"))}, "",
			"can be deleted"},
		"foreign": {one("x", "daily", 3*day, foreign), []simulator.Snapshot{new1, new2}, "", "foreign"},
		"pinned":  {one("x", "daily", 3*day, pin("2026-03-10")), []simulator.Snapshot{new1, new2}, "", "pinned"},
		"pin has ended": {one("x", "daily", 3*day, pin("2026-03-09")), []simulator.Snapshot{new1, new2},
			judge.Surplus, ""},
		"last": {old, []simulator.Snapshot{one("x", "daily", day, status("failed"))}, "", "last accomplished"},
		"progressing": {one("x", "daily", day, status("progressing")), []simulator.Snapshot{new1, new2}, "",
			"in progress"},
		"unknown status": {one("x", "daily", 3*day, status("copying")), []simulator.Snapshot{new1, new2}, "", "status"},
		"no target":      {one("x", "daily", 3*day, disk("d-9", "i-1")), nil, "", "no target"},
		"no keep":        {one("x", "daily", 3*day, disk("d-2", "i-2")), nil, "", "no keep"},
		"shared disk":    {one("x", "daily", 3*day, disk("d-3", "i-3"), status("failed")), nil, "", "2 targets"},
		"disk gone":      {one("x", "daily", 3*day, disk("d-4", "i-4"), status("failed")), nil, "", "gone"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := judge.State{At: now, Sent: now, Snapshots: test.others, Limit: 12, Gone: map[string]bool{"d-4": true}}
			reason, err := policy.Deletion(s, test.victim)
			switch {
			case test.err == "" && (err != nil || reason != test.reason):
				t.Errorf("got %q, %v, want %q", reason, err, test.reason)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("got %q, %v, want an error with %q", reason, err, test.err)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	const day = 24 * time.Hour
	s := judge.State{At: now, Sent: now, Limit: 12, Gone: map[string]bool{"d-4": true}, Snapshots: []simulator.Snapshot{
		one("a", "daily", time.Minute), one("b", "daily", day), one("c", "daily", 2*day), one("d", "weekly", 2*day),
	}}
	if got, want := strings.Join(policy.Open(s), ", "), "delete c"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Snapshots = []simulator.Snapshot{one("a", "daily", day), one("d", "weekly", 2*day), one("e", "daily", 2*day)}
	if got, want := strings.Join(policy.Open(s), ", "), "take daily of web"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := policy.Work(s); got != 1 { // and one on another server
		t.Errorf("%d to do on the worst server, want 1", got)
	}
	s.Snapshots = []simulator.Snapshot{one("a", "daily", time.Minute), one("d", "weekly", 2*day)}
	if got := policy.Open(s); len(got) > 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestRun(t *testing.T) {
	const day = 24 * time.Hour
	others := []simulator.Snapshot{one("new", "daily", day), one("week", "weekly", 2*day)}
	s := judge.State{At: now, Sent: now, Limit: 12, Snapshots: others}
	var run judge.Run
	if reason, err := run.Deleted(policy, s, one("old", "daily", 2*day)); err != nil || reason != judge.Replacement {
		t.Fatalf("got %q, %v", reason, err)
	}
	if run.End() == nil {
		t.Error("a run ends without the create that its replacement was made for, and there is no error")
	}
	if run.Create("r", "d-1", "weekly") == nil {
		t.Error("another role gets the slot, and no error says so")
	}
	if _, err := run.Deleted(policy, s, one("other", "daily", 4*day, status("failed"))); err == nil {
		t.Error("a second deletion of the server, and no error says so")
	}
	if err := run.Refused("x"); err != nil || run.Refused("x") == nil {
		t.Error("a refused deletion must not be tried again")
	}
}

func TestEvent(t *testing.T) {
	s := judge.State{At: now, Sent: now}
	event := judge.Event{Time: now, MaxAge: time.Hour}
	if exception, err := event.Created(s, "first", "mark", time.Time{}, 24*time.Hour); err != nil || exception != "" {
		t.Fatalf("got %q, %v", exception, err)
	}
	if _, err := event.Created(s, "second", "mark", time.Time{}, 24*time.Hour); err == nil {
		t.Error("a second snapshot, and no error says so")
	}
	late := judge.Event{Time: now.Add(-2 * time.Hour), MaxAge: time.Hour}
	if _, err := late.Created(s, "first", "mark", time.Time{}, 24*time.Hour); err == nil {
		t.Error("a snapshot for an event that is too old, and no error says so")
	}
	joined := judge.Event{MaxAge: time.Hour}
	joined.Joined("host")
	s.Snapshots = []simulator.Snapshot{one("host", "daily", time.Hour)}
	if exception, err := joined.Created(s, "second", "mark", time.Time{}, 24*time.Hour); err != nil ||
		exception != judge.WithoutTime {
		t.Errorf("got %q, %v, want %q", exception, err, judge.WithoutTime)
	}
}
