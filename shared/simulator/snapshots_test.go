package simulator

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func TestListSnapshotsElements(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.AddSnapshot(Snapshot{ID: "s-system", Name: "one", DiskID: "d-web", ResourceGroupID: "rg-one",
		Tags: []Tag{{"k", ""}}, CreationTime: start})
	h.sim.AddSnapshot(Snapshot{ID: "s-data", DiskID: "d-web-data", Status: "Weird",
		CreationTime: start.Add(-time.Second).In(time.FixedZone("", 8*3600))})
	r := h.want(h.call("ListSnapshots"), "")
	want := []map[string]any{
		{"SnapshotId": "s-system", "SnapshotName": "one", "RegionId": "cn-hangzhou", "SourceDiskId": "d-web",
			"SourceDiskType": "system", "InstanceId": "i-web",
			"Status": "accomplished", "Progress": "100%", "CreationTime": "2026-03-09T07:12:49Z", "RollbackTime": "",
			"ResourceGroupId": "rg-one", "Remark": "",
			"Tags": []any{map[string]any{"Key": "k", "Value": ""}}},
		{"SnapshotId": "s-data", "SnapshotName": "s-data", "RegionId": "cn-hangzhou", "SourceDiskId": "d-web-data",
			"SourceDiskType": "data", "InstanceId": "",
			"Status": "Weird", "Progress": "0%", "CreationTime": "2026-03-09T07:12:48Z", "RollbackTime": "",
			"ResourceGroupId": "", "Remark": "", "Tags": []any{}},
	}
	if got := r.elements("Snapshots"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("snapshots\n got %v\nwant %v", got, want)
	}
	if r.body["TotalCount"] != 2.0 || r.body["PageNumber"] != 1.0 || r.body["PageSize"] != 10.0 {
		t.Errorf("answer = %s", r.raw)
	}
}

func TestListSnapshotsFilters(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.AddSnapshot(Snapshot{ID: "s-1", DiskID: "d-web", Tags: []Tag{{"team", "web"}, {"env", "prod"}},
		ResourceGroupID: "rg-one"})
	h.sim.AddSnapshot(Snapshot{ID: "s-2", DiskID: "d-web-data", Tags: []Tag{{"team", "web"}}})
	h.sim.AddSnapshot(Snapshot{ID: "s-3", DiskID: "d-db", Tags: []Tag{{"team", "db"}}})
	h.sim.AddSnapshot(Snapshot{ID: "s-4", DiskID: "d-far"})
	h.sim.AddSnapshot(Snapshot{ID: "s-5", DiskID: "d-gone", RegionID: "cn-hangzhou", InstanceID: "i-web"})
	for name, c := range map[string]struct {
		pairs []string
		want  []string // newest first
	}{
		"region":               {nil, []string{"s-5", "s-3", "s-2", "s-1"}},
		"other region":         {[]string{"RegionId", "cn-shanghai"}, []string{"s-4"}},
		"empty region":         {[]string{"RegionId", "us-west-1"}, nil},
		"disk":                 {[]string{"DiskId", "d-web"}, []string{"s-1"}},
		"disk that is gone":    {[]string{"DiskId", "d-gone"}, []string{"s-5"}},
		"server, system disks": {[]string{"InstanceId", "i-web"}, []string{"s-5", "s-1"}},
		"IDs":                  {[]string{"SnapshotIds", `["s-1","s-3","s-none"]`}, []string{"s-3", "s-1"}},
		"IDs of other region":  {[]string{"SnapshotIds", `["s-4"]`}, nil},
		"tag and value":        {[]string{"Tag.1.Key", "team", "Tag.1.Value", "web"}, []string{"s-2", "s-1"}},
		"tag, any value":       {[]string{"Tag.1.Key", "team"}, []string{"s-3", "s-2", "s-1"}},
		"tag, empty value":     {[]string{"Tag.1.Key", "team", "Tag.1.Value", ""}, nil},
		"two tags":             {[]string{"Tag.1.Key", "team", "Tag.2.Key", "env", "Tag.2.Value", "prod"}, []string{"s-1"}},
		"group":                {[]string{"ResourceGroupId", "rg-one"}, []string{"s-1"}},
		"data disks":           {[]string{"SourceDiskType", "data"}, []string{"s-2"}},
		"system disks":         {[]string{"SourceDiskType", "System"}, []string{"s-5", "s-3", "s-1"}},
		"all at once": {[]string{"DiskId", "d-web", "InstanceId", "i-web", "SnapshotIds", `["s-1"]`,
			"Tag.1.Key", "env"}, []string{"s-1"}},
		"all at once, one wrong": {[]string{"DiskId", "d-db", "InstanceId", "i-web", "SnapshotIds", `["s-1"]`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := h.want(h.call("ListSnapshots", c.pairs...), "")
			if got := r.column("Snapshots", "SnapshotId"); !slices.Equal(got, c.want) {
				t.Errorf("snapshots = %v, want %v", got, c.want)
			}
			if r.body["TotalCount"] != float64(len(c.want)) || r.body["Snapshots"] == nil {
				t.Errorf("answer = %s", r.raw)
			}
		})
	}
}

func TestListSnapshotsPaging(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	var want []string
	for i := range 25 {
		id := fmt.Sprintf("s-%02d", i)
		// Pairs of equal age.
		h.sim.AddSnapshot(Snapshot{ID: id, DiskID: "d-web", CreationTime: start.Add(time.Duration(i/2) * time.Second)})
		want = append([]string{id}, want...)
	}
	for name, c := range map[string]struct {
		pairs    []string
		from, to int
	}{
		"default":          {nil, 0, 10},
		"second":           {[]string{"PageNumber", "2"}, 10, 20},
		"last":             {[]string{"PageNumber", "3"}, 20, 25},
		"beyond":           {[]string{"PageNumber", "4"}, 25, 25},
		"far beyond":       {[]string{"PageNumber", "2147483647", "PageSize", "100"}, 25, 25},
		"all":              {[]string{"PageSize", "100"}, 0, 25},
		"ones":             {[]string{"PageSize", "1", "PageNumber", "25"}, 24, 25},
		"exactly one page": {[]string{"PageSize", "25"}, 0, 25},
	} {
		t.Run(name, func(t *testing.T) {
			r := h.want(h.call("ListSnapshots", c.pairs...), "")
			if got := r.column("Snapshots", "SnapshotId"); !slices.Equal(got, want[c.from:c.to]) {
				t.Errorf("snapshots = %v, want %v", got, want[c.from:c.to])
			}
			if r.body["TotalCount"] != 25.0 {
				t.Errorf("answer = %s", r.raw)
			}
		})
	}
}

func TestListParameters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		action, param, value, code string
	}{
		"page 0":               {"ListSnapshots", "PageNumber", "0", "InvalidPageNumber"},
		"page -1":              {"ListSnapshots", "PageNumber", "-1", "InvalidPageNumber"},
		"page of letters":      {"ListDisks", "PageNumber", "one", "InvalidPageNumber"},
		"size 0":               {"ListInstances", "PageSize", "0", "InvalidPageSize"},
		"size 101":             {"ListSnapshots", "PageSize", "101", "InvalidPageSize"},
		"size 1.5":             {"ListSnapshots", "PageSize", "1.5", "InvalidPageSize"},
		"IDs that are none":    {"ListSnapshots", "SnapshotIds", "s-1", "InvalidParam"},
		"IDs of numbers":       {"ListSnapshots", "SnapshotIds", "[1]", "InvalidParam"},
		"IDs, empty":           {"ListSnapshots", "SnapshotIds", "[]", "InvalidParam"},
		"IDs, doubled array":   {"ListDisks", "DiskIds", `["d-1"]["d-2"]`, "InvalidDiskIds"},
		"IDs of servers":       {"ListInstances", "InstanceIds", `{}`, "InvalidInstanceIds"},
		"disk type":            {"ListSnapshots", "SourceDiskType", "ssd", "InvalidParam"},
		"disk type of disks":   {"ListDisks", "DiskType", "ssd", "InvalidDiskType"},
		"group":                {"ListDisks", "ResourceGroupId", "x", "InvalidResourceGroupId"},
		"tag without key":      {"ListSnapshots", "Tag.1.Value", "v", "InvalidTag"},
		"region of disks":      {"ListDisks", "RegionId", "", "MissingRegionId"},
		"region of servers":    {"ListInstances", "RegionId", "", "MissingRegionId"},
		"optional, left empty": {"ListSnapshots", "SnapshotIds", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.want(h.call(c.action, c.param, c.value), c.code)
		})
	}
}

func TestDeleteSnapshot(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.create("d-web", "one")
	h.want(h.call("DeleteSnapshot"), "MissingSnapshotId")
	h.want(h.call("DeleteSnapshot", "SnapshotId", id), "IncorrectSnapshotStatus")
	h.finish()
	h.want(h.call("DeleteSnapshot", "SnapshotId", id, "RegionId", "cn-shanghai"), "InvalidSnapshotId.NotFound")
	if err := h.sim.MakeImage(id, "m-1"); err != nil {
		t.Fatal(err)
	}
	h.want(h.call("DeleteSnapshot", "SnapshotId", id), "SnapshotCreatedImage")
	if err := h.sim.MakeImage(id, ""); err != nil {
		t.Fatal(err)
	}
	r := h.want(h.call("DeleteSnapshot", "SnapshotId", id), "")
	if len(r.body) != 1 {
		t.Errorf("answer = %s", r.raw)
	}
	if r := h.want(h.call("DeleteSnapshot", "SnapshotId", id), "InvalidSnapshotId.NotFound"); r.status != 404 {
		t.Errorf("status = %d", r.status)
	}
}

func TestOnDelete(t *testing.T) {
	t.Parallel()
	var seen []string
	h := newHarness(t, func(c *Config) {
		c.OnDelete = func(key string, victim Snapshot, others []Snapshot) {
			seen = append(seen, key, victim.ID, victim.InstanceID)
			for _, one := range others {
				seen = append(seen, one.ID)
			}
		}
	})
	for _, id := range []string{"s-1", "s-2", "s-3"} {
		h.sim.AddSnapshot(Snapshot{ID: id, DiskID: "d-web-data"})
	}
	h.want(h.call("DeleteSnapshot", "SnapshotId", "s-none"), "InvalidSnapshotId.NotFound")
	h.want(h.call("DeleteSnapshots", "SnapshotIds", `["s-2","s-1","s-2"]`), "")
	if got, want := fmt.Sprint(seen), "[test-key s-2 i-web s-3 s-1 test-key s-1 i-web s-3]"; got != want {
		t.Errorf("seen %s, want %s", got, want)
	}
}

func TestDeleteSnapshotToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	one := h.create("d-web", "one", "ClientToken", "tok")
	two := h.create("d-db", "two")
	h.finish()
	h.want(h.call("DeleteSnapshot", "SnapshotId", one, "ClientToken", "tok"), "") // a token belongs to its action
	h.want(h.call("DeleteSnapshot", "SnapshotId", one, "ClientToken", "tok"), "")
	h.want(h.call("DeleteSnapshot", "SnapshotId", two, "ClientToken", "tok"), "IdempotentParameterMismatch")
	h.want(h.call("DeleteSnapshot", "SnapshotId", one, "ClientToken", "tok2"), "InvalidSnapshotId.NotFound")
	if n := len(h.sim.Snapshots()); n != 1 {
		t.Errorf("%d snapshots, want 1", n)
	}
}

func TestDeleteSnapshots(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, id := range []string{"s-1", "s-2", "s-3"} {
		h.sim.AddSnapshot(Snapshot{ID: id, DiskID: "d-web"})
	}
	h.want(h.call("DeleteSnapshots"), "MissingSnapshotIds")
	h.want(h.call("DeleteSnapshots", "SnapshotIds", "s-1,s-2"), "InvalidSnapshotIds")
	h.want(h.call("DeleteSnapshots", "SnapshotIds", `["s-1","s-none"]`), "InvalidSnapshotId.NotFound")
	if n := len(h.sim.Snapshots()); n != 3 {
		t.Fatalf("%d snapshots after a refusal, want 3", n)
	}
	h.want(h.call("DeleteSnapshots", "SnapshotIds", `["s-1","s-3"]`, "ClientToken", "tok"), "")
	h.want(h.call("DeleteSnapshots", "SnapshotIds", `["s-1","s-3"]`, "ClientToken", "tok"), "")
	if left := h.sim.Snapshots(); len(left) != 1 || left[0].ID != "s-2" {
		t.Errorf("left %v", left)
	}
}

func TestResetDisk(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.create("d-web", "one")
	reset := func(code string, pairs ...string) {
		t.Helper()
		h.want(h.call("ResetDisk", append([]string{"DiskId", "d-web", "SnapshotId", id}, pairs...)...), code)
	}
	reset("MissingSnapshotId", "SnapshotId", "")
	reset("MissingDiskId", "DiskId", "")
	reset("InvalidDiskId.NotFound", "DiskId", "d-none")
	reset("InvalidSnapshotId.NotFound", "SnapshotId", "s-none")
	reset("InvalidSnapshotId.NotFound", "DiskId", "d-db") // a snapshot of another disk
	reset("IncorrectInstanceStatus")
	if err := h.sim.setInstanceStatus("i-web", instanceStopped); err != nil {
		t.Fatal(err)
	}
	reset("IncorrectSnapshotStatus")
	h.finish()
	reset("")
	if got := h.call("ListSnapshots").column("Snapshots", "RollbackTime")[0]; got != "2026-03-09T07:24:49Z" {
		t.Errorf("rollback time = %q", got)
	}
	if err := h.sim.resetInstance("i-web"); err != nil {
		t.Fatal(err)
	}
	reset("IncorrectSnapshotStatus")
	if len(h.sim.Snapshots()) != 1 {
		t.Error("the snapshots of a reset server are gone")
	}
}
