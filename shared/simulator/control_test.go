package simulator

import (
	"slices"
	"testing"
	"time"
)

func TestAddSnapshotFillsIn(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.sim.AddSnapshot(Snapshot{DiskID: "d-web-data"})
	got := h.sim.Snapshots()[0]
	if got.ID != id || got.Name != id || got.RegionID != "cn-hangzhou" || got.InstanceID != "i-web" ||
		got.DiskType != diskData ||
		got.Status != Accomplished || got.Progress != 100 || !got.CreationTime.Equal(start) {
		t.Errorf("snapshot = %+v", got)
	}
	old := h.sim.AddSnapshot(Snapshot{DiskID: "d-web", Status: Progressing, CreationTime: start.Add(-3 * time.Minute)})
	for _, one := range h.sim.Snapshots() {
		if one.ID == old && (one.Status != Progressing || one.Progress != 25) {
			t.Errorf("snapshot = %+v", one)
		}
	}
}

func TestSnapshotsIsACopy(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	added := Snapshot{DiskID: "d-web", Tags: []Tag{{"k", "v"}}}
	h.sim.AddSnapshot(added)
	added.Tags[0].Value = "changed"
	h.sim.Snapshots()[0].Tags[0].Value = "changed"
	if got := h.sim.Snapshots()[0].Tags[0].Value; got != "v" {
		t.Errorf("value = %q", got)
	}
}

func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	instances := []Instance{{ID: "i-1", RegionID: "cn-hangzhou", Disks: []Disk{{ID: "d-1"}}}}
	h := newHarness(t, func(c *Config) { c.Instances = instances })
	instances[0].Disks[0].ID = "d-2"
	h.create("d-1", "one")
	if instances[0].Disks[0].Status != "" {
		t.Error("the configuration was changed")
	}
}

func TestReleaseInstance(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.create("d-web", "one")
	h.create("d-web-data", "two")
	h.create("d-db", "three")
	if err := h.sim.ReleaseInstance("i-web"); err != nil {
		t.Fatal(err)
	}
	if left := h.sim.Snapshots(); len(left) != 1 || left[0].Name != "three" {
		t.Errorf("left %v", left)
	}
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "four"), "InvalidDiskId.NotFound")
	if got := h.call("ListInstances").column("Instances", "InstanceId"); !slices.Equal(got, []string{"i-db"}) {
		t.Errorf("servers left: %v", got)
	}
}

func TestRemoveDisk(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.create("d-web-data", "one")
	h.finish()
	if err := h.sim.RemoveDisk("d-web-data"); err != nil {
		t.Fatal(err)
	}
	h.want(h.call("CreateSnapshot", "DiskId", "d-web-data", "SnapshotName", "two"), "InvalidDiskId.NotFound")
	if got := h.call("ListSnapshots").column("Snapshots", "SourceDiskId"); len(got) != 1 || got[0] != "d-web-data" {
		t.Errorf("source disks = %v", got)
	}
	h.create("d-web", "two")
	h.finish()
	h.create("d-web", "three")
	h.finish()
	// The orphan keeps its slot.
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "four"), "SnapshotLimitExceed")
}

func TestSetSnapshotStatus(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.create("d-web", "one")
	for _, status := range []string{Failed, "Unheard-of", Accomplished} {
		if err := h.sim.SetSnapshotStatus(id, status); err != nil {
			t.Fatal(err)
		}
		h.finish()
		if got := h.call("ListSnapshots").column("Snapshots", "Status")[0]; got != status {
			t.Errorf("status = %q, want %q", got, status)
		}
	}
}

func TestStallNext(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.StallNext("d-web")
	id := h.create("d-web", "one")
	h.clock.advance(24 * time.Hour)
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "two"), "IncorrectDiskStatus.CreatingSnapshot")
	if err := h.sim.SetSnapshotStatus(id, Progressing); err != nil { // it goes on
		t.Fatal(err)
	}
	if got := h.sim.Snapshots()[0].Status; got != Accomplished {
		t.Errorf("status = %q", got)
	}
	h.create("d-web", "two")
	h.finish()
	if got := h.sim.Snapshots()[0].Status; got != Accomplished {
		t.Errorf("status of the next = %q", got)
	}
}

func TestControlOfWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for name, do := range map[string]func() error{
		"SetSnapshotStatus": func() error { return h.sim.SetSnapshotStatus("s-none", Failed) },
		"MakeImage":         func() error { return h.sim.MakeImage("s-none", "m-1") },
		"SetDiskStatus":     func() error { return h.sim.SetDiskStatus("d-none", diskInUse) },
		"SetInstanceStatus": func() error { return h.sim.setInstanceStatus("i-none", instanceRunning) },
		"RemoveDisk":        func() error { return h.sim.RemoveDisk("d-none") },
		"ReleaseInstance":   func() error { return h.sim.ReleaseInstance("i-none") },
		"ResetInstance":     func() error { return h.sim.resetInstance("i-none") },
	} {
		if do() == nil {
			t.Errorf("%s succeeds on what does not exist", name)
		}
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.KeepCalls = 3 })
	h.create("d-web", "one", "ClientToken", "tok")
	h.call("DeleteSnapshot", "SnapshotId", "s-none")
	h.sim.Fault(Fault{Answer: AnswerEmpty})
	last := h.call("ListSnapshots")
	calls := h.sim.Calls()
	if len(calls) != 3 || calls[0].Action != "CreateSnapshot" || calls[0].Params["ClientToken"] != "tok" ||
		!calls[0].Time.Equal(start) ||
		calls[1].Code != "InvalidSnapshotId.NotFound" || calls[2].Fault == "" || last.raw != "" {
		t.Errorf("calls = %+v", calls)
	}
	if _, secret := calls[0].Params["Signature"]; secret {
		t.Error("a call shows its signature")
	}
	for range 20 {
		h.call("ListDisks")
	}
	if calls = h.sim.Calls(); len(calls) != 3 || calls[0].Action != "ListDisks" {
		t.Errorf("calls = %+v", calls)
	}
	if counts := h.sim.CallCounts(); counts["ListDisks"] != 20 || counts["CreateSnapshot"] != 1 {
		t.Errorf("counts = %v", counts)
	}
	if calls[0].Key != testKey {
		t.Errorf("key = %q", calls[0].Key)
	}
	h.sim.ResetCalls()
	if len(h.sim.Calls()) != 0 || len(h.sim.CallCounts()) != 0 {
		t.Error("calls are left")
	}
	h = newHarness(t, func(c *Config) { c.KeepCalls = -1 })
	h.call("ListDisks")
	if len(h.sim.Calls()) != 0 || h.sim.CallCounts()["ListDisks"] != 1 {
		t.Errorf("calls %v, counts %v", h.sim.Calls(), h.sim.CallCounts())
	}
}
