package simulator

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCreateSnapshot(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	r := h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "first", "ResourceGroupId", "rg-one",
		"Tag.1.Key", "k", "Tag.1.Value", "v", "Tag.2.Key", "empty"), "")
	if len(r.body) != 2 || !strings.HasSuffix(r.text("RequestId"), "\t") {
		t.Errorf("answer = %v", r.body)
	}
	got := h.sim.Snapshots()[0]
	want := Snapshot{
		ID: r.text("SnapshotId"), Name: "first", RegionID: "cn-hangzhou", DiskID: "d-web", DiskType: diskSystem,
		InstanceID: "i-web", Status: Progressing, CreationTime: start, ResourceGroupID: "rg-one",
		Tags: []Tag{{"k", "v"}, {"empty", ""}},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("snapshot = %+v\nwant %+v", got, want)
	}
}

func TestCreateSnapshotParameters(t *testing.T) {
	t.Parallel()
	tags := func(n int) []string {
		var pairs []string
		for i := 1; i <= n; i++ {
			pairs = append(pairs, fmt.Sprintf("Tag.%d.Key", i), fmt.Sprintf("k%d", i))
		}
		return pairs
	}
	for name, c := range map[string]struct {
		pairs []string
		code  string
	}{
		"disk missing":          {[]string{"DiskId", ""}, "MissingDiskId"},
		"disk malformed":        {[]string{"DiskId", "web"}, "InvalidDiskId"},
		"disk unknown":          {[]string{"DiskId", "d-none"}, "InvalidDiskId.NotFound"},
		"disk of other region":  {[]string{"DiskId", "d-far"}, "InvalidDiskId.NotFound"},
		"disk in another case":  {[]string{"DiskId", "d-WEB"}, "InvalidDiskId.NotFound"},
		"name missing":          {[]string{"SnapshotName", ""}, "MissingSnapshotName"},
		"name of 1":             {[]string{"SnapshotName", "a"}, "InvalidSnapshotName.ValueNotSupported"},
		"name of 2":             {[]string{"SnapshotName", "ab"}, ""},
		"name of 50":            {[]string{"SnapshotName", strings.Repeat("a", 50)}, ""},
		"name of 51":            {[]string{"SnapshotName", strings.Repeat("a", 51)}, "InvalidSnapshotName.ValueNotSupported"},
		"50 Chinese characters": {[]string{"SnapshotName", strings.Repeat("快", 50)}, ""},
		"51 Chinese characters": {[]string{"SnapshotName", strings.Repeat("快", 51)},
			"InvalidSnapshotName.ValueNotSupported"},
		"name from a digit":   {[]string{"SnapshotName", "1a"}, "InvalidSnapshotName.ValueNotSupported"},
		"name from a hyphen":  {[]string{"SnapshotName", "-a"}, "InvalidSnapshotName.ValueNotSupported"},
		"name of all marks":   {[]string{"SnapshotName", "a:_.-9"}, ""},
		"name with a blank":   {[]string{"SnapshotName", "a b"}, "InvalidSnapshotName.ValueNotSupported"},
		"name with a slash":   {[]string{"SnapshotName", "a/b"}, "InvalidSnapshotName.ValueNotSupported"},
		"name like a URL":     {[]string{"SnapshotName", "http://a"}, "InvalidSnapshotName.ValueNotSupported"},
		"name not UTF-8":      {[]string{"SnapshotName", "a\xff"}, "InvalidSnapshotName.ValueNotSupported"},
		"name in Greek":       {[]string{"SnapshotName", "αβγ"}, "InvalidSnapshotName.ValueNotSupported"},
		"token of 64":         {[]string{"ClientToken", strings.Repeat("t", 64)}, ""},
		"token of 65":         {[]string{"ClientToken", strings.Repeat("t", 65)}, "InvalidClientToken"},
		"token not ASCII":     {[]string{"ClientToken", "é"}, "InvalidClientToken"},
		"token with control":  {[]string{"ClientToken", "a\n"}, "InvalidClientToken"},
		"group malformed":     {[]string{"ResourceGroupId", "one"}, "InvalidResourceGroupId"},
		"20 tags":             {tags(20), ""},
		"21 tags":             {tags(21), "InvalidTag"},
		"tag key twice":       {[]string{"Tag.1.Key", "k", "Tag.2.Key", "k"}, "InvalidTag"},
		"tag keys by case":    {[]string{"Tag.1.Key", "k", "Tag.2.Key", "K"}, ""},
		"tag key empty":       {[]string{"Tag.1.Key", "", "Tag.1.Value", "v"}, "InvalidTag"},
		"tag without key":     {[]string{"Tag.1.Value", "v"}, "InvalidTag"},
		"tag key of 64":       {[]string{"Tag.1.Key", strings.Repeat("键", 64)}, ""},
		"tag key of 65":       {[]string{"Tag.1.Key", strings.Repeat("k", 65)}, "InvalidTag"},
		"tag key acs:":        {[]string{"Tag.1.Key", "ACS:x"}, "InvalidTag"},
		"tag key aliyun":      {[]string{"Tag.1.Key", "Aliyun"}, "InvalidTag"},
		"tag key with aliyun": {[]string{"Tag.1.Key", "my-aliyun"}, ""},
		"tag key with URL":    {[]string{"Tag.1.Key", "see http://x"}, "InvalidTag"},
		"tag value of 64":     {[]string{"Tag.1.Key", "k", "Tag.1.Value", strings.Repeat("v", 64)}, ""},
		"tag value of 65":     {[]string{"Tag.1.Key", "k", "Tag.1.Value", strings.Repeat("v", 65)}, "InvalidTag"},
		"tag value with URL":  {[]string{"Tag.1.Key", "k", "Tag.1.Value", "HTTPS://x"}, "InvalidTag"},
		"tag value acs:":      {[]string{"Tag.1.Key", "k", "Tag.1.Value", "acs:x"}, ""},
		"tag value not UTF-8": {[]string{"Tag.1.Key", "k", "Tag.1.Value", "\xff"}, "InvalidTag"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.want(h.call("CreateSnapshot", append([]string{"DiskId", "d-web", "SnapshotName", "first"}, c.pairs...)...), c.code)
			if n := len(h.sim.Snapshots()); (n == 1) != (c.code == "") {
				t.Errorf("%d snapshots after code %q", n, c.code)
			}
		})
	}
}

func TestCreateSnapshotStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ disk, instance, code string }{
		"in use, running":     {diskInUse, instanceRunning, ""},
		"in use, stopped":     {diskInUse, instanceStopped, ""},
		"available":           {diskAvailable, instanceRunning, ""},
		"disk being created":  {"Creating", instanceRunning, "IncorrectStatus"},
		"disk being reset":    {"ReIniting", instanceRunning, "IncorrectStatus"},
		"server starting":     {diskInUse, "Starting", "IncorrectStatus"},
		"server being reset":  {diskInUse, "Resetting", "IncorrectStatus"},
		"both in other state": {"Creating", "Pending", "IncorrectStatus"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			if err := h.sim.SetDiskStatus("d-web", c.disk); err != nil {
				t.Fatal(err)
			}
			if err := h.sim.setInstanceStatus("i-web", c.instance); err != nil {
				t.Fatal(err)
			}
			h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "first"), c.code)
		})
	}
}

func TestNamesAreUniqueInARegion(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.create("d-web", "same")
	h.finish()
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "same"), "InvalidSnapshotName.Duplicate")
	h.want(h.call("CreateSnapshot", "DiskId", "d-db", "SnapshotName", "same"), "InvalidSnapshotName.Duplicate")
	h.want(h.call("CreateSnapshot", "DiskId", "d-db", "SnapshotName", "SAME"), "")
	h.want(h.call("CreateSnapshot", "DiskId", "d-far", "SnapshotName", "same", "RegionId", "cn-shanghai"), "")
	h.want(h.call("DeleteSnapshot", "SnapshotId", id), "")
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "same"), "")
}

func TestOneSnapshotOfADiskInProgress(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.create("d-web", "one")
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "two"), "IncorrectDiskStatus.CreatingSnapshot")
	// The name comes first.
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "one"), "InvalidSnapshotName.Duplicate")
	h.create("d-web-data", "two")
	h.finish()
	h.create("d-web", "three")
}

func TestQuotaOfAServer(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.create("d-web", "one")
	h.create("d-web-data", "two") // both disks share the server's slots
	h.finish()
	h.sim.FailNext("d-web")
	failed := h.create("d-web", "three")
	h.finish()
	if h.sim.Snapshots()[0].Status != Failed {
		t.Fatal("the third did not fail")
	}
	// Failed ones occupy slots.
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "four"), "SnapshotLimitExceed")
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "one"), "InvalidSnapshotName.Duplicate")
	h.create("d-db", "five")
	h.want(h.call("DeleteSnapshot", "SnapshotId", failed), "")
	h.create("d-web", "four")
}

func TestQuotaBeforeName(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.QuotaBeforeName = true })
	for _, name := range []string{"one", "two", "three"} {
		h.sim.AddSnapshot(Snapshot{DiskID: "d-web", Name: name})
	}
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "one"), "SnapshotLimitExceed")
	h.create("d-db", "four")
	h.want(h.call("CreateSnapshot", "DiskId", "d-db", "SnapshotName", "one"), "InvalidSnapshotName.Duplicate")
}

func TestQuotaOfTheAccount(t *testing.T) {
	t.Parallel()
	servers := func(n int) []Instance {
		var list []Instance
		for i := range n {
			region := []string{"cn-hangzhou", "cn-shanghai"}[i%2]
			disk := Disk{ID: fmt.Sprintf("d-%d", i)}
			list = append(list, Instance{ID: fmt.Sprintf("i-%d", i), RegionID: region, Disks: []Disk{disk}})
		}
		return list
	}
	for name, c := range map[string]struct{ servers, want int }{
		"one server":    {1, 3},
		"four servers":  {4, 12},
		"five servers":  {5, 15},
		"seven servers": {7, 15},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, func(config *Config) { config.Instances = servers(c.servers) })
			taken := 0
			for round := range 4 {
				for i := range c.servers {
					region := []string{"cn-hangzhou", "cn-shanghai"}[i%2]
					disk, name := fmt.Sprintf("d-%d", i), fmt.Sprintf("n-%d-%d", round, i)
					r := h.call("CreateSnapshot", "RegionId", region, "DiskId", disk, "SnapshotName", name)
					switch r.code() {
					case "":
						taken++
					case "SnapshotLimitExceed":
					default:
						t.Fatal(r.raw)
					}
				}
				h.finish()
			}
			if taken != c.want {
				t.Errorf("%d snapshots, want %d", taken, c.want)
			}
		})
	}
}

func TestClientToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	order := []string{"DiskId", "d-web", "SnapshotName", "one", "ClientToken", "tok", "Tag.1.Key", "k"}
	first := h.want(h.call("CreateSnapshot", order...), "")
	again := h.want(h.call("CreateSnapshot", order...), "")
	if first.text("SnapshotId") != again.text("SnapshotId") || first.text("RequestId") == again.text("RequestId") {
		t.Errorf("first %s\nagain %s", first.raw, again.raw)
	}
	for name, change := range map[string][]string{
		"name":     {"SnapshotName", "two"},
		"disk":     {"DiskId", "d-db"},
		"tag":      {"Tag.1.Value", "v"},
		"more":     {"Tag.2.Key", "k2"},
		"group":    {"ResourceGroupId", "rg-one"},
		"region":   {"RegionId", "cn-shanghai"},
		"disk far": {"RegionId", "cn-shanghai", "DiskId", "d-far"}, // the memory is the account's
	} {
		if r := h.call("CreateSnapshot", append(order, change...)...); r.code() != "IdempotentParameterMismatch" ||
			r.status != 400 {
			t.Errorf("%s: %d %q", name, r.status, r.code())
		}
	}
	// Parameters come first.
	h.want(h.call("CreateSnapshot", append(order, "SnapshotName", "a")...), "InvalidSnapshotName.ValueNotSupported")
	// Case counts.
	h.want(h.call("CreateSnapshot", append(order, "ClientToken", "TOK")...), "InvalidSnapshotName.Duplicate")
	if n := len(h.sim.Snapshots()); n != 1 {
		t.Errorf("%d snapshots, want 1", n)
	}

	h.clock.advance(24*time.Hour - time.Second)
	h.want(h.call("CreateSnapshot", order...), "")
	h.clock.advance(time.Second)
	h.want(h.call("CreateSnapshot", order...), "InvalidSnapshotName.Duplicate") // forgotten: the name is the lock
}

func TestClientTokenRemembersSuccessOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if err := h.sim.SetDiskStatus("d-web", "Creating"); err != nil {
		t.Fatal(err)
	}
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "one", "ClientToken", "tok"), "IncorrectStatus")
	if err := h.sim.SetDiskStatus("d-web", diskInUse); err != nil {
		t.Fatal(err)
	}
	h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "two", "ClientToken", "tok"), "")
}

// The answer to a known token is that of the first call, even if the snapshot has failed or was deleted since.
func TestClientTokenAnswersWhateverCameAfter(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	id := h.create("d-web", "one", "ClientToken", "tok")
	h.finish()
	h.want(h.call("DeleteSnapshot", "SnapshotId", id), "")
	if again := h.create("d-web", "one", "ClientToken", "tok"); again != id {
		t.Errorf("again %s, want %s", again, id)
	}
	if n := len(h.sim.Snapshots()); n != 0 {
		t.Errorf("%d snapshots, want 0", n)
	}
	h.sim.ForgetTokens()
	if again := h.create("d-web", "one", "ClientToken", "tok"); again == id {
		t.Error("a forgotten token still answers")
	}
}

func TestTokenLifetime(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.TokenLifetime = time.Minute })
	h.create("d-web", "one", "ClientToken", "tok")
	h.clock.advance(time.Minute)
	h.want(h.call("CreateSnapshot", "DiskId", "d-db", "SnapshotName", "two", "ClientToken", "tok"), "")
}

func TestProgress(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.create("d-web", "one")
	for _, step := range []struct {
		at               time.Duration
		status, progress string
	}{
		{0, "progressing", "0%"},
		{3 * time.Minute, "progressing", "25%"},
		{12*time.Minute - time.Second, "progressing", "99%"},
		{12 * time.Minute, "accomplished", "100%"},
		{time.Hour, "accomplished", "100%"},
		{-time.Hour, "accomplished", "100%"}, // a clock that jumps back undoes nothing
	} {
		h.clock.advance(start.Add(step.at).Sub(h.clock.now()))
		got := h.call("ListSnapshots").elements("Snapshots")[0]
		if got["Status"] != step.status || got["Progress"] != step.progress {
			t.Errorf("after %s: %v %v, want %s %s", step.at, got["Status"], got["Progress"], step.status, step.progress)
		}
	}
}

func TestFailNext(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.FailNext("d-db")
	h.sim.FailNext("")
	h.create("d-web", "any")
	h.create("d-db", "named")
	h.create("d-web-data", "good")
	h.clock.advance(6 * time.Minute)
	for _, one := range h.sim.Snapshots() {
		want := map[string]string{"any": Failed, "named": Failed, "good": Progressing}[one.Name]
		if one.Status != want {
			t.Errorf("%s is %s, want %s", one.Name, one.Status, want)
		}
	}
	h.create("d-web", "next") // a failed one is not in progress
}

func TestDurationAndCapitals(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Duration, c.Capitals = time.Minute, true })
	h.create("d-web", "one")
	h.clock.advance(30 * time.Second)
	if got := h.call("ListSnapshots").column("Snapshots", "Status")[0]; got != "Progressing" {
		t.Errorf("status %q", got)
	}
	h.clock.advance(30 * time.Second)
	r := h.call("ListSnapshots")
	words := append(r.column("Snapshots", "Status"), r.column("Snapshots", "SourceDiskType")...)
	words = append(words, h.call("ListDisks").column("Disks", "DiskType")...)
	if got := fmt.Sprint(words); got != "[Accomplished System System Data System]" {
		t.Errorf("status and types %s", got)
	}
	if one := h.sim.Snapshots()[0]; one.Status != Accomplished || one.DiskType != diskSystem {
		t.Errorf("snapshot = %+v", one)
	}
}
