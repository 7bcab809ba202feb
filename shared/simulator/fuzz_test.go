package simulator

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// No unsigned request is answered with success, and none makes the handler panic.
func FuzzUnsignedRequest(f *testing.F) {
	f.Add("POST", "Action=CreateSnapshot&Version=2020-06-01", "", "", "")
	f.Add("GET", "Action=ListSnapshots&Version=2020-06-01&AccessKeyId=test-key&Signature=x&SignatureNonce=n"+
		"&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&Timestamp=2026-03-09T07:12:49Z", "", "", "")
	f.Add("POST", "", "Action=ListDisks", "application/x-www-form-urlencoded", "")
	f.Add("POST", "RegionId=cn-hangzhou", "", "", "ACS3-HMAC-SHA256 Credential=test-key,SignedHeaders=host,Signature=x")
	f.Add("POST", "", "", "", "ACS3-HMAC-SHA256 ,,,=")
	f.Add("PUT", "%zz", "\x00", "a/b; c", "Bearer")
	f.Fuzz(func(t *testing.T, method, query, body, contentType, authorization string) {
		h := newHarness(t)
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Method, r.URL.RawQuery = method, query
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		if got := h.do(r); got.status < 400 || got.code() == "" || got.text("RequestId") == "" {
			t.Errorf("status %d: %s", got.status, got.raw)
		}
		if n := len(h.sim.Snapshots()); n != 0 {
			t.Errorf("%d snapshots", n)
		}
	})
}

// A signed call with any parameters is answered by the action, in the form of the API.
func FuzzSignedParameters(f *testing.F) {
	f.Add("CreateSnapshot", "Tag.1.Key", "aliyun", "SnapshotName", "one")
	f.Add("ListSnapshots", "SnapshotIds", `["s-1",null]`, "PageSize", "-1")
	f.Add("ListDisks", "DiskIds", `[[]]`, "PageNumber", "99999999999999999999")
	f.Add("TagResources", "ResourceType", "snapshot", "ResourceId.1", "s-1")
	f.Add("DeleteSnapshots", "SnapshotIds", `["s-added"]`, "ClientToken", "\xff")
	f.Add("ResetDisk", "SnapshotId", "s-added", "DiskId", "d-web")
	f.Fuzz(func(t *testing.T, action, name1, value1, name2, value2 string) {
		for _, name := range commonParams {
			if name == name1 || name == name2 {
				return
			}
		}
		h := newHarness(t)
		h.sim.AddSnapshot(Snapshot{ID: "s-added", DiskID: "d-web"})
		got := h.call(action, name1, value1, name2, value2)
		if got.body == nil || got.text("RequestId") == "" || (got.status == 200) != (got.code() == "") {
			t.Errorf("status %d: %s", got.status, got.raw)
		}
		if got.code() == "SignatureDoesNotMatch" {
			t.Error("a right signature was refused")
		}
	})
}
