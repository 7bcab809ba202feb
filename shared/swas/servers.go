package swas

import (
	"context"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	swas_open "github.com/aliyun/alibaba-cloud-sdk-go/services/swas-open"

	"swas-snapshot/shared/snapshot"
)

// ListDisks returns one page, counted from 1, of all disks of the account in a region.
func (c *Client) ListDisks(ctx context.Context, regionID string, page int) (snapshot.DiskPage, error) {
	answer, err := call(ctx, c, regionID, func() (requests.AcsRequest, *swas_open.ListDisksResponse) {
		request := swas_open.CreateListDisksRequest()
		request.PageNumber = requests.NewInteger(page)
		request.PageSize = requests.NewInteger(snapshot.PageSize)
		return request, swas_open.CreateListDisksResponse()
	})
	if err != nil {
		return snapshot.DiskPage{}, err
	}
	total, defect := checkList(answer.GetHttpContentBytes(), "Disks", page, answer.TotalCount, len(answer.Disks))
	if defect != "" {
		return snapshot.DiskPage{}, emptyAnswer("ListDisks", answer, defect)
	}
	result := snapshot.DiskPage{Disks: make([]snapshot.Disk, 0, len(answer.Disks)), Total: total}
	for _, one := range answer.Disks {
		if one.DiskId == "" {
			return snapshot.DiskPage{}, emptyAnswer("ListDisks", answer, "has a disk without DiskId")
		}
		result.Disks = append(result.Disks, snapshot.Disk{
			ID:         one.DiskId,
			InstanceID: one.InstanceId,
			System:     strings.EqualFold(strings.TrimSpace(one.DiskType), "System"),
			Status:     one.Status,
		})
	}
	return result, nil
}

// Instance is one server as ListInstances tells of it.
type Instance struct {
	ID     string
	Name   string
	Status string // Running, Stopped, ...
}

// InstancePage is one page of ListInstances. Total counts all pages.
type InstancePage struct {
	Instances []Instance
	Total     int
}

// ListInstances returns one page, counted from 1, of all servers of the account in a region.
func (c *Client) ListInstances(ctx context.Context, regionID string, page int) (InstancePage, error) {
	answer, err := call(ctx, c, regionID, func() (requests.AcsRequest, *swas_open.ListInstancesResponse) {
		request := swas_open.CreateListInstancesRequest()
		request.PageNumber = requests.NewInteger(page)
		request.PageSize = requests.NewInteger(snapshot.PageSize)
		return request, swas_open.CreateListInstancesResponse()
	})
	if err != nil {
		return InstancePage{}, err
	}
	total, defect := checkList(answer.GetHttpContentBytes(), "Instances", page, answer.TotalCount, len(answer.Instances))
	if defect != "" {
		return InstancePage{}, emptyAnswer("ListInstances", answer, defect)
	}
	result := InstancePage{Instances: make([]Instance, 0, len(answer.Instances)), Total: total}
	for _, one := range answer.Instances {
		if one.InstanceId == "" {
			return InstancePage{}, emptyAnswer("ListInstances", answer, "has a server without InstanceId")
		}
		result.Instances = append(result.Instances, Instance{ID: one.InstanceId, Name: one.InstanceName, Status: one.Status})
	}
	return result, nil
}

// ListRegions returns the IDs of all regions, as the API of regionID tells. Every account may call it, so it shows
// whether the endpoint answers and the credentials are valid, apart from permissions.
func (c *Client) ListRegions(ctx context.Context, regionID string) ([]string, error) {
	answer, err := call(ctx, c, regionID, func() (requests.AcsRequest, *swas_open.ListRegionsResponse) {
		return swas_open.CreateListRegionsRequest(), swas_open.CreateListRegionsResponse()
	})
	if err != nil {
		return nil, err
	}
	if len(answer.Regions) == 0 {
		return nil, emptyAnswer("ListRegions", answer, "has no region")
	}
	regions := make([]string, 0, len(answer.Regions))
	for _, one := range answer.Regions {
		regions = append(regions, one.RegionId)
	}
	return regions, nil
}
