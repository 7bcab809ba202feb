package simulator

import (
	"slices"
	"strings"
	"time"
)

// resource is anything that carries tags.
type resource struct {
	id       string
	tags     *[]Tag
	snapshot *Snapshot // nil for disks and servers
}

// set replaces the tags. Those of a snapshot are remembered, for lists that lag behind.
func (r resource) set(tags []Tag, now time.Time) {
	if r.snapshot != nil {
		r.snapshot.former = append(r.snapshot.former, formerTags{now, *r.tags})
	}
	*r.tags = tags
}

// tagged reads ResourceType and ResourceId.N, which name what TagResources and UntagResources work on: snapshots,
// disks or servers of a region, at most 50.
func (s *Simulator) tagged(p *params) func() ([]resource, *apiError) {
	region, kind, ids := p.region(), p.resourceType(), p.list("ResourceId")
	if len(ids) == 0 {
		p.fail(missing("ResourceId"))
	}
	return func() ([]resource, *apiError) {
		all := s.resources(region, kind)
		var named []resource
		for _, id := range ids {
			i := slices.IndexFunc(all, func(r resource) bool { return r.id == id })
			if i < 0 {
				return nil, refuse("InvalidResourceId.NotFound")
			}
			named = append(named, all[i])
		}
		return named, nil
	}
}

// resourceType reads ResourceType, in lower case. The other types that the API knows have no part in snapshots and
// are refused.
func (p *params) resourceType() string {
	kind := strings.ToLower(p.required("ResourceType"))
	if kind != "snapshot" && kind != "disk" && kind != "instance" {
		p.fail(invalid("ResourceType"))
	}
	return kind
}

// resources returns every resource of a kind in a region.
func (s *Simulator) resources(region, kind string) []resource {
	var all []resource
	if kind == "snapshot" {
		for _, one := range slices.Backward(s.state.snapshots) {
			if one.RegionID == region {
				all = append(all, resource{one.ID, &one.Tags, one})
			}
		}
		return all
	}
	for _, one := range s.state.instances {
		switch {
		case one.RegionID != region:
		case kind == "instance":
			all = append(all, resource{one.ID, &one.Tags, nil})
		default:
			for i := range one.Disks {
				all = append(all, resource{one.Disks[i].ID, &one.Disks[i].Tags, nil})
			}
		}
	}
	return all
}

// tagResources sets tags on resources, on all of them or on none. A tag with the same key is overwritten. Whether
// tags with other keys stay is not documented: Config.ReplaceTags says.
func (s *Simulator) tagResources(p *params) effect {
	named, tags := s.tagged(p), p.tags()
	if len(tags) == 0 {
		p.fail(missing("Tag.1.Key"))
	}
	return func(now time.Time) (answer, *apiError) {
		resources, refusal := named()
		if refusal != nil {
			return nil, refusal
		}
		merged := make([][]Tag, len(resources))
		for i, one := range resources {
			old := *one.tags
			if s.config.ReplaceTags {
				old = nil
			}
			if merged[i] = overwrite(old, tags); len(merged[i]) > tagsPerResource {
				return nil, refuse("NumberExceed.Tags")
			}
		}
		for i, one := range resources {
			one.set(merged[i], now)
		}
		return elements{}, nil
	}
}

// overwrite returns the tags with others set on top.
func overwrite(tags, others []Tag) []Tag {
	merged := slices.Clone(tags)
	for _, tag := range others {
		if i := slices.IndexFunc(merged, func(t Tag) bool { return t.Key == tag.Key }); i >= 0 {
			merged[i] = tag
		} else {
			merged = append(merged, tag)
		}
	}
	return merged
}

// untagResources removes the tags with the keys TagKey.N, or all of them where All is true and no key is named.
func (s *Simulator) untagResources(p *params) effect {
	named, keys, all := s.tagged(p), p.list("TagKey"), strings.EqualFold(p.values["All"], "true")
	if len(keys) == 0 && !all {
		p.fail(missing("TagKey.1"))
	}
	return func(now time.Time) (answer, *apiError) {
		resources, refusal := named()
		if refusal != nil {
			return nil, refusal
		}
		for _, one := range resources {
			one.set(slices.DeleteFunc(slices.Clone(*one.tags), func(t Tag) bool {
				return len(keys) == 0 || slices.Contains(keys, t.Key)
			}), now)
		}
		return elements{}, nil
	}
}

// listTagResources answers the tags of resources, filtered by ResourceId.N and Tag.N, in one page.
func (s *Simulator) listTagResources(p *params) effect {
	region, kind, ids, filters := p.region(), p.resourceType(), p.list("ResourceId"), p.tagFilters()
	if len(ids) == 0 && len(filters) == 0 {
		p.fail(missing("ResourceId"))
	}
	return func(time.Time) (answer, *apiError) {
		found := []elements{}
		for _, one := range s.resources(region, kind) {
			if !matchesID(ids, one.id) || !matchAll(filters, *one.tags) {
				continue
			}
			for _, tag := range *one.tags {
				found = append(found, elements{"ResourceType": kind, "ResourceId": one.id, "TagKey": tag.Key, "TagValue": tag.Value})
			}
		}
		return elements{"NextToken": "", "TagResources": elements{"TagResource": found}}, nil
	}
}
