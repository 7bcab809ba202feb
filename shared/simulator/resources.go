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
	return func(time.Time) (answer, *apiError) {
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
		return answer{disks: found, total: total, wire: func() elements {
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

// chargeType and planType are those of every server here.
const (
	chargeType = "PrePaid"
	planType   = "NORMAL"
)

// listInstances answers a page of the servers of a region that match every filter. Servers here have no public
// address, so a filter by PublicIpAddresses matches none.
func (s *Simulator) listInstances(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("InstanceIds"), p.page(), p.group(), p.tagFilters()
	status, name, address := p.values["Status"], p.values["InstanceName"], p.values["PublicIpAddresses"]
	none := address != "" || !matches(p.values["ChargeType"], chargeType) || !matches(p.values["PlanType"], planType)
	return func(time.Time) (answer, *apiError) {
		var found []*Instance
		for _, one := range s.state.instances {
			if !none && one.RegionID == region && matchesID(ids, one.ID) && matches(status, one.Status) &&
				matches(name, one.Name) && matches(group, one.ResourceGroupID) && matchAll(filters, one.Tags) {
				found = append(found, one)
			}
		}
		servers := rows(cut(page, found), s.serverElements)
		return answer{wire: func() elements { return page.elements("Instances", len(found), servers) }}, nil
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
		"ChargeType":      chargeType,
		"PlanType":        planType,
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
			return answer{}, refusal
		}
		merged := make([][]Tag, len(resources))
		for i, one := range resources {
			for _, old := range *one.tags {
				if !s.config.ReplaceTags && !hasKey(tags, old.Key) {
					merged[i] = append(merged[i], old)
				}
			}
			if merged[i] = append(merged[i], tags...); len(merged[i]) > tagsPerResource {
				return answer{}, refuse("NumberExceed.Tags")
			}
		}
		for i, one := range resources {
			one.set(merged[i], now)
		}
		return answer{}, nil
	}
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
			return answer{}, refusal
		}
		for _, one := range resources {
			one.set(slices.DeleteFunc(slices.Clone(*one.tags), func(t Tag) bool {
				return len(keys) == 0 || slices.Contains(keys, t.Key)
			}), now)
		}
		return answer{}, nil
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
				found = append(found, elements{
					"ResourceType": kind, "ResourceId": one.id, "TagKey": tag.Key, "TagValue": tag.Value,
				})
			}
		}
		list := elements{"NextToken": "", "TagResources": elements{"TagResource": found}}
		return answer{wire: func() elements { return list }}, nil
	}
}
