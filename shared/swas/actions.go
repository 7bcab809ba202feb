package swas

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	swas_open "github.com/aliyun/alibaba-cloud-sdk-go/services/swas-open"

	"swas-snapshot/shared/snapshot"
)

// CreateSnapshot starts a snapshot of a disk. It sends the parameters as they are and leaves their rules to
// [snapshot.Request.Validate] and the API. A nil error guarantees a SnapshotID.
func (c *Client) CreateSnapshot(ctx context.Context, r snapshot.Request) (snapshot.Created, error) {
	answer, err := call(ctx, c, r.RegionID, func() (requests.AcsRequest, *swas_open.CreateSnapshotResponse) {
		request := swas_open.CreateCreateSnapshotRequest()
		request.DiskId = r.DiskID
		request.SnapshotName = r.SnapshotName
		request.ClientToken = r.ClientToken
		request.ResourceGroupId = r.ResourceGroupID
		setTags(request.QueryParams, r.Tags)
		return request, swas_open.CreateCreateSnapshotResponse()
	})
	if err != nil {
		return snapshot.Created{}, err
	}
	if answer.SnapshotId == "" {
		return snapshot.Created{}, emptyAnswer("CreateSnapshot", answer, "has no SnapshotId")
	}
	return snapshot.Created{SnapshotID: answer.SnapshotId, RequestID: requestID(answer.RequestId)}, nil
}

// ListSnapshots returns one page, counted from 1, of all snapshots of the account in a region. A snapshot whose
// CreationTime cannot be read has the zero time; it is not left out.
func (c *Client) ListSnapshots(ctx context.Context, regionID string, page int) (snapshot.SnapshotPage, error) {
	answer, err := call(ctx, c, regionID, func() (requests.AcsRequest, *swas_open.ListSnapshotsResponse) {
		request := swas_open.CreateListSnapshotsRequest()
		request.PageNumber = requests.NewInteger(page)
		request.PageSize = requests.NewInteger(snapshot.PageSize)
		return request, swas_open.CreateListSnapshotsResponse()
	})
	if err != nil {
		return snapshot.SnapshotPage{}, err
	}
	total, defect := checkList(answer.GetHttpContentBytes(), "Snapshots", page, answer.TotalCount,
		len(answer.Snapshots))
	if defect != "" {
		return snapshot.SnapshotPage{}, emptyAnswer("ListSnapshots", answer, defect)
	}
	result := snapshot.SnapshotPage{Snapshots: make([]snapshot.Snapshot, 0, len(answer.Snapshots)), Total: total}
	for _, one := range answer.Snapshots {
		if one.SnapshotId == "" {
			return snapshot.SnapshotPage{}, emptyAnswer("ListSnapshots", answer, "has a snapshot without SnapshotId")
		}
		result.Snapshots = append(result.Snapshots, snapshot.Snapshot{
			ID:           one.SnapshotId,
			Name:         one.SnapshotName,
			RegionID:     one.RegionId,
			DiskID:       one.SourceDiskId,
			InstanceID:   one.InstanceId,
			Status:       snapshot.ParseStatus(one.Status),
			Progress:     one.Progress,
			CreationTime: parseTime(one.CreationTime),
			Tags:         tagsOf(one.Tags),
		})
	}
	return result, nil
}

// Deleter calls the one API action that only the sweep may call. The functions that orders reach make none.
type Deleter struct{ *Client }

var _ snapshot.Deleter = Deleter{}

// DeleteSnapshot deletes one snapshot. The code InvalidSnapshotId.NotFound says that it is gone already.
func (d Deleter) DeleteSnapshot(ctx context.Context, regionID, snapshotID, clientToken string) error {
	answer, err := call(ctx, d.Client, regionID, func() (requests.AcsRequest, *swas_open.DeleteSnapshotResponse) {
		request := swas_open.CreateDeleteSnapshotRequest()
		request.SnapshotId = snapshotID
		request.ClientToken = clientToken
		return request, swas_open.CreateDeleteSnapshotResponse()
	})
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer.RequestId) == "" {
		return emptyAnswer("DeleteSnapshot", answer, "has no RequestId")
	}
	return nil
}

// TagSnapshot sets tags on a snapshot (TagResources); a tag with the same key is overwritten.
func (c *Client) TagSnapshot(ctx context.Context, regionID, snapshotID string, tags []snapshot.Tag) error {
	answer, err := call(ctx, c, regionID, func() (requests.AcsRequest, *swas_open.TagResourcesResponse) {
		request := swas_open.CreateTagResourcesRequest()
		request.ResourceType = "snapshot"
		request.ResourceId = &[]string{snapshotID}
		setTags(request.QueryParams, tags)
		return request, swas_open.CreateTagResourcesResponse()
	})
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer.RequestId) == "" {
		return emptyAnswer("TagResources", answer, "has no RequestId")
	}
	return nil
}

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

// stsHost is the public host of STS for every region.
// Source: "Endpoints" of STS, help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-endpoint.
const stsHost = "sts.aliyuncs.com"

// Identity is the owner of credentials.
type Identity struct {
	AccountID string
	ARN       string // acs:ram::<account>:user/<name>, :assumed-role/<role>/<session>, or :root
	Root      bool   // the account itself, which may do everything
}

// CallerIdentity returns the owner of the client's credentials. STS answers that to every caller, without any
// permission; an endpoint on this machine is asked itself. The error is that of any other call.
func (c *Client) CallerIdentity(ctx context.Context, regionID string) (Identity, error) {
	toSTS := *c
	if !c.endpoint.local {
		toSTS.endpoint = endpoint{scheme: "https", host: stsHost}
	}
	answer, err := call(ctx, &toSTS, regionID, func() (requests.AcsRequest, *sts.GetCallerIdentityResponse) {
		return sts.CreateGetCallerIdentityRequest(), sts.CreateGetCallerIdentityResponse()
	})
	if err != nil {
		return Identity{}, err
	}
	if answer.Arn == "" {
		return Identity{}, emptyAnswer("GetCallerIdentity", answer, "has no Arn")
	}
	return Identity{AccountID: answer.AccountId, ARN: answer.Arn, Root: answer.IdentityType == "Account"}, nil
}

// setTags sends tags beside the typed request, which drops a tag's empty value that the API allows.
func setTags(query map[string]string, tags []snapshot.Tag) {
	for i, tag := range tags {
		prefix := "Tag." + strconv.Itoa(i+1)
		query[prefix+".Key"], query[prefix+".Value"] = tag.Key, tag.Value
	}
}

func tagsOf(tags []swas_open.Tag) []snapshot.Tag {
	if len(tags) == 0 {
		return nil
	}
	result := make([]snapshot.Tag, len(tags))
	for i, tag := range tags {
		result[i] = snapshot.Tag{Key: tag.Key, Value: tag.Value}
	}
	return result
}

// checkList returns how many elements all pages of a list have, or what is wrong with this page. The SDK reads an
// answer without the list as an empty list, which would look like "there are no snapshots". The list may be left out
// only where the total is 0. Without a total, a full page is followed by another.
func checkList(body []byte, name string, page, total, count int) (all int, defect string) {
	members := elements(body)
	counted := !isNull(members["TotalCount"])
	if !counted {
		if isNull(members[name]) {
			return 0, "has neither TotalCount nor a list " + name
		}
		if total = (page-1)*snapshot.PageSize + count; count >= snapshot.PageSize {
			total++
		}
	}
	if list := members[name]; isNull(list) && total != 0 || !isNull(list) && list[0] != '[' {
		return 0, "has no list " + name
	}
	if expected := min(total-(page-1)*snapshot.PageSize, snapshot.PageSize); expected > 0 && count == 0 {
		return 0, fmt.Sprintf("has none of the %d elements of page %d", expected, page)
	}
	return total, ""
}

// timeForms are the spellings of times: that of the API page, and those of its sister products. All are UTC.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04Z", "2006-01-02 15:04:05"}

// parseTime reads a time of the API, or returns the zero time.
func parseTime(text string) time.Time {
	for _, form := range timeForms {
		if t, err := time.Parse(form, strings.TrimSpace(text)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
