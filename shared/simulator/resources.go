package simulator

import (
	"slices"
	"strings"
	"time"
)

// documentedRegions are the regions of SWAS, as its page "Regions and network connectivity" names them. A region of
// a server in the configuration is known as well.
var documentedRegions = []string{
	"cn-beijing", "cn-chengdu", "cn-fuzhou", "cn-guangzhou", "cn-hangzhou", "cn-heyuan", "cn-hongkong", "cn-huhehaote",
	"cn-nanjing", "cn-qingdao", "cn-shanghai", "cn-shenzhen", "cn-wuhan-lr", "cn-wulanchabu", "cn-zhangjiakou",
	"ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6",
	"ap-southeast-7",
	"eu-central-1", "eu-west-1", "me-central-1", "us-east-1", "us-west-1",
}

// listDisks answers a page of the disks of a region that match every filter.
func (s *Simulator) listDisks(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("DiskIds"), p.page(), p.group(), p.tagFilters()
	instanceID, diskType := p.values["InstanceId"], p.diskType("DiskType")
	return func(time.Time) (success, *apiError) {
		var found []ListedDisk
		for _, instance := range s.state.instances {
			for _, d := range instance.Disks {
				if instance.RegionID == region && matchesID(ids, d.ID) && matches(instanceID, instance.ID) &&
					matches(group, d.ResourceGroupID) && matches(diskType, d.Type) && matchAll(filters, d.Tags) {
					found = append(found, s.listedDisk(instance, d))
				}
			}
		}
		total := len(found)
		found = cut(page, found)
		return success{disks: found, total: total, wire: func() elements {
			return page.elements("Disks", total, rows(found, ListedDisk.elements))
		}}, nil
	}
}

// ListedDisk is a disk as ListDisks shows it.
type ListedDisk struct {
	Disk
	RegionID     string
	InstanceID   string
	InstanceName string
}

func (s *Simulator) listedDisk(instance *Instance, d Disk) ListedDisk {
	d.Type, d.Tags = s.spelling(d.Type), slices.Clone(d.Tags)
	return ListedDisk{d, instance.RegionID, instance.ID, instance.Name}
}

// spelling writes the first letter of a status or type as a capital, if the configuration says so.
func (s *Simulator) spelling(word string) string {
	if !s.config.Capitals || word == "" {
		return word
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// elements returns a disk as it stands in the answer of ListDisks, and in that of ListInstances.
func (d ListedDisk) elements() elements {
	device := "/dev/xvda"
	if !strings.EqualFold(d.Type, diskSystem) {
		device = "/dev/xvdb"
	}
	return elements{
		"DiskId":          d.ID,
		"DiskName":        d.Name,
		"DiskType":        d.Type,
		"DiskChargeType":  "PrePaid",
		"Category":        "ESSD",
		"Device":          device,
		"Size":            d.SizeGiB,
		"Status":          d.Status,
		"RegionId":        d.RegionID,
		"InstanceId":      d.InstanceID,
		"InstanceName":    d.InstanceName,
		"CreationTime":    wireTime(d.CreationTime),
		"ResourceGroupId": d.ResourceGroupID,
		"Remark":          "",
		"Tags":            wireTags(d.Tags),
	}
}

// listInstances answers a page of the servers of a region that match every filter of those that this simulator knows.
func (s *Simulator) listInstances(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("InstanceIds"), p.page(), p.group(), p.tagFilters()
	status, name := p.values["Status"], p.values["InstanceName"]
	return func(time.Time) (success, *apiError) {
		var found []*Instance
		for _, one := range s.state.instances {
			if one.RegionID == region && matchesID(ids, one.ID) && matches(status, one.Status) &&
				matches(name, one.Name) && matches(group, one.ResourceGroupID) && matchAll(filters, one.Tags) {
				found = append(found, one)
			}
		}
		servers := rows(cut(page, found), s.serverElements)
		return success{wire: func() elements { return page.elements("Instances", len(found), servers) }}, nil
	}
}

// serverElements returns a server as it stands in the answer of ListInstances.
func (s *Simulator) serverElements(one *Instance) elements {
	return elements{
		"InstanceId":      one.ID,
		"InstanceName":    one.Name,
		"RegionId":        one.RegionID,
		"Status":          one.Status,
		"BusinessStatus":  "Normal",
		"ChargeType":      "PrePaid",
		"PlanType":        "NORMAL",
		"CreationTime":    wireTime(one.CreationTime),
		"ResourceGroupId": one.ResourceGroupID,
		"Disks":           rows(one.Disks, func(d Disk) elements { return s.listedDisk(one, d).elements() }),
		"Tags":            wireTags(one.Tags),
	}
}

// cut returns a page of what was found. A page beyond the end is empty.
func cut[T any](p page, found []T) []T {
	from := min((p.number-1)*p.size, len(found))
	return found[from:min(from+p.size, len(found))]
}

// elements returns the members of an answer with a page of a list.
func (p page) elements(name string, total int, list []elements) elements {
	return elements{"TotalCount": total, "PageNumber": p.number, "PageSize": p.size, name: list}
}

// rows returns the elements of each element of a list.
func rows[T any](list []T, row func(T) elements) []elements {
	all := make([]elements, 0, len(list))
	for _, one := range list {
		all = append(all, row(one))
	}
	return all
}

// matches reports whether an optional filter is absent or satisfied.
func matches(filter, value string) bool { return filter == "" || filter == value }

// matchesID reports whether an optional list of IDs is absent or contains the ID.
func matchesID(ids []string, id string) bool { return ids == nil || slices.Contains(ids, id) }

// wireTime is a time as the API writes it: UTC, to the second; a zero time is empty.
func wireTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timestampForm)
}

// wireTags is the tags of a resource as the API lists them.
func wireTags(tags []Tag) []Tag { return append([]Tag{}, tags...) }

// setTags replaces the tags of a snapshot. The old ones are remembered, for lists that lag behind.
func (one *Snapshot) setTags(tags []Tag, now time.Time) {
	one.former = append(one.former, formerTags{now, one.Tags})
	one.Tags = tags
}

// resourceType reads ResourceType. The other types that the API knows have no part in snapshots and are refused.
func (p *params) resourceType() {
	if !strings.EqualFold(p.required("ResourceType"), "snapshot") {
		p.fail(invalid("ResourceType"))
	}
}

// tagged reads ResourceType and ResourceId.N, which name what TagResources and UntagResources work on: snapshots of a
// region, at most 50.
func (s *Simulator) tagged(p *params) func() ([]*Snapshot, *apiError) {
	p.resourceType()
	region, ids := p.region(), p.list("ResourceId")
	if len(ids) == 0 {
		p.fail(missing("ResourceId"))
	}
	return func() ([]*Snapshot, *apiError) {
		var named []*Snapshot
		for _, id := range ids {
			one := s.state.snapshot(id)
			if one == nil || one.RegionID != region {
				return nil, refuse("InvalidResourceId.NotFound")
			}
			named = append(named, one)
		}
		return named, nil
	}
}

// tagResources sets tags on snapshots, on all of them or on none. A tag with the same key is overwritten. Whether
// tags with other keys stay is not documented: Config.ReplaceTags says.
func (s *Simulator) tagResources(p *params) effect {
	named, tags := s.tagged(p), p.tags()
	if len(tags) == 0 {
		p.fail(missing("Tag.1.Key"))
	}
	return func(now time.Time) (success, *apiError) {
		snapshots, refusal := named()
		if refusal != nil {
			return success{}, refusal
		}
		merged := make([][]Tag, len(snapshots))
		for i, one := range snapshots {
			for _, old := range one.Tags {
				if !s.config.ReplaceTags && !hasKey(tags, old.Key) {
					merged[i] = append(merged[i], old)
				}
			}
			if merged[i] = append(merged[i], tags...); len(merged[i]) > tagsPerResource {
				return success{}, refuse("NumberExceed.Tags")
			}
		}
		for i, one := range snapshots {
			one.setTags(merged[i], now)
		}
		return success{}, nil
	}
}

// untagResources removes the tags with the keys TagKey.N, or all of them where All is true and no key is named.
func (s *Simulator) untagResources(p *params) effect {
	named, keys, all := s.tagged(p), p.list("TagKey"), strings.EqualFold(p.values["All"], "true")
	if len(keys) == 0 && !all {
		p.fail(missing("TagKey.1"))
	}
	return func(now time.Time) (success, *apiError) {
		snapshots, refusal := named()
		if refusal != nil {
			return success{}, refusal
		}
		for _, one := range snapshots {
			one.setTags(slices.DeleteFunc(slices.Clone(one.Tags), func(t Tag) bool {
				return len(keys) == 0 || slices.Contains(keys, t.Key)
			}), now)
		}
		return success{}, nil
	}
}

// listTagResources answers the tags of snapshots, newest first, filtered by ResourceId.N and Tag.N, in one page.
func (s *Simulator) listTagResources(p *params) effect {
	p.resourceType()
	region, ids, filters := p.region(), p.list("ResourceId"), p.tagFilters()
	if len(ids) == 0 && len(filters) == 0 {
		p.fail(missing("ResourceId"))
	}
	return func(time.Time) (success, *apiError) {
		found := []elements{}
		for _, one := range slices.Backward(s.state.snapshots) {
			if one.RegionID != region || !matchesID(ids, one.ID) || !matchAll(filters, one.Tags) {
				continue
			}
			for _, tag := range one.Tags {
				found = append(found, elements{
					"ResourceType": "snapshot", "ResourceId": one.ID, "TagKey": tag.Key, "TagValue": tag.Value,
				})
			}
		}
		list := elements{"NextToken": "", "TagResources": elements{"TagResource": found}}
		return success{wire: func() elements { return list }}, nil
	}
}
