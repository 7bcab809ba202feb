package simulator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestRoute(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pairs  []string
		code   string
		status int
	}{
		"unknown action":          {[]string{"Action", "DescribeRegions"}, "InvalidAction.NotFound", 404},
		"action in another case":  {[]string{"Action", "createsnapshot"}, "InvalidAction.NotFound", 404},
		"no action":               {[]string{"Action", ""}, "MissingAction", 400},
		"no version":              {[]string{"Version", ""}, "MissingVersion", 400},
		"version of another API":  {[]string{"Version", "2014-05-26"}, "InvalidVersion", 400},
		"XML":                     {[]string{"Format", "XML"}, "InvalidFormat", 400},
		"no format":               {[]string{"Format", ""}, "", 200},
		"no region":               {[]string{"RegionId", ""}, "MissingRegionId", 400},
		"malformed region":        {[]string{"RegionId", "Hangzhou"}, "InvalidRegionId", 400},
		"unknown region":          {[]string{"RegionId", "cn-atlantis"}, "InvalidRegionId.NotFound", 404},
		"unknown parameter":       {[]string{"Colour", "blue"}, "", 200},
		"region of another cloud": {[]string{"RegionId", "us-east-2"}, "InvalidRegionId.NotFound", 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			if r := h.want(h.call("ListSnapshots", c.pairs...), c.code); r.status != c.status {
				t.Errorf("status = %d, want %d", r.status, c.status)
			}
		})
	}
}

func TestUnreadableRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request *http.Request
		code    string
	}{
		"method":       {httptest.NewRequest("PUT", "/", nil), "UnsupportedHTTPMethod"},
		"path":         {httptest.NewRequest("GET", "/swas?Action=ListSnapshots", nil), "InvalidAction.NotFound"},
		"broken query": {httptest.NewRequest("GET", "/?Action=%zz", nil), "InvalidParameter"},
		"broken form":  {form(httptest.NewRequest("POST", "/", strings.NewReader("a=%zz"))), "InvalidParameter"},
		"JSON body":    {httptest.NewRequest("POST", "/", strings.NewReader("{}")), "InvalidParameter"},
		"body too long": {form(httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("a", maxBody+1)))),
			"InvalidParameter"},
		"nothing": {httptest.NewRequest("GET", "/", nil), "MissingSignatureMethod"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.want(h.do(c.request), c.code)
		})
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ timestamp, code string }{
		"now":                {"2026-03-09T07:12:49Z", ""},
		"15 minutes old":     {"2026-03-09T06:57:49Z", ""},
		"a second too old":   {"2026-03-09T06:57:48Z", "InvalidTimeStamp.Expired"},
		"15 minutes ahead":   {"2026-03-09T07:27:49Z", ""},
		"a second too early": {"2026-03-09T07:27:50Z", "InvalidTimeStamp.Expired"},
		"local time":         {"2026-03-09T15:12:49+08:00", "InvalidTimeStamp.Format"},
		"RFC 2616":           {"Mon, 09 Mar 2026 07:12:49 GMT", "InvalidTimeStamp.Format"},
		"no zone":            {"2026-03-09T07:12:49", "InvalidTimeStamp.Format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.want(h.call("ListSnapshots", "Timestamp", c.timestamp), c.code)
			r := httptest.NewRequest("POST", "http://swas.test/?RegionId=cn-hangzhou", nil)
			r.Header.Set("x-acs-extra", "1")
			h.acs3("ListSnapshots", r, "", "x-acs-extra", "1")
			r.Header.Set("x-acs-date", c.timestamp)
			names := strings.Fields("host x-acs-action x-acs-content-sha256 x-acs-date x-acs-extra " +
				"x-acs-signature-nonce x-acs-version")
			r.Header.Set("Authorization", acs3Algorithm+" Credential="+testKey+",SignedHeaders="+strings.Join(names, ";")+
				",Signature="+signACS3(testSecret, acs3StringToSign(r, r.URL.Query(), names)))
			h.want(h.do(r), c.code)
		})
	}
}

func TestNonce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) {
		c.Credentials = append(c.Credentials, Credential{AccessKeyID: "second-key", AccessKeySecret: testSecret})
	})
	h.want(h.call("ListSnapshots", "SignatureNonce", "n"), "")
	h.want(h.call("ListSnapshots", "SignatureNonce", "n"), "SignatureNonceUsed")
	h.want(h.call("ListDisks", "SignatureNonce", "n"), "SignatureNonceUsed")
	h.want(h.call("ListSnapshots", "SignatureNonce", "n", "AccessKeyId", "second-key"), "")
	h.want(h.call("ListSnapshots", "SignatureNonce", "N"), "")

	// A forged request must not use up the nonce of another caller.
	values := signed("POST", h.common("ListSnapshots", "SignatureNonce", "m"))
	values.Set("Signature", "wrong")
	h.want(h.do(httptest.NewRequest("POST", "/?"+values.Encode(), nil)), "SignatureDoesNotMatch")
	h.want(h.call("ListSnapshots", "SignatureNonce", "m"), "")
}

// A replay of a whole request must be refused at every moment: first by its nonce, then by its age.
func TestReplayIsNeverAccepted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	query := signed("POST", h.common("ListSnapshots", "Timestamp", start.Add(window).Format(timestampForm))).Encode()
	h.want(h.do(httptest.NewRequest("POST", "/?"+query, nil)), "")
	for h.clock.now().Before(start.Add(3 * window)) {
		h.clock.advance(time.Minute)
		h.want(h.call("ListSnapshots"), "") // others keep the memory of nonces moving
		if r := h.do(httptest.NewRequest("POST", "/?"+query, nil)); r.code() != "SignatureNonceUsed" &&
			r.code() != "InvalidTimeStamp.Expired" {
			t.Fatalf("after %s: %q", h.clock.now().Sub(start), r.code())
		}
	}
	if n := len(h.sim.gateway.nonces); n > 60 {
		t.Errorf("%d nonces are kept", n)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		credential Credential
		pairs      []string
		code       string
	}{
		"temporary": {Credential{SecurityToken: "tok", Expires: start.Add(time.Second)},
			[]string{"SecurityToken", "tok"}, ""},
		"temporary without end": {Credential{SecurityToken: "tok"}, []string{"SecurityToken", "tok"}, ""},
		"expired": {Credential{SecurityToken: "tok", Expires: start}, []string{"SecurityToken", "tok"},
			"InvalidSecurityToken.Expired"},
		"token missing": {Credential{SecurityToken: "tok"}, nil, "MissingSecurityToken"},
		"token of another key": {Credential{SecurityToken: "tok"}, []string{"SecurityToken", "tox"},
			"InvalidSecurityToken.MismatchWithAccessKey"},
		"token with a plain key": {Credential{}, []string{"SecurityToken", "tok"},
			"InvalidSecurityToken.MismatchWithAccessKey"},
		"disabled":       {Credential{Inactive: true}, nil, "InvalidAccessKeyId.Inactive"},
		"other secret":   {Credential{AccessKeySecret: "another"}, nil, "SignatureDoesNotMatch"},
		"allowed action": {Credential{Actions: []string{"ListSnapshots"}}, nil, ""},
		"denied action":  {Credential{Actions: []string{"CreateSnapshot"}}, nil, "NoPermission"},
		"another key":    {Credential{AccessKeyID: "another"}, nil, "InvalidAccessKeyId.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			c.credential.AccessKeyID = orElse(c.credential.AccessKeyID, testKey)
			c.credential.AccessKeySecret = orElse(c.credential.AccessKeySecret, testSecret)
			h.sim.SetCredentials(c.credential)
			h.want(h.call("ListSnapshots", c.pairs...), c.code)
		})
	}
	t.Run("token in ACS3", func(t *testing.T) {
		t.Parallel()
		h := newHarness(t)
		h.sim.SetCredentials(Credential{AccessKeyID: testKey, AccessKeySecret: testSecret, SecurityToken: "tok"})
		build := func(headers ...string) *http.Request {
			return h.acs3("ListSnapshots", httptest.NewRequest("POST", "http://swas.test/?RegionId=cn-hangzhou", nil), "",
				headers...)
		}
		h.want(h.do(build("x-acs-security-token", "tok")), "")
		h.want(h.do(build("x-acs-security-token", "tox")), "InvalidSecurityToken.MismatchWithAccessKey")
		h.want(h.do(build()), "MissingSecurityToken")
	})
}

// The real gateway repeats the string to sign, and with it the access key ID: clients must be able to meet that here.
func TestSignatureMismatchRepeatsStringToSign(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.sim.SetCredentials(Credential{AccessKeyID: testKey, AccessKeySecret: "another"})
	r := h.call("ListSnapshots")
	if !strings.Contains(r.text("Message"), "server string to sign is:POST&%2F&AccessKeyId%3Dtest-key%26") {
		t.Errorf("message = %q", r.text("Message"))
	}
	if strings.Contains(r.raw, "another") {
		t.Error("the answer holds the secret")
	}
}

func TestErrorForm(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	query := signed("POST", h.common("DeleteSnapshot", "SnapshotId", "s-none")).Encode()
	r := h.do(httptest.NewRequest("POST", "http://swas.test:8080/?"+query, nil))
	h.want(r, "InvalidSnapshotId.NotFound")
	id := r.text("RequestId")
	want := map[string]any{
		"RequestId": id,
		"HostId":    "swas.test:8080",
		"Code":      "InvalidSnapshotId.NotFound",
		"Message":   "The specified SnapshotId does not exist.",
		"Recommend": "https://api.aliyun.com/troubleshoot?q=InvalidSnapshotId.NotFound&product=SWAS-OPEN&requestId=" + id,
	}
	if fmt.Sprint(r.body) != fmt.Sprint(want) || r.status != 404 {
		t.Errorf("%d %v\nwant 404 %v", r.status, r.body, want)
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`)
	seen := make(map[string]bool)
	h := newHarness(t)
	for range 500 {
		id := h.call("ListSnapshots").text("RequestId")
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("request ID %q", id)
		}
		seen[id] = true
	}
}

func TestSeedMakesIDs(t *testing.T) {
	t.Parallel()
	id := func(seed uint64) string {
		h := newHarness(t, func(c *Config) { c.Seed = seed })
		return h.create("d-web", "one")
	}
	if first, again := id(1), id(1); first != again {
		t.Error("equal seeds give different IDs")
	}
	if id(1) == id(2) {
		t.Error("different seeds give equal IDs")
	}
	if !regexp.MustCompile(`^s-[0-9a-z]{20}$`).MatchString(id(1)) {
		t.Errorf("ID %q", id(1))
	}
}

func TestThrottling(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.CallsPerMinute = 3 })
	call := func(after time.Duration, code string) {
		t.Helper()
		h.clock.advance(after)
		h.want(h.call("ListSnapshots"), code)
	}
	call(0, "")
	call(20*time.Second, "")
	call(20*time.Second, "")
	call(20*time.Second-1, "Throttling.User")
	h.want(h.call("ListDisks"), "") // each action has its own limit
	call(1, "")                     // 60 seconds after the first
	call(20*time.Second-1, "Throttling.User")
	call(1, "")
	call(time.Minute, "")
	call(-time.Hour, "") // a clock that is set back does not block for an hour
}

func TestDeniedAction(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Credentials[0].Actions = TakeActions })
	id := h.sim.AddSnapshot(Snapshot{DiskID: "d-web"})
	if r := h.want(h.call("DeleteSnapshot", "SnapshotId", id), "NoPermission"); r.status != 403 {
		t.Errorf("status = %d", r.status)
	}
	h.want(h.call("DeleteSnapshots", "SnapshotIds", `["`+id+`"]`), "NoPermission")
	h.want(h.call("ListSnapshots"), "")
	h.sim.SetCredentials(Credential{AccessKeyID: testKey, AccessKeySecret: testSecret, Actions: SweepActions})
	h.want(h.call("DeleteSnapshot", "SnapshotId", id), "")
}

func TestRegionOfHost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ host, region, code string }{
		"its own":           {"swas.cn-hangzhou.aliyuncs.com", "cn-hangzhou", ""},
		"in capitals":       {"SWAS.cn-hangzhou.aliyuncs.com:443", "cn-hangzhou", ""},
		"another":           {"swas.cn-shanghai.aliyuncs.com", "cn-hangzhou", "RegionIdNotMatchHost"},
		"another, by VPC":   {"swas-vpc.cn-shanghai.aliyuncs.com:443", "cn-hangzhou", "RegionIdNotMatchHost"},
		"another, unknown":  {"swas.cn-shanghai.aliyuncs.com", "xx-nowhere-1", "RegionIdNotMatchHost"},
		"another, bad form": {"swas.cn-shanghai.aliyuncs.com", "Shanghai", "InvalidRegionId"},
		"loopback":          {"127.0.0.1:9000", "cn-hangzhou", ""},
		"loopback by name":  {"localhost", "cn-shanghai", ""},
		"loopback, unknown": {"[::1]:80", "xx-nowhere-1", "InvalidRegionId.NotFound"},
		"another service":   {"sts.cn-shanghai.aliyuncs.com", "cn-hangzhou", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			query := signed("POST", h.common("ListSnapshots", "RegionId", c.region)).Encode()
			request := httptest.NewRequest("POST", "/?"+query, nil)
			request.Host = c.host
			h.want(h.do(request), c.code)
		})
	}
}

func TestThrottlingSwitches(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ perMinute, pass int }{"three": {3, 3}, "none": {Unlimited, 50}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, func(config *Config) { config.CallsPerMinute = c.perMinute })
			passed := 0
			for range 50 {
				if h.call("ListDisks").code() == "" {
					passed++
				}
			}
			if passed != c.pass {
				t.Errorf("%d calls passed, want %d", passed, c.pass)
			}
		})
	}
}

// A refused signature must not use up the account's calls.
func TestForgeriesDoNotThrottle(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.CallsPerMinute = 1 })
	for range 5 {
		values := signed("POST", h.common("ListSnapshots"))
		values.Set("Signature", "wrong")
		h.want(h.do(httptest.NewRequest("POST", "/?"+values.Encode(), nil)), "SignatureDoesNotMatch")
	}
	h.want(h.call("ListSnapshots"), "")
}

func TestWallClockIsApart(t *testing.T) {
	t.Parallel()
	wall := &clock{at: start.AddDate(1, 0, 0)}
	h := newHarness(t, func(c *Config) { c.Wall = wall.now })
	h.want(h.call("ListSnapshots"), "InvalidTimeStamp.Expired")
	h.want(h.call("ListSnapshots", "Timestamp", wall.now().Format(timestampForm)), "")
}

func TestMergeRefusesTwoValues(t *testing.T) {
	t.Parallel()
	same, refusal := merge(url.Values{"A": {"1"}}, url.Values{"A": {"1"}, "B": {"2"}})
	if refusal != nil || len(same) != 2 {
		t.Errorf("equal values: %v, %v", same, refusal)
	}
	if _, refusal = merge(url.Values{"A": {"1"}}, url.Values{"A": {"2"}}); refusal == nil {
		t.Error("two values pass")
	}
}

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		credential Credential
		kind, arn  string
		id         string // the element that only this kind has
	}{
		"user": {Credential{}, "RAMUser", "acs:ram::1234567890123456:user/swas-snapshot", "UserId"},
		"without right": {Credential{Actions: []string{"ListDisks"}}, "RAMUser",
			"acs:ram::1234567890123456:user/swas-snapshot", "UserId"},
		"account": {Credential{ARN: "acs:ram::99:root"}, "Account", "acs:ram::99:root", "UserId"},
		"role": {Credential{SecurityToken: "tok"}, "AssumedRoleUser",
			"acs:ram::1234567890123456:assumed-role/swas-snapshot/session", "RoleId"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.credential.AccessKeyID, c.credential.AccessKeySecret = testKey, testSecret
			h := newHarness(t, func(config *Config) { config.Credentials = []Credential{c.credential} })
			r := h.want(h.call("GetCallerIdentity", "Version", stsVersion, "SecurityToken", c.credential.SecurityToken), "")
			if r.text("IdentityType") != c.kind || r.text("Arn") != c.arn || r.text("AccountId") == "" ||
				r.text("PrincipalId") == "" || r.text(c.id) == "" {
				t.Errorf("got %s", r.raw)
			}
		})
	}
	t.Run("the version of the other API", func(t *testing.T) {
		t.Parallel()
		h := newHarness(t)
		h.want(h.call("GetCallerIdentity"), "InvalidAction.NotFound")
		h.want(h.call("ListDisks", "Version", stsVersion), "InvalidAction.NotFound")
	})
}
