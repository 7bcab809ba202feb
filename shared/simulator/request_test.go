package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// The vendor's example of signature version 1.0, from its page "Request syntax and signature method V2 for RPC APIs".
func TestSignV1PublishedVector(t *testing.T) {
	t.Parallel()
	params := map[string]string{
		"AccessKeyId":      "testid",
		"Action":           "DescribeRegions",
		"Format":           "XML",
		"SignatureMethod":  "HMAC-SHA1",
		"SignatureNonce":   "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
		"SignatureVersion": "1.0",
		"Timestamp":        "2016-02-23T12:46:24Z",
		"Version":          "2014-05-26",
	}
	const wantToSign = "GET&%2F&AccessKeyId%3Dtestid%26Action%3DDescribeRegions%26Format%3DXML" +
		"%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0" +
		"%26Timestamp%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26"
	toSign := v1StringToSign(http.MethodGet, params)
	if toSign != wantToSign {
		t.Errorf("string to sign\n got %s\nwant %s", toSign, wantToSign)
	}
	if got, want := signV1("testsecret", toSign), "OLeaidS1JvxuMvnyHOwuJ+uX5qY="; got != want {
		t.Errorf("signature = %s, want %s", got, want)
	}
}

// The vendor's example of ACS3, from its page "Request syntax and signature method V3", through the decoder.
func TestSignACS3PublishedVector(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost,
		"http://ecs.cn-shanghai.aliyuncs.com/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"+
			"&RegionId=cn-shanghai", nil)
	for name, value := range map[string]string{
		"x-acs-action":          "RunInstances",
		"x-acs-version":         "2014-05-26",
		"x-acs-date":            "2023-10-26T10:22:32Z",
		"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
		"x-acs-content-sha256":  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"Authorization": "ACS3-HMAC-SHA256 Credential=YourAccessKeyId," +
			"SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
			"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
	} {
		r.Header.Set(name, value)
	}
	q, refusal := decode(r)
	if refusal != nil {
		t.Fatal(refusal)
	}
	const wantToSign = "ACS3-HMAC-SHA256\n7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
	if q.toSign != wantToSign {
		t.Errorf("string to sign = %q, want %q", q.toSign, wantToSign)
	}
	if got := q.sign("YourAccessKeySecret", q.toSign); got != q.signature {
		t.Errorf("signature = %s, want %s", got, q.signature)
	}
	if q.action != "RunInstances" || q.accessKeyID != "YourAccessKeyId" || q.params["RegionId"] != "cn-shanghai" {
		t.Errorf("decoded %+v", q)
	}
}

func TestPercentEncode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":          "",
		"a b":       "a%20b",
		"a+b":       "a%2Bb",
		"*":         "%2A",
		"-_.~":      "-_.~",
		"/:=&?!'()": "%2F%3A%3D%26%3F%21%27%28%29",
		"快照":        "%E5%BF%AB%E7%85%A7",
	} {
		if got := percentEncode(text); got != want {
			t.Errorf("percentEncode(%q) = %q, want %q", text, got, want)
		}
	}
}

// awkward is a tag value that every client spells in its own way.
const awkward = "a b*c~d+e/快照=&"

// shapes build one ListSnapshots with a tag filter in each of the wire shapes of real clients.
var shapes = map[string]func(h *harness) *http.Request{
	"POST query": func(h *harness) *http.Request {
		values := signed("POST", h.common("ListSnapshots", "Tag.1.Key", "k", "Tag.1.Value", awkward))
		return form(httptest.NewRequest("POST", "/?"+values.Encode(), nil))
	},
	"POST query, spaces as %20": func(h *harness) *http.Request {
		values := signed("POST", h.common("ListSnapshots", "Tag.1.Key", "k", "Tag.1.Value", awkward))
		return httptest.NewRequest("POST", "/?"+strings.ReplaceAll(values.Encode(), "+", "%20"), nil)
	},
	"GET query": func(h *harness) *http.Request {
		values := signed("GET", h.common("ListSnapshots", "Tag.1.Key", "k", "Tag.1.Value", awkward))
		return httptest.NewRequest("GET", "/?"+strings.ReplaceAll(values.Encode(), "%2A", "*"), nil)
	},
	"POST query and form": func(h *harness) *http.Request {
		query := signed("POST", h.common("ListSnapshots", "Tag.1.Key", "k", "Tag.1.Value", awkward))
		body := url.Values{}
		for _, name := range []string{"RegionId", "Tag.1.Key", "Tag.1.Value"} {
			body.Set(name, query.Get(name))
			query.Del(name)
		}
		return form(httptest.NewRequest("POST", "/?"+query.Encode(), strings.NewReader(body.Encode())))
	},
	"POST form": func(h *harness) *http.Request {
		values := signed("POST", h.common("ListSnapshots", "Tag.1.Key", "k", "Tag.1.Value", awkward))
		return form(httptest.NewRequest("POST", "/", strings.NewReader(values.Encode())))
	},
	"ACS3 query": func(h *harness) *http.Request {
		query := url.Values{"RegionId": {"cn-hangzhou"}, "Tag.1.Key": {"k"}, "Tag.1.Value": {awkward}}
		return h.acs3("ListSnapshots", httptest.NewRequest("POST", "http://swas.test/?"+query.Encode(), nil), "")
	},
	"ACS3 form": func(h *harness) *http.Request {
		body := url.Values{"RegionId": {"cn-hangzhou"}, "Tag.1.Key": {"k"}, "Tag.1.Value": {awkward}}.Encode()
		return h.acs3("ListSnapshots", form(httptest.NewRequest("POST", "http://swas.test/", strings.NewReader(body))), body)
	},
}

func form(r *http.Request) *http.Request {
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// acs3 signs a request with the given body; headers are added before the signature.
func (h *harness) acs3(action string, r *http.Request, body string, headers ...string) *http.Request {
	h.nonce++
	sum := sha256.Sum256([]byte(body))
	r.Header.Set("x-acs-action", action)
	r.Header.Set("x-acs-version", apiVersion)
	r.Header.Set("x-acs-date", h.clock.now().UTC().Format(timestampForm))
	r.Header.Set("x-acs-signature-nonce", h.t.Name()+string(rune('a'+h.nonce)))
	r.Header.Set("x-acs-content-sha256", hex.EncodeToString(sum[:]))
	names := []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date"}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		names = append(names, headers[i])
	}
	names = append(names, "x-acs-signature-nonce", "x-acs-version")
	query := r.URL.Query()
	r.Header.Set("Authorization", acs3Algorithm+" Credential="+testKey+",SignedHeaders="+strings.Join(names, ";")+
		",Signature="+signACS3(testSecret, acs3StringToSign(r, query, names)))
	return r
}

func TestEveryWireShape(t *testing.T) {
	t.Parallel()
	for name, build := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			want := h.sim.AddSnapshot(Snapshot{DiskID: "d-web", Tags: []Tag{{"k", awkward}}})
			h.sim.AddSnapshot(Snapshot{DiskID: "d-web", Tags: []Tag{{"k", "other"}}})
			got := h.want(h.do(build(h)), "").column("Snapshots", "SnapshotId")
			if len(got) != 1 || got[0] != want {
				t.Errorf("snapshots = %v, want %s", got, want)
			}
		})
	}
}

// What a forger or a broken client may change about a signed request, and the refusal.
func TestSignatureMutations(t *testing.T) {
	t.Parallel()
	edit := func(name, value string) func(url.Values) { return func(v url.Values) { v.Set(name, value) } }
	for name, c := range map[string]struct {
		mutate func(url.Values)
		code   string
	}{
		"parameter changed":    {edit("DiskId", "d-other"), "SignatureDoesNotMatch"},
		"parameter added":      {edit("SnapshotIds", `["s-1"]`), "SignatureDoesNotMatch"},
		"parameter removed":    {func(v url.Values) { v.Del("DiskId") }, "SignatureDoesNotMatch"},
		"action changed":       {edit("Action", "ListDisks"), "SignatureDoesNotMatch"},
		"nonce changed":        {edit("SignatureNonce", "n"), "SignatureDoesNotMatch"},
		"timestamp changed":    {edit("Timestamp", "2026-03-09T07:12:50Z"), "SignatureDoesNotMatch"},
		"empty type dropped":   {func(v url.Values) { v.Del("SignatureType") }, "SignatureDoesNotMatch"},
		"token added":          {edit("SecurityToken", "t"), "SignatureDoesNotMatch"},
		"signature changed":    {edit("Signature", "OLeaidS1JvxuMvnyHOwuJ+uX5qY="), "SignatureDoesNotMatch"},
		"signature truncated":  {func(v url.Values) { v.Set("Signature", v.Get("Signature")[:20]) }, "SignatureDoesNotMatch"},
		"signature lengthened": {func(v url.Values) { v.Set("Signature", v.Get("Signature")+"=") }, "SignatureDoesNotMatch"},
		"signature missing":    {func(v url.Values) { v.Del("Signature") }, "MissingSignature"},
		"key missing":          {func(v url.Values) { v.Del("AccessKeyId") }, "MissingAccessKeyId"},
		"key unknown":          {edit("AccessKeyId", "other"), "InvalidAccessKeyId.NotFound"},
		"nonce missing":        {func(v url.Values) { v.Del("SignatureNonce") }, "MissingSignatureNonce"},
		"timestamp missing":    {func(v url.Values) { v.Del("Timestamp") }, "MissingTimestamp"},
		"method missing":       {func(v url.Values) { v.Del("SignatureMethod") }, "MissingSignatureMethod"},
		"method unknown":       {edit("SignatureMethod", "HMAC-SHA256"), "InvalidSignatureMethod"},
		"version of signature": {edit("SignatureVersion", "2.0"), "InvalidSignatureVersion"},
		"doubled parameter":    {func(v url.Values) { v.Add("DiskId", "d-other") }, "InvalidDiskId"},
		"lower-case parameter": {func(v url.Values) { v.Set("diskid", "d-web"); v.Del("DiskId") }, "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			values := signed("POST", h.common("ListSnapshots", "DiskId", "d-web"))
			c.mutate(values)
			h.want(h.do(httptest.NewRequest("POST", "/?"+values.Encode(), nil)), c.code)
		})
	}
	t.Run("method", func(t *testing.T) {
		t.Parallel()
		h := newHarness(t)
		values := signed("POST", h.common("ListSnapshots"))
		h.want(h.do(httptest.NewRequest("GET", "/?"+values.Encode(), nil)), "SignatureDoesNotMatch")
	})
}

func TestACS3Mutations(t *testing.T) {
	t.Parallel()
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, c := range map[string]struct {
		mutate func(*http.Request)
		code   string
	}{
		"host changed":    {func(r *http.Request) { r.Host = "evil.test" }, "SignatureDoesNotMatch"},
		"query changed":   {func(r *http.Request) { r.URL.RawQuery = "RegionId=cn-shanghai" }, "SignatureDoesNotMatch"},
		"action changed":  {set("x-acs-action", "ListDisks"), "SignatureDoesNotMatch"},
		"date changed":    {set("x-acs-date", "2026-03-09T07:12:50Z"), "SignatureDoesNotMatch"},
		"nonce changed":   {set("x-acs-signature-nonce", "n"), "SignatureDoesNotMatch"},
		"hash changed":    {set("x-acs-content-sha256", strings.Repeat("0", 64)), "IncompleteSignature"},
		"unsigned header": {set("x-acs-security-token", "t"), "IncompleteSignature"},
		"other algorithm": {set("Authorization", "ACS3-HMAC-SM3 Credential=a,SignedHeaders=host,Signature=b"),
			"IncompleteSignature"},
		"bearer": {set("Authorization", "Bearer abc"), "IncompleteSignature"},
		"no signature": {set("Authorization", "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host"),
			"IncompleteSignature"},
		"doubled credential": {set("Authorization",
			"ACS3-HMAC-SHA256 Credential=a,Credential=b,SignedHeaders=host,Signature=b"), "IncompleteSignature"},
		"other version":       {set("x-acs-version", "2014-05-26"), "InvalidVersion"},
		"action removed":      {func(r *http.Request) { r.Header.Del("x-acs-action") }, "MissingAction"},
		"nonce removed":       {func(r *http.Request) { r.Header.Del("x-acs-signature-nonce") }, "MissingSignatureNonce"},
		"V1 signature beside": {func(r *http.Request) { r.URL.RawQuery += "&Signature=x" }, "SignatureDoesNotMatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			r := h.acs3("ListSnapshots", httptest.NewRequest("POST", "http://swas.test/?RegionId=cn-hangzhou", nil), "")
			c.mutate(r)
			h.want(h.do(r), c.code)
		})
	}
	t.Run("body changed", func(t *testing.T) {
		t.Parallel()
		h := newHarness(t)
		r := form(httptest.NewRequest("POST", "http://swas.test/", strings.NewReader("RegionId=cn-shanghai")))
		h.want(h.do(h.acs3("ListSnapshots", r, "RegionId=cn-hangzhou")), "IncompleteSignature")
	})
}
