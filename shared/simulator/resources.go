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
	"ap-northeast-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-3", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
	"eu-central-1", "eu-west-1", "me-central-1", "us-east-1", "us-west-1",
}

// listRegions answers every region. It is the one action that needs no RegionId.
func (s *Simulator) listRegions(*params) effect {
	return func(time.Time) (answer, *apiError) {
		regions := []elements{}
		for region := range s.regions {
			regions = append(regions, elements{
				"RegionId":       region,
				"LocalName":      region,
				"RegionEndpoint": "swas." + region + ".aliyuncs.com",
			})
		}
		slices.SortFunc(regions, func(a, b elements) int {
			return strings.Compare(a["RegionId"].(string), b["RegionId"].(string))
		})
		return elements{"Regions": regions}, nil
	}
}

// listDisks answers a page of the disks of a region that match every filter.
func (s *Simulator) listDisks(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("DiskIds"), p.page(), p.group(), p.tagFilters()
	instanceID, diskType := p.values["InstanceId"], p.diskType("DiskType")
	return func(time.Time) (answer, *apiError) {
		var found []ListedDisk
		for _, instance := range s.state.instances {
			for _, d := range instance.Disks {
				if instance.RegionID == region && matchesID(ids, d.ID) && matches(instanceID, instance.ID) && matches(group, d.ResourceGroupID) &&
					(diskType == "" || strings.EqualFold(diskType, d.Type)) && matchAll(filters, d.Tags) {
					found = append(found, s.listedDisk(instance, d))
				}
			}
		}
		return diskList{page, len(found), cut(page, found)}, nil
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

// diskList is the answer of ListDisks.
type diskList struct {
	page  page
	total int
	disks []ListedDisk
}

func (a diskList) elements() elements {
	list := []elements{}
	for _, d := range a.disks {
		list = append(list, d.elements())
	}
	return a.page.elements("Disks", a.total, list)
}

// elements are those of one disk in ListDisks, and in Disks of ListInstances.
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
	status, name := p.values["Status"], p.values["InstanceName"]
	none := p.values["PublicIpAddresses"] != "" || !matches(p.values["ChargeType"], chargeType) || !matches(p.values["PlanType"], planType)
	return func(time.Time) (answer, *apiError) {
		var found []elements
		for _, one := range s.state.instances {
			if !none && one.RegionID == region && matchesID(ids, one.ID) && matches(status, one.Status) && matches(name, one.Name) &&
				matches(group, one.ResourceGroupID) && matchAll(filters, one.Tags) {
				found = append(found, s.wireServer(one))
			}
		}
		return page.elements("Instances", len(found), cut(page, found)), nil
	}
}

// wireServer is one element of ListInstances.
func (s *Simulator) wireServer(one *Instance) elements {
	disks := []elements{}
	for _, d := range one.Disks {
		disks = append(disks, s.listedDisk(one, d).elements())
	}
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
		"Disks":           disks,
		"Tags":            wireTags(one.Tags),
	}
}

// cut returns a page of what was found. A page beyond the end is empty.
func cut[T any](p page, found []T) []T {
	from := min((p.number-1)*p.size, len(found))
	return found[from:min(from+p.size, len(found))]
}

// elements are those of an answer with a page of a list.
func (p page) elements(name string, total int, list []elements) elements {
	return elements{"TotalCount": total, "PageNumber": p.number, "PageSize": p.size, name: append([]elements{}, list...)}
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
