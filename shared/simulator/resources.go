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
		regions := []answer{}
		for region := range s.regions {
			regions = append(regions, answer{
				"RegionId":       region,
				"LocalName":      region,
				"RegionEndpoint": "swas." + region + ".aliyuncs.com",
			})
		}
		slices.SortFunc(regions, func(a, b answer) int {
			return strings.Compare(a["RegionId"].(string), b["RegionId"].(string))
		})
		return answer{"Regions": regions}, nil
	}
}

// listDisks answers a page of the disks of a region that match every filter.
func (s *Simulator) listDisks(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("DiskIds"), p.page(), p.group(), p.tagFilters()
	instanceID, diskType := p.values["InstanceId"], p.values["DiskType"]
	if diskType != "" && !strings.EqualFold(diskType, diskSystem) && !strings.EqualFold(diskType, diskData) {
		p.fail(invalid("DiskType"))
	}
	return func(time.Time) (answer, *apiError) {
		var found []answer
		for _, instance := range s.state.instances {
			for _, d := range instance.Disks {
				if instance.RegionID == region && matchesID(ids, d.ID) && matches(instanceID, instance.ID) && matches(group, d.ResourceGroupID) &&
					(diskType == "" || strings.EqualFold(diskType, d.Type)) && matchAll(filters, d.Tags) {
					found = append(found, wireDisk(instance, d))
				}
			}
		}
		return page.of("Disks", found), nil
	}
}

// wireDisk is one element of ListDisks, and of Disks in ListInstances.
func wireDisk(instance *Instance, d Disk) answer {
	device := "/dev/xvda"
	if d.Type != diskSystem {
		device = "/dev/xvdb"
	}
	return answer{
		"DiskId":          d.ID,
		"DiskName":        d.Name,
		"DiskType":        d.Type,
		"DiskChargeType":  "PrePaid",
		"Category":        "ESSD",
		"Device":          device,
		"Size":            d.SizeGiB,
		"Status":          d.Status,
		"RegionId":        instance.RegionID,
		"InstanceId":      instance.ID,
		"InstanceName":    instance.Name,
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
		var found []answer
		for _, one := range s.state.instances {
			if !none && one.RegionID == region && matchesID(ids, one.ID) && matches(status, one.Status) && matches(name, one.Name) &&
				matches(group, one.ResourceGroupID) && matchAll(filters, one.Tags) {
				found = append(found, wireServer(one))
			}
		}
		return page.of("Instances", found), nil
	}
}

// wireServer is one element of ListInstances.
func wireServer(one *Instance) answer {
	disks := []answer{}
	for _, d := range one.Disks {
		disks = append(disks, wireDisk(one, d))
	}
	return answer{
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

// of cuts a page out of what was found. A page beyond the end is empty.
func (p page) of(name string, found []answer) answer {
	from := min((p.number-1)*p.size, len(found))
	elements := append([]answer{}, found[from:min(from+p.size, len(found))]...)
	return answer{"TotalCount": len(found), "PageNumber": p.number, "PageSize": p.size, name: elements}
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
