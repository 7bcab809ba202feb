package simulator

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	swas "github.com/aliyun/alibaba-cloud-sdk-go/services/swas-open"
)

// sdkClient returns the vendor's client with a credential, and the address for its requests.
func sdkClient(t *testing.T, h *harness, credential auth.Credential) (*swas.Client, func(*requests.RpcRequest)) {
	t.Helper()
	server := httptest.NewServer(h.sim)
	t.Cleanup(server.Close)
	client, err := swas.NewClientWithOptions("cn-hangzhou", sdk.NewConfig(), credential)
	if err != nil {
		t.Fatal(err)
	}
	return client, func(r *requests.RpcRequest) {
		r.Scheme = "http"
		r.Domain = strings.TrimPrefix(server.URL, "http://")
	}
}

// The vendor's own client signs and decodes by itself: that it works here is the proof of the wire format.
func TestVendorClient(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Wall = nil }) // the client signs by the wall clock
	client, to := sdkClient(t, h, credentials.NewAccessKeyCredential(testKey, testSecret))

	create := swas.CreateCreateSnapshotRequest()
	to(create.RpcRequest)
	create.DiskId, create.SnapshotName, create.ClientToken = "d-web", "每日-one", "tok"
	create.Tag = &[]swas.CreateSnapshotTag{{Key: "k", Value: awkward}}
	created, err := client.CreateSnapshot(create)
	if err != nil || created.SnapshotId == "" || !strings.HasSuffix(created.RequestId, "\t") {
		t.Fatalf("CreateSnapshot: %v, %v", created, err)
	}

	list := swas.CreateListSnapshotsRequest()
	to(list.RpcRequest)
	list.PageSize = requests.NewInteger(100)
	list.Tag = &[]swas.ListSnapshotsTag{{Key: "k", Value: awkward}}
	listed, err := client.ListSnapshots(list)
	if err != nil || listed.TotalCount != 1 || listed.PageSize != 100 {
		t.Fatalf("ListSnapshots: %v, %v", listed, err)
	}
	one := listed.Snapshots[0]
	if one.SnapshotId != created.SnapshotId || one.SnapshotName != "每日-one" || one.SourceDiskId != "d-web" ||
		one.InstanceId != "i-web" ||
		one.Status != "progressing" || one.Progress != "0%" || one.CreationTime != "2026-03-09T07:12:49Z" ||
		one.Tags[0].Value != awkward {
		t.Errorf("snapshot = %+v", one)
	}

	tag := swas.CreateTagResourcesRequest()
	to(tag.RpcRequest)
	tag.ResourceType, tag.ResourceId = "snapshot", &[]string{created.SnapshotId}
	tag.Tag = &[]swas.TagResourcesTag{{Key: "keep", Value: "forever"}}
	if _, err = client.TagResources(tag); err != nil {
		t.Fatalf("TagResources: %v", err)
	}
	tagged := swas.CreateListTagResourcesRequest()
	to(tagged.RpcRequest)
	tagged.ResourceType, tagged.ResourceId = "snapshot", &[]string{created.SnapshotId}
	tags, err := client.ListTagResources(tagged)
	if err != nil || len(tags.TagResources.TagResource) != 2 || tags.TagResources.TagResource[1].TagValue != "forever" {
		t.Fatalf("ListTagResources: %v, %v", tags, err)
	}
	untag := swas.CreateUntagResourcesRequest()
	to(untag.RpcRequest)
	untag.ResourceType, untag.ResourceId, untag.TagKey = "snapshot", &[]string{created.SnapshotId}, &[]string{"keep"}
	if _, err = client.UntagResources(untag); err != nil {
		t.Fatalf("UntagResources: %v", err)
	}

	disks := swas.CreateListDisksRequest()
	to(disks.RpcRequest)
	disks.InstanceId = "i-web"
	if got, err := client.ListDisks(disks); err != nil || len(got.Disks) != 2 || got.Disks[0].DiskType != "system" ||
		got.Disks[0].Tags[0].Value != "boot" {
		t.Fatalf("ListDisks: %v, %v", got, err)
	}
	instances := swas.CreateListInstancesRequest()
	to(instances.RpcRequest)
	if got, err := client.ListInstances(instances); err != nil || got.TotalCount != 2 || len(got.Instances[0].Disks) != 2 {
		t.Fatalf("ListInstances: %v, %v", got, err)
	}
	h.finish()
	if err := h.sim.setInstanceStatus("i-web", instanceStopped); err != nil {
		t.Fatal(err)
	}
	reset := swas.CreateResetDiskRequest()
	to(reset.RpcRequest)
	reset.DiskId, reset.SnapshotId = "d-web", created.SnapshotId
	if _, err = client.ResetDisk(reset); err != nil {
		t.Fatalf("ResetDisk: %v", err)
	}

	remove := swas.CreateDeleteSnapshotRequest()
	to(remove.RpcRequest)
	remove.SnapshotId = created.SnapshotId
	if _, err = client.DeleteSnapshot(remove); err != nil {
		t.Fatalf("DeleteSnapshot: %v", err)
	}
	removeAll := swas.CreateDeleteSnapshotsRequest()
	to(removeAll.RpcRequest)
	removeAll.SnapshotIds = `["` + created.SnapshotId + `"]`
	_, err = client.DeleteSnapshots(removeAll)
	var refused *sdkerrors.ServerError
	if !errors.As(err, &refused) || refused.ErrorCode() != "InvalidSnapshotId.NotFound" || refused.HttpStatus() != 404 ||
		refused.RequestId() == "" || refused.Message() != "The specified SnapshotId does not exist." {
		t.Fatalf("DeleteSnapshots: %v", err)
	}
}

func TestVendorClientWithSecurityToken(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) {
		c.Wall = nil
		c.Credentials = []Credential{{AccessKeyID: "STS.key", AccessKeySecret: testSecret, SecurityToken: "tok/+= *~",
			Expires: time.Now().Add(time.Hour)}}
	})
	for name, c := range map[string]struct{ secret, token, code string }{
		"right":        {testSecret, "tok/+= *~", ""},
		"other token":  {testSecret, "other", "InvalidSecurityToken.MismatchWithAccessKey"},
		"no token":     {testSecret, "", "MissingSecurityToken"},
		"other secret": {"other", "tok/+= *~", "SignatureDoesNotMatch"},
	} {
		client, to := sdkClient(t, h, credentials.NewStsTokenCredential("STS.key", c.secret, c.token))
		list := swas.CreateListSnapshotsRequest()
		to(list.RpcRequest)
		_, err := client.ListSnapshots(list)
		var refused *sdkerrors.ServerError
		switch {
		case c.code == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.code != "" && (!errors.As(err, &refused) || refused.ErrorCode() != c.code):
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		// The client compares the string to sign that the gateway repeats with its own.
		if c.code == "SignatureDoesNotMatch" && !strings.Contains(refused.Recommend(), "InvalidAccessKeySecret") {
			t.Errorf("%s: recommend = %q", name, refused.Recommend())
		}
	}
}
