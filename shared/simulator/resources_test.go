package simulator

import (
	"fmt"
	"slices"
	"testing"
)

func TestListDisks(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for name, c := range map[string]struct {
		pairs []string
		want  []string
	}{
		"region":       {nil, []string{"d-web", "d-web-data", "d-db"}},
		"other region": {[]string{"RegionId", "cn-shanghai"}, []string{"d-far"}},
		"IDs":          {[]string{"DiskIds", `["d-db","d-far"]`}, []string{"d-db"}},
		"server":       {[]string{"InstanceId", "i-web"}, []string{"d-web", "d-web-data"}},
		"type":         {[]string{"DiskType", "Data"}, []string{"d-web-data"}},
		"group":        {[]string{"ResourceGroupId", "rg-one"}, []string{"d-web-data"}},
		"tag":          {[]string{"Tag.1.Key", "use", "Tag.1.Value", "boot"}, []string{"d-web"}},
		"page":         {[]string{"PageSize", "2", "PageNumber", "2"}, []string{"d-db"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := h.want(h.call("ListDisks", c.pairs...), "").column("Disks", "DiskId"); !slices.Equal(got, c.want) {
				t.Errorf("disks = %v, want %v", got, c.want)
			}
		})
	}
	got := h.call("ListDisks", "DiskIds", `["d-web"]`).elements("Disks")[0]
	for element, want := range map[string]any{
		"InstanceId": "i-web", "InstanceName": "i-web", "DiskType": "system", "Status": "In_Use",
		"RegionId": "cn-hangzhou", "Size": 40.0,
		"DiskName": "d-web", "Device": "/dev/xvda", "Tags": []any{map[string]any{"Key": "use", "Value": "boot"}},
	} {
		if fmt.Sprint(got[element]) != fmt.Sprint(want) {
			t.Errorf("%s = %v, want %v", element, got[element], want)
		}
	}
}

func TestListInstances(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	if err := h.sim.setInstanceStatus("i-db", instanceStopped); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pairs []string
		want  []string
	}{
		"region":       {nil, []string{"i-web", "i-db"}},
		"other region": {[]string{"RegionId", "cn-shanghai"}, []string{"i-far"}},
		"IDs":          {[]string{"InstanceIds", `["i-db","i-far"]`}, []string{"i-db"}},
		"status":       {[]string{"Status", "Stopped"}, []string{"i-db"}},
		"name":         {[]string{"InstanceName", "i-web"}, []string{"i-web"}},
		"group":        {[]string{"ResourceGroupId", "rg-one"}, []string{"i-web"}},
		"tag":          {[]string{"Tag.1.Key", "team"}, []string{"i-web"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := h.want(h.call("ListInstances", c.pairs...), "").column("Instances", "InstanceId"); !slices.Equal(got,
				c.want) {
				t.Errorf("instances = %v, want %v", got, c.want)
			}
		})
	}
	disks := h.call("ListInstances", "InstanceIds", `["i-web"]`).elements("Instances")[0]["Disks"].([]any)
	if len(disks) != 2 || disks[1].(map[string]any)["DiskId"] != "d-web-data" {
		t.Errorf("disks = %v", disks)
	}
}

func TestTagResources(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.AddSnapshot(Snapshot{ID: "s-1", DiskID: "d-web", Tags: []Tag{{"a", "1"}, {"b", "2"}}})
	h.sim.AddSnapshot(Snapshot{ID: "s-2", DiskID: "d-web"})
	tag := func(code string, pairs ...string) reply {
		t.Helper()
		return h.want(h.call("TagResources", append([]string{"ResourceType", "snapshot", "ResourceId.1", "s-1"},
			pairs...)...), code)
	}
	tags := func(id string) string {
		for _, one := range h.sim.Snapshots() {
			if one.ID == id {
				return fmt.Sprint(one.Tags)
			}
		}
		return "gone"
	}
	tag("", "Tag.1.Key", "b", "Tag.1.Value", "3", "Tag.2.Key", "c", "Tag.2.Value", "", "ResourceId.2", "s-2")
	if tags("s-1") != "[{a 1} {b 3} {c }]" || tags("s-2") != "[{b 3} {c }]" {
		t.Errorf("tags %s and %s", tags("s-1"), tags("s-2"))
	}
	tag("MissingTag.1.Key")
	tag("InvalidResourceId", "ResourceId.1", "", "Tag.1.Key", "x")
	h.want(h.call("TagResources", "ResourceType", "snapshot", "Tag.1.Key", "x"), "MissingResourceId")
	tag("MissingResourceType", "ResourceType", "", "Tag.1.Key", "x")
	tag("InvalidResourceType", "ResourceType", "disk", "Tag.1.Key", "x")
	tag("InvalidTag", "Tag.1.Key", "aliyun")
	tag("InvalidResourceId.NotFound", "ResourceId.2", "s-none", "Tag.1.Key", "x")
	tag("InvalidResourceId.NotFound", "RegionId", "cn-shanghai", "Tag.1.Key", "x")
	if tags("s-1") != "[{a 1} {b 3} {c }]" {
		t.Errorf("tags after refusals: %s", tags("s-1"))
	}
	var full []string
	for i := 1; i <= 18; i++ {
		full = append(full, fmt.Sprintf("Tag.%d.Key", i), fmt.Sprintf("k%d", i))
	}
	tag("NumberExceed.Tags", full...)
	tag("", full[:34]...)
	tag("NumberExceed.Tags", "Tag.1.Key", "one-more")
	tag("", "Tag.1.Key", "a", "Tag.1.Value", "overwritten at the limit")
}

func TestReplaceTags(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.ReplaceTags = true })
	h.sim.AddSnapshot(Snapshot{ID: "s-1", DiskID: "d-web", Tags: []Tag{{"a", "1"}, {"b", "2"}}})
	h.want(h.call("TagResources", "ResourceType", "snapshot", "ResourceId.1", "s-1",
		"Tag.1.Key", "b", "Tag.1.Value", "3", "Tag.2.Key", "c"), "")
	if got := fmt.Sprint(h.sim.Snapshots()[0].Tags); got != "[{b 3} {c }]" {
		t.Errorf("tags = %s", got)
	}
}

func TestUntagResources(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.AddSnapshot(Snapshot{ID: "s-1", DiskID: "d-web", Tags: []Tag{{"a", "1"}, {"b", "2"}, {"c", "3"}}})
	untag := func(code string, pairs ...string) {
		t.Helper()
		h.want(h.call("UntagResources", append([]string{"ResourceType", "snapshot", "ResourceId.1", "s-1"}, pairs...)...),
			code)
	}
	untag("MissingTagKey.1")
	untag("InvalidResourceId.NotFound", "ResourceId.2", "s-none", "TagKey.1", "a")
	untag("", "TagKey.1", "b", "TagKey.2", "none")
	if got := fmt.Sprint(h.sim.Snapshots()[0].Tags); got != "[{a 1} {c 3}]" {
		t.Errorf("tags = %s", got)
	}
	untag("", "All", "true")
	if got := h.sim.Snapshots()[0].Tags; len(got) != 0 {
		t.Errorf("tags = %v", got)
	}
}

func TestListTagResources(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.AddSnapshot(Snapshot{ID: "s-1", DiskID: "d-web", Tags: []Tag{{"a", "1"}, {"b", "2"}}})
	h.sim.AddSnapshot(Snapshot{ID: "s-2", DiskID: "d-web", Tags: []Tag{{"a", "9"}}})
	list := func(pairs ...string) string {
		t.Helper()
		r := h.want(h.call("ListTagResources", append([]string{"ResourceType", "snapshot"}, pairs...)...), "")
		return fmt.Sprint(r.body["TagResources"])
	}
	one := "map[TagResource:[map[ResourceId:s-1 ResourceType:snapshot TagKey:a TagValue:1] " +
		"map[ResourceId:s-1 ResourceType:snapshot TagKey:b TagValue:2]]]"
	if got := list("ResourceId.1", "s-1"); got != one {
		t.Errorf("by ID: %s", got)
	}
	if got := list("Tag.1.Key", "a", "Tag.1.Value", "1"); got != one {
		t.Errorf("by tag: %s", got)
	}
	if got := list("ResourceId.1", "s-none"); got != "map[TagResource:[]]" {
		t.Errorf("none: %s", got)
	}
	h.want(h.call("ListTagResources", "ResourceType", "snapshot"), "MissingResourceId")
}
