package simulator

import (
	"fmt"
	"testing"
	"time"
)

// pairs makes parameters of names and values, in the region of the tests.
func pairs(namesAndValues ...string) map[string]string {
	params := map[string]string{"RegionId": "cn-hangzhou"}
	for i := 0; i < len(namesAndValues); i += 2 {
		params[namesAndValues[i]] = namesAndValues[i+1]
	}
	return params
}

func TestDo(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	do := func(action string, namesAndValues ...string) Reply {
		return h.sim.Do(t.Context(), testKey, action, pairs(namesAndValues...))
	}
	create := func(name string) Reply {
		return do("CreateSnapshot", "DiskId", "d-web-data", "SnapshotName", name, "ClientToken", "tok", "Tag.1.Key", "k")
	}
	created := create("one")
	want := Reply{Status: 200, SnapshotID: created.SnapshotID, RequestID: created.RequestID}
	if fmt.Sprint(created) != fmt.Sprint(want) ||
		created.SnapshotID == "" || len(created.RequestID) != 36 {
		t.Errorf("created: %+v", created)
	}
	if again := create("one"); again.SnapshotID != created.SnapshotID {
		t.Errorf("again: %+v", again)
	}
	if r := create("two"); r.Code != "IdempotentParameterMismatch" || r.Status != 400 || r.Message == "" {
		t.Errorf("other parameters: %+v", r)
	}
	listed := do("ListSnapshots")
	if listed.Total != 1 || len(listed.Snapshots) != 1 {
		t.Fatalf("listed: %+v", listed)
	}
	one := listed.Snapshots[0]
	if one.ID != created.SnapshotID || one.Status != Progressing || one.InstanceID != "" || one.DiskType != diskData ||
		fmt.Sprint(one.Tags) != "[{k }]" {
		t.Errorf("snapshot: %+v", one)
	}
	one.Tags[0].Value = "changed"
	if got := h.sim.Snapshots()[0].Tags[0].Value; got != "" {
		t.Error("a list shares its tags with the state")
	}
	if r := do("ListDisks", "PageSize", "1", "PageNumber", "2"); r.Total != 3 || len(r.Disks) != 1 ||
		r.Disks[0].ID != "d-web-data" || r.Disks[0].InstanceID != "i-web" {
		t.Errorf("disks: %+v", r)
	}
	if r := do("TagResources", "ResourceType", "snapshot", "ResourceId.1", one.ID, "Tag.1.Key", "b"); r.Status != 200 {
		t.Errorf("tagged: %+v", r)
	}
	h.finish()
	if r := do("DeleteSnapshot", "SnapshotId", one.ID); r.Status != 200 || len(h.sim.Snapshots()) != 0 {
		t.Errorf("deleted: %+v", r)
	}
	if r := do("GetCallerIdentity"); r.Status != 200 {
		t.Errorf("caller: %+v", r)
	}
	if calls := h.sim.Calls(); len(calls) != 8 || calls[0].Key != testKey || calls[0].Params["SnapshotName"] != "one" {
		t.Errorf("calls: %+v", calls)
	}
}

// What stands before the actions stands before them without HTTP, too.
func TestDoIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) {
		c.CallsPerMinute = 1
		c.Credentials = []Credential{
			{AccessKeyID: testKey, SecurityToken: "needs not be sent"},
			{AccessKeyID: "expired", SecurityToken: "tok", Expires: start},
			{AccessKeyID: "inactive", Inactive: true},
			{AccessKeyID: "take", Actions: TakeActions},
		}
	})
	for _, c := range []struct{ key, action, code string }{
		{"none", "ListSnapshots", "InvalidAccessKeyId.NotFound"},
		{"expired", "ListSnapshots", "InvalidSecurityToken.Expired"},
		{"inactive", "ListSnapshots", "InvalidAccessKeyId.Inactive"},
		{"take", "DeleteSnapshot", "NoPermission"},
		{testKey, "Nothing", "InvalidAction.NotFound"},
		{testKey, "", "MissingAction"},
		{testKey, "ListSnapshots", ""},
		{"take", "ListSnapshots", "Throttling.User"},
		{testKey, "DeleteSnapshot", "MissingSnapshotId"},
	} {
		if r := h.sim.Do(t.Context(), c.key, c.action, pairs()); r.Code != c.code || (r.Status == 200) != (c.code == "") {
			t.Errorf("%s by %s: %+v, want code %q", c.action, c.key, r, c.code)
		}
	}
}

func TestDoMeetsFaults(t *testing.T) {
	t.Parallel()
	for kind := AnswerTrue; kind <= AnswerHTML; kind++ {
		for _, effect := range []bool{false, true} {
			h := newHarness(t)
			h.sim.Fault(Fault{Answer: kind, Effect: effect, Key: testKey})
			r := h.sim.Do(t.Context(), testKey, "CreateSnapshot", pairs("DiskId", "d-web", "SnapshotName", "one"))
			want := map[FaultKind]Reply{
				AnswerTrue:  {Status: 200, SnapshotID: r.SnapshotID, RequestID: r.RequestID},
				AnswerError: {Status: 500, Code: "InternalError", Message: r.Message, RequestID: r.RequestID},
			}[kind]
			want.Lost = want.Status == 0
			if fmt.Sprint(r) != fmt.Sprint(want) || (r.SnapshotID != "") != (kind == AnswerTrue) {
				t.Errorf("%s: %+v, want %+v", answerNames[kind], r, want)
			}
			if n := len(h.sim.Snapshots()); (n == 1) != (effect || kind == AnswerTrue) {
				t.Errorf("%s: %d snapshots", answerNames[kind], n)
			}
		}
	}
}

func BenchmarkDo(b *testing.B) {
	tags := []Tag{
		{"swas-snapshot/token", "sn1-0123456789012345678901234567890123456789012345678901"},
		{"swas-snapshot/meta", "daily/schedule/0123456789abcdef/012345"},
	}
	prepare := func(b *testing.B) *harness {
		h := newHarness(b)
		for i := range 10 {
			h.sim.AddSnapshot(Snapshot{DiskID: "d-db", CreationTime: start.Add(-time.Duration(i) * time.Hour), Tags: tags})
		}
		for range 10 {
			h.sim.state.add(Instance{ID: "i-more"})
		}
		return h
	}
	b.Run("CreateSnapshot", func(b *testing.B) {
		h := prepare(b)
		for i := 0; b.Loop(); i++ {
			h.clock.advance(20 * time.Minute)
			params := pairs("DiskId", "d-web", "SnapshotName", fmt.Sprint("daily-", i), "ClientToken", fmt.Sprint("sn1-", i),
				"Tag.1.Key", tags[0].Key, "Tag.1.Value", tags[0].Value, "Tag.2.Key", tags[1].Key, "Tag.2.Value", tags[1].Value)
			if r := h.sim.Do(b.Context(), testKey, "CreateSnapshot", params); r.SnapshotID == "" {
				b.Fatal(r)
			}
			h.sim.state.snapshots = h.sim.state.snapshots[:10] // each turn begins with ten
		}
	})
	b.Run("ListSnapshots", func(b *testing.B) {
		h := prepare(b)
		for b.Loop() {
			if r := h.sim.Do(b.Context(), testKey, "ListSnapshots", pairs("PageSize", "100")); len(r.Snapshots) != 10 {
				b.Fatal(r)
			}
		}
	})
}
