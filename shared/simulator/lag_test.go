package simulator

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// names returns the names of the snapshots that a list shows.
func (h *harness) names(pairs ...string) string {
	h.t.Helper()
	return fmt.Sprint(h.want(h.call("ListSnapshots", pairs...), "").column("Snapshots", "SnapshotName"))
}

func TestLagOfCreated(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Lag = Lag{Created: time.Minute} })
	h.create("d-web", "one")
	h.clock.advance(time.Minute - 1)
	if got := h.names(); got != "[]" {
		t.Errorf("listed early: %s", got)
	}
	h.want(h.call("CreateSnapshot", "DiskId", "d-db", "SnapshotName", "one"), "InvalidSnapshotName.Duplicate")
	h.clock.advance(1)
	if got := h.names(); got != "[one]" {
		t.Errorf("listed: %s", got)
	}
	h.create("d-db", "two")
	h.clock.advance(-time.Hour) // a clock that is set back hides what is new, but only with a lag
	if got := h.names(); got != "[]" {
		t.Errorf("listed before the creation: %s", got)
	}
	h.sim.SetLag(Lag{})
	if got := h.names(); got != "[two one]" {
		t.Errorf("listed without lag: %s", got)
	}
}

func TestLagOfDeleted(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Lag = Lag{Deleted: time.Minute} })
	id := h.create("d-web", "old")
	h.finish()
	h.create("d-web", "new")
	h.finish()
	h.want(h.call("DeleteSnapshot", "SnapshotId", id), "")
	if got := h.names(); got != "[new old]" {
		t.Errorf("listed: %s", got)
	}
	if got := h.names("RegionId", "cn-shanghai"); got != "[]" {
		t.Errorf("listed in another region: %s", got)
	}
	h.want(h.call("DeleteSnapshot", "SnapshotId", id), "InvalidSnapshotId.NotFound")
	if got := len(h.sim.Snapshots()); got != 1 {
		t.Errorf("%d snapshots, want 1", got)
	}
	h.clock.advance(time.Minute)
	if got := h.names(); got != "[new]" {
		t.Errorf("listed late: %s", got)
	}
}

func TestLagOfTags(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Lag = Lag{Tags: time.Minute} })
	id := h.create("d-web", "one", "Tag.1.Key", "a")
	tags := func() string { return fmt.Sprint(h.call("ListSnapshots").elements("Snapshots")[0]["Tags"]) }
	set := func(key string) {
		t.Helper()
		h.want(h.call("TagResources", "ResourceType", "snapshot", "ResourceId.1", id, "Tag.1.Key", key), "")
	}
	const a, ab = "[map[Key:a Value:]]", "[map[Key:a Value:] map[Key:b Value:]]"
	set("b")
	h.clock.advance(30 * time.Second)
	h.want(h.call("UntagResources", "ResourceType", "snapshot", "ResourceId.1", id, "TagKey.1", "a"), "")
	if got := tags(); got != a {
		t.Errorf("at first: %s", got)
	}
	if got := h.names("Tag.1.Key", "b"); got != "[]" {
		t.Errorf("the filter is ahead of the list: %s", got)
	}
	if got := fmt.Sprint(h.sim.Snapshots()[0].Tags); got != "[{b }]" {
		t.Errorf("true tags: %s", got)
	}
	h.clock.advance(30 * time.Second)
	if got := tags(); got != ab {
		t.Errorf("after the first: %s", got)
	}
	one := h.sim.Snapshots()[0]
	for after, want := range map[time.Duration]string{-1: "[{a }]", 0: "[{a } {b }]", time.Minute: "[{b }]"} {
		if got := fmt.Sprint(one.TagsAt(start.Add(after))); got != want {
			t.Errorf("tags after %s: %s, want %s", after, got, want)
		}
	}
	h.sim.SetLag(Lag{NoTags: true})
	if got := tags(); got != "[]" {
		t.Errorf("without tags: %s", got)
	}
}

func TestLagOfSlots(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Lag = Lag{Slots: time.Minute} })
	for _, id := range []string{"s-1", "s-2", "s-3"} {
		h.sim.AddSnapshot(Snapshot{ID: id, DiskID: "d-web"})
	}
	for range 6 { // with the others, as many as three servers may have
		h.sim.AddSnapshot(Snapshot{DiskID: "d-far"})
	}
	h.want(h.call("DeleteSnapshot", "SnapshotId", "s-1"), "")
	for disk, what := range map[string]string{"d-web": "server", "d-db": "account"} {
		if code := h.call("CreateSnapshot", "DiskId", disk, "SnapshotName", "one").code(); code != "SnapshotLimitExceed" {
			t.Errorf("the %s has a free slot at once: %q", what, code)
		}
	}
	h.clock.advance(time.Minute)
	h.create("d-web", "one")
}

func TestListView(t *testing.T) {
	t.Parallel()
	var view func(key string, current, deleted []Snapshot) []Snapshot
	h := newHarness(t, func(c *Config) {
		c.ListView = func(key string, current, deleted []Snapshot) []Snapshot { return view(key, current, deleted) }
	})
	for i, id := range []string{"s-1", "s-2", "s-3"} {
		h.sim.AddSnapshot(Snapshot{ID: id, DiskID: "d-web", CreationTime: start.Add(time.Duration(i) * time.Second)})
	}
	h.want(h.call("DeleteSnapshot", "SnapshotId", "s-2"), "")
	view = func(key string, current, deleted []Snapshot) []Snapshot {
		if key != testKey || len(current) != 2 || len(deleted) != 1 {
			t.Errorf("the view gets %q, %v, %v", key, current, deleted)
		}
		return append(current[1:], deleted...) // without the newest
	}
	if got := h.names(); got != "[s-2 s-1]" {
		t.Errorf("listed: %s", got)
	}
	kept := h.sim.Snapshots()
	view = func(string, []Snapshot, []Snapshot) []Snapshot { return kept }
	if got := h.names("SnapshotIds", `["s-1"]`) + h.names(); got != "[s-1][s-3 s-1]" {
		t.Errorf("listed of a list that the view keeps: %s", got)
	}
	view = func(_ string, current, _ []Snapshot) []Snapshot { return current }
	if got := h.names("SnapshotIds", `["s-1","s-2"]`); got != "[s-1]" {
		t.Errorf("listed: %s", got)
	}
}

// The memory of deleted snapshots is bounded and keeps the latest.
func TestDeletedAreForgotten(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for i := range 5 * keepDeleted {
		h.sim.AddSnapshot(Snapshot{ID: fmt.Sprint("s-", i), DiskID: "d-web"})
		h.want(h.call("DeleteSnapshot", "SnapshotId", fmt.Sprint("s-", i)), "")
	}
	kept := h.sim.state.deleted
	if len(kept) < keepDeleted || len(kept) > 2*keepDeleted || kept[len(kept)-1].ID != fmt.Sprint("s-", 5*keepDeleted-1) ||
		!slices.IsSortedFunc(kept, func(a, b deleted) int { return a.at.Compare(b.at) }) {
		t.Errorf("%d are kept", len(kept))
	}
}
