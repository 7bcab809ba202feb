package swas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

func TestNew(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ endpoint, defect string }{
		"public":           {"", ""},
		"https":            {"https://swas-vpc.cn-hangzhou.aliyuncs.com", ""},
		"https port slash": {"https://gateway.example:8443/", ""},
		"loopback":         {"http://127.0.0.1:9001", ""},
		"loopback 127.0/8": {"http://127.8.8.8", ""},
		"loopback IPv6":    {"http://[::1]:9001", ""},
		"localhost":        {"http://LocalHost:9001", ""},
		"plain http":       {"http://swas.cn-hangzhou.aliyuncs.com", "plain http"},
		"looks local":      {"http://127.0.0.1.example:80", "plain http"},
		"looks local too":  {"http://localhost.example", "plain http"},
		"no scheme":        {"127.0.0.1:9001", "not a URL"},
		"bare host":        {"swas.cn-hangzhou.aliyuncs.com", "scheme"},
		"other scheme":     {"ftp://127.0.0.1", "scheme"},
		"no host":          {"https://", "no host"},
		"only a port":      {"https://:443", "no host"},
		"empty port":       {"https://gateway.example:", "empty port"},
		"bad port":         {"https://gateway.example:x", "not a URL"},
		"path":             {"https://gateway.example/api", "path"},
		"query":            {"https://gateway.example?x=1", "path, query"},
		"empty query":      {"https://gateway.example?", "path, query"},
		"fragment":         {"https://gateway.example#x", "path, query"},
		"user":             {"https://user:made-up-password@gateway.example", "user name"},
		"user, not a URL":  {"https://user:made-up-password@gateway.example:x", "not a URL"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := swas.New(c.endpoint, swas.Static(signer))
			if c.defect == "" {
				if err != nil || swas.Check(c.endpoint) != nil {
					t.Fatal(err)
				}
				return
			}
			if checked := swas.Check(c.endpoint); !reflect.DeepEqual(checked, err) {
				t.Errorf("Check says %v, New %v", checked, err)
			}
			var known *snapshot.Error
			if !errors.As(err, &known) || known.Code != snapshot.CodeBadConfig || known.Kind != snapshot.KindConfig {
				t.Fatalf("got %v, want CodeBadConfig", err)
			}
			text := err.Error()
			if !strings.Contains(text, "SWAS_ENDPOINT") || !strings.Contains(text, c.defect) ||
				strings.Contains(text, "made-up-password") {
				t.Errorf("got %q, want the variable and %q", text, c.defect)
			}
		})
	}
}

// net/http keeps localhost from proxies by its lower-case name alone.
func TestLocalhostIsLowerCase(t *testing.T) {
	t.Parallel()
	network := &wire{script: []reply{{200, done}}}
	client := clientOf(t, settings{endpoint: "http://LocalHost:9001/", transport: network})
	if _, err := create(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if got := network.urls[0]; got.Scheme != "http" || got.Host != "localhost:9001" {
		t.Errorf("got %s://%s", got.Scheme, got.Host)
	}
}

func TestRegionIsPartOfAHostName(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"", "evil.example/", "a@evil.example", "cn hangzhou", "CN-HANGZHOU", "cn-hangzhou:80", strings.Repeat("a", 64),
	} {
		t.Run(wrong, func(t *testing.T) {
			t.Parallel()
			client, network := newClient(t, reply{200, `{"TotalCount":0}`})
			_, err := client.ListSnapshots(t.Context(), wrong, 1)
			if answer := apiError(t, err); answer.Code != snapshot.CodeInvalidRegion || network.calls() != 0 {
				t.Errorf("got %v after %d calls", answer, network.calls())
			}
		})
	}
}

func TestCodesReachTheCore(t *testing.T) {
	t.Parallel()
	for _, code := range []string{
		snapshot.CodeRemarkUnsupported, snapshot.CodeRemarkDuplicate, snapshot.CodeIncorrectStatus,
		snapshot.CodeNameUnsupported, snapshot.CodeNameDuplicate, snapshot.CodeInternalError,
		snapshot.CodeLimitExceed, snapshot.CodeCreatingSnapshot,
		snapshot.CodeDiskNotFound, snapshot.CodeMismatch, snapshot.CodeForbiddenRAM, "Throttling.User",
	} {
		for _, status := range []int{200, 400, 403, 404, 500, 503} {
			t.Run(fmt.Sprint(code, "/", status), func(t *testing.T) {
				t.Parallel()
				client, _ := newClient(t, reply{status, `{"RequestId":"R-1","HostId":"swas","Code":"` + code +
					`","Message":"what is wrong.","Recommend":"https://example"}`})
				_, err := create(t.Context(), client)
				want := snapshot.APIError{Action: "CreateSnapshot", Code: code, Message: "what is wrong.",
					RequestID: "R-1", Status: status}
				if answer := apiError(t, err); *answer != want {
					t.Errorf("got %+v, want %+v", *answer, want)
				}
			})
		}
	}
}

// A server knows what we sent and may repeat it.
func TestEchoesAreMasked(t *testing.T) {
	t.Parallel()
	echo := func(text string) reply {
		body, err := json.Marshal(map[string]string{"Code": "SignatureDoesNotMatch", "Message": text, "RequestId": "R"})
		if err != nil {
			t.Fatal(err)
		}
		return reply{403, string(body)}
	}
	cases := map[string]struct{ message, want string }{
		"string to sign": {"Specified signature is not matched with our calculation. server string to sign is:" +
			"POST&%2F&AccessKeyId%3Dmade-up-key-id", "string to sign left out"},
		"secrets": {"bad " + signer.AccessKeySecret + " and " + signer.SecurityToken + " of " + signer.AccessKeyID,
			"bad *** and *** of ***"},
		"escaped":       {"?SecurityToken=made-up%2Ftoken%2B2%3D%3D", "?SecurityToken=***"},
		"escaped twice": {"SecurityToken%3Dmade-up%252Ftoken%252B2%253D%253D", "SecurityToken%3D***"},
		"lines":         {"one\ntwo\x1b[31m\t three", "one two [31m three"},
		"long":          {strings.Repeat("长", 1000), strings.Repeat("长", 300) + "..."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, echo(c.message))
			_, err := create(t.Context(), client)
			if answer := apiError(t, err); !strings.HasSuffix(answer.Message, c.want) {
				t.Errorf("got %q, want it to end in %q", answer.Message, c.want)
			}
		})
	}
}

// renewing is a provider whose credentials are numbered: first 1, fresh ones 2.
type renewing struct {
	fresh      bool
	fail       error
	refreshErr error
	refreshed  int
}

func (r *renewing) Credentials(context.Context) (credentials.Credentials, error) {
	return credentials.Credentials{AccessKeyID: "key-1", AccessKeySecret: "secret-1", SecurityToken: "token-1"}, r.fail
}

func (r *renewing) Refresh(context.Context) (credentials.Credentials, bool, error) {
	r.refreshed++
	return credentials.Credentials{AccessKeyID: "key-2", AccessKeySecret: "secret-2"}, r.fresh, r.refreshErr
}

func TestFreshCredentials(t *testing.T) {
	t.Parallel()
	refuse := func(code string) reply { return reply{400, `{"Code":"` + code + `","Message":"m","RequestId":"R"}`} }
	cases := map[string]struct {
		provider  renewing
		script    []reply
		code      string
		calls     int
		refreshed int
	}{
		"expired": {renewing{fresh: true},
			[]reply{refuse("InvalidSecurityToken.Expired"), {200, done}}, "", 2, 1},
		"rotated": {renewing{fresh: true},
			[]reply{refuse("InvalidAccessKeyId.NotFound"), {200, done}}, "", 2, 1},
		"disabled": {renewing{fresh: true},
			[]reply{refuse("InvalidAccessKeyId.Inactive"), {200, done}}, "", 2, 1},
		"expired once more": {renewing{fresh: true}, []reply{refuse("InvalidSecurityToken.Expired")},
			"InvalidSecurityToken.Expired", 2, 1},
		"none": {renewing{}, []reply{refuse("InvalidSecurityToken.Expired")},
			"InvalidSecurityToken.Expired", 1, 1},
		"refresh fails": {renewing{refreshErr: errors.New("no secret")},
			[]reply{refuse("InvalidAccessKeyId.NotFound")}, "InvalidAccessKeyId.NotFound", 1, 1},
		"another secret": {renewing{fresh: true}, []reply{refuse("SignatureDoesNotMatch"), {200, done}}, "", 2, 1},
		"another code":   {renewing{fresh: true}, []reply{refuse("Forbidden.RAM")}, "Forbidden.RAM", 1, 0},
		"success":        {renewing{fresh: true}, []reply{{200, done}}, "", 1, 0},
		"no credentials": {renewing{fail: errors.New("the secret is gone")}, []reply{{200, done}},
			snapshot.CodeNoCredentials, 0, 0},
		"other after refresh": {renewing{fresh: true},
			[]reply{refuse("InvalidSecurityToken.Expired"), refuse("IncorrectStatus")}, "IncorrectStatus", 2, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := &wire{script: c.script}
			_, err := create(t.Context(), clientOf(t, settings{provider: &c.provider, transport: network}))
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
			} else if answer := apiError(t, err); answer.Code != c.code {
				t.Errorf("got %v, want %s", answer, c.code)
			}
			if network.calls() != c.calls || c.provider.refreshed != c.refreshed {
				t.Errorf("got %d calls and %d refreshes, want %d and %d", network.calls(), c.provider.refreshed,
					c.calls, c.refreshed)
			}
			if c.calls != 2 {
				return
			}
			first, second := network.queries[0], network.queries[1]
			if second.Get("AccessKeyId") != "key-2" || second.Has("SecurityToken") ||
				second.Get("Signature") != signature(second, "secret-2") {
				t.Errorf("the second call is not signed with the fresh credentials: %v", second)
			}
			if first.Get("ClientToken") != second.Get("ClientToken") ||
				first.Get("SignatureNonce") == second.Get("SignatureNonce") {
				t.Error("want the same token and another nonce")
			}
		})
	}
}

func TestListSnapshots(t *testing.T) {
	t.Parallel()
	client, network := newClient(t, reply{200, `{"TotalCount":203,"PageNumber":3,"PageSize":100,"RequestId":"R",
		"Snapshots":[
		{"SnapshotId":"s-1","SnapshotName":"n","RegionId":"cn-hangzhou","SourceDiskId":"d-1","InstanceId":"i-1",
		 "Status":"Accomplished","Progress":"100%","CreationTime":"2021-03-09T07:12:49Z",
		 "Tags":[{"Key":"swas-snapshot/token","Value":"t"},{"Key":"empty","Value":""}]},
		{"SnapshotId":"s-2","Status":" progressing","Progress":7,"CreationTime":"2021-03-09T07:12Z"},
		{"SnapshotId":"s-3","Status":"Frozen","CreationTime":"yesterday"}]}`})
	page, err := client.ListSnapshots(t.Context(), region, 3)
	if err != nil {
		t.Fatal(err)
	}
	query := network.queries[0]
	if query.Get("PageNumber") != "3" || query.Get("PageSize") != "100" || query.Get("RegionId") != region {
		t.Errorf("got %v", query)
	}
	if page.Total != 203 || len(page.Snapshots) != 3 {
		t.Fatalf("got %+v", page)
	}
	first, second, third := page.Snapshots[0], page.Snapshots[1], page.Snapshots[2]
	if first.ID != "s-1" || first.Name != "n" || first.RegionID != region || first.DiskID != "d-1" ||
		first.InstanceID != "i-1" || !first.Good() ||
		first.Progress != "100%" || !first.CreationTime.Equal(time.Date(2021, 3, 9, 7, 12, 49, 0, time.UTC)) {
		t.Errorf("got %+v", first)
	}
	if value, found := first.Tag("swas-snapshot/token"); value != "t" || !found {
		t.Errorf("got tags %v", first.Tags)
	}
	if _, found := first.Tag("empty"); !found {
		t.Errorf("got tags %v", first.Tags)
	}
	if !second.InProgress() || second.Progress != "7" || second.CreationTime.IsZero() {
		t.Errorf("got %+v", second)
	}
	if third.Good() || third.InProgress() || !third.CreationTime.IsZero() {
		t.Errorf("got %+v", third)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	want := time.Date(2021, 3, 9, 7, 12, 0, 0, time.UTC)
	for _, text := range []string{
		"2021-03-09T07:12:00Z", "2021-03-09T07:12Z", "2021-03-09 07:12:00", "2021-03-09T07:12:00.000Z",
		"2021-03-09T15:12:00+08:00", " 2021-03-09T07:12:00Z\t",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			quoted, _ := json.Marshal(text)
			body := `{"TotalCount":1,"Snapshots":[{"SnapshotId":"s","CreationTime":` + string(quoted) + `}]}`
			client, _ := newClient(t, reply{200, body})
			page, err := client.ListSnapshots(t.Context(), region, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := page.Snapshots[0].CreationTime; !got.Equal(want) || got.Location() != time.UTC {
				t.Errorf("got %+v, %v", page, err)
			}
		})
	}
}

// An answer without its list must never look like "there are no snapshots".
func TestListsProveThemselves(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		page  int
		body  string
		total int // -1: an error
	}{
		"none":                {1, `{"TotalCount":0,"Snapshots":[],"RequestId":"R"}`, 0},
		"none, left out":      {1, `{"TotalCount":0,"RequestId":"R"}`, 0},
		"none, null":          {1, `{"TotalCount":0,"Snapshots":null}`, 0},
		"beyond the end":      {2, `{"TotalCount":100,"Snapshots":[]}`, 100},
		"no total":            {1, `{"Snapshots":[],"RequestId":"R"}`, 0},
		"no total, second":    {2, `{"Snapshots":[{"SnapshotId":"s"}],"RequestId":"R"}`, 101},
		"null total":          {1, `{"TotalCount":null,"Snapshots":[]}`, 0},
		"neither":             {1, `{"RequestId":"R"}`, -1},
		"no list":             {1, `{"TotalCount":2,"RequestId":"R"}`, -1},
		"empty list":          {1, `{"TotalCount":2,"Snapshots":[]}`, -1},
		"empty second page":   {2, `{"TotalCount":101,"Snapshots":[]}`, -1},
		"list is an object":   {1, `{"TotalCount":0,"Snapshots":{}}`, -1},
		"list is text":        {1, `{"TotalCount":0,"Snapshots":""}`, -1},
		"other case":          {1, `{"totalCount":0,"snapshots":[{"SnapshotId":"s"}]}`, -1},
		"total is text":       {1, `{"TotalCount":"many","Snapshots":[]}`, -1},
		"snapshot without ID": {1, `{"TotalCount":1,"Snapshots":[{"SnapshotName":"n"}]}`, -1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, reply{200, c.body})
			page, err := client.ListSnapshots(t.Context(), region, c.page)
			if c.total >= 0 {
				if err != nil || page.Total != c.total || len(page.Snapshots) != strings.Count(c.body, "SnapshotId") {
					t.Errorf("got %+v, %v", page, err)
				}
				return
			}
			if answer := apiError(t, err); answer.Code != snapshot.CodeEmptyAnswer {
				t.Errorf("got %v", answer)
			}
		})
	}
}

func TestListDisks(t *testing.T) {
	t.Parallel()
	client, network := newClient(t,
		reply{200,
			`{"TotalCount":2,"Disks":[{"DiskId":"d-1","InstanceId":"i-1","DiskType":"system","Status":"In_Use"},` +
				`{"DiskId":"d-2","DiskType":"Data"}]}`},
		reply{200, `{"TotalCount":1,"Disks":[{"DiskType":"Data"}]}`})

	disks, err := client.ListDisks(t.Context(), region, 1)
	want := snapshot.Disk{ID: "d-1", InstanceID: "i-1", System: true, Status: "In_Use"}
	if err != nil || disks.Total != 2 || disks.Disks[0] != want || disks.Disks[1].System {
		t.Errorf("got %+v, %v", disks, err)
	}
	if _, err = client.ListDisks(t.Context(), region, 1); apiError(t, err).Code != snapshot.CodeEmptyAnswer {
		t.Errorf("a disk without ID: got %v", err)
	}
	if got := network.queries[0].Get("Action"); got != "ListDisks" {
		t.Errorf("got action %s", got)
	}
}

func TestCallerIdentity(t *testing.T) {
	t.Parallel()
	user := `{"IdentityType":"RAMUser","AccountId":"12","Arn":"acs:ram::12:user/web","RequestId":"R"}`
	web := swas.Identity{AccountID: "12", ARN: "acs:ram::12:user/web"}
	cases := map[string]struct {
		endpoint, body, host string
		want                 swas.Identity
		code                 string
	}{
		"public":       {"", user, "sts.aliyuncs.com", web, ""},
		"vpc":          {"https://swas-vpc.cn-hangzhou.aliyuncs.com", user, "sts.aliyuncs.com", web, ""},
		"this machine": {"http://127.0.0.1:9001", user, "127.0.0.1:9001", web, ""},
		"localhost":    {"http://localhost", user, "localhost", web, ""},
		"account": {"", `{"IdentityType":"Account","AccountId":"12","Arn":"acs:ram::12:root"}`, "sts.aliyuncs.com",
			swas.Identity{AccountID: "12", ARN: "acs:ram::12:root", Root: true}, ""},
		"empty": {"", `{"RequestId":"R"}`, "sts.aliyuncs.com", swas.Identity{}, snapshot.CodeEmptyAnswer},
		"refused": {"", `{"Code":"InvalidAccessKeyId.NotFound","RequestId":"R"}`, "sts.aliyuncs.com",
			swas.Identity{}, "InvalidAccessKeyId.NotFound"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network := &wire{script: []reply{{200, c.body}}}
			client := clientOf(t, settings{endpoint: c.endpoint, transport: network})
			got, err := client.CallerIdentity(t.Context(), region)
			if c.code != "" {
				if answer := apiError(t, err); answer.Code != c.code || answer.Action != "GetCallerIdentity" {
					t.Errorf("got %v", answer)
				}
			} else if err != nil || got != c.want {
				t.Errorf("got %+v, %v", got, err)
			}
			if query := network.queries[0]; network.urls[0].Host != c.host || query.Get("Version") != "2015-04-01" {
				t.Errorf("asked %s for version %s", network.urls[0].Host, query.Get("Version"))
			}
		})
	}
}

func TestDeleteSnapshot(t *testing.T) {
	t.Parallel()
	client, network := newClient(t,
		reply{200, `{"RequestId":"R"}`}, reply{404, `{"Code":"InvalidSnapshotId.NotFound","RequestId":"R"}`})
	deleter := swas.Deleter{Client: client}
	if err := deleter.DeleteSnapshot(t.Context(), region, "s-1", "sn1-d"); err != nil {
		t.Fatal(err)
	}
	query := network.queries[0]
	if query.Get("Action") != "DeleteSnapshot" || query.Get("SnapshotId") != "s-1" ||
		query.Get("ClientToken") != "sn1-d" {
		t.Errorf("got %v", query)
	}
	err := deleter.DeleteSnapshot(t.Context(), region, "s-1", "sn1-d")
	if apiError(t, err).Code != snapshot.CodeSnapshotNotFound {
		t.Errorf("got %v", err)
	}
}

func TestCredentialsAreNeverShown(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"credentials": signer, "pointer": &signer, "static": swas.Static(signer),
		"within": struct{ C credentials.Credentials }{signer},
		"slice":  []credentials.Credentials{signer},
		"client": clientOf(t, settings{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
				requireClean(t, fmt.Sprintf(verb, value))
			}
			body, err := json.Marshal(value)
			if err != nil && name != "static" {
				t.Fatal(err)
			}
			requireClean(t, string(body))
			var log strings.Builder
			slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
			slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value)
			requireClean(t, log.String())
		})
	}
	requireClean(t, signer.String()+signer.GoString())
}

// FuzzAnswer sends any answer through the SDK and the adapter: nothing panics, and nothing but a proof is a success.
func FuzzAnswer(f *testing.F) {
	f.Add(200, done)
	f.Add(200, `{}`)
	f.Add(200, `{"Code":"X","SnapshotId":"s-1"}`)
	f.Add(400, `{"Code":5,"Message":[]}`)
	f.Add(403, `{"Code":"SignatureDoesNotMatch","Message":"server string to sign is:POST&made-up%2Ftoken%2B2%3D%3D"}`)
	f.Add(502, `<html>made-up/secret+1</html>`)
	f.Add(307, ``)
	f.Add(200, `{"TotalCount":1,"Snapshots":[{"SnapshotId":"s","Tags":[{"Key":"k"}]}]}`)
	f.Add(200, `{"TotalCoTotaunt":1,"Snapshots":[{"SnapshotId":"s"}]}`)
	f.Add(200, `{"snapshots":[{"SnapshotId":"s"}]}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		client, _ := newClient(t, reply{status, body})
		created, err := create(t.Context(), client)
		if err != nil {
			if answer := apiError(t, err); answer.Code == "" {
				t.Errorf("an error without a code: %+v", answer)
			}
		} else if created.SnapshotID == "" || status > 299 {
			t.Errorf("status %d and %q: got success %+v", status, body, created)
		}
		page, err := client.ListSnapshots(t.Context(), region, 1)
		var proof map[string]json.RawMessage
		_ = json.Unmarshal([]byte(body), &proof) // what is no JSON proves nothing
		if err != nil {
			apiError(t, err)
		} else if proof["TotalCount"] == nil && proof["Snapshots"] == nil {
			t.Errorf("%q: got success %+v", body, page)
		}
	})
}
