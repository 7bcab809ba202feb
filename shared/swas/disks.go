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
