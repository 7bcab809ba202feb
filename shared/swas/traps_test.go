package swas_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// Each test of this file closes one trap of the SDK, in the order of the list that the project keeps of them.

const done = `{"SnapshotId":"s-1","RequestId":"R-1"}`

func TestTrapEveryParameterIsSentAndSigned(t *testing.T) {
	t.Parallel()
	client, network := newClient(t, reply{200, done})
	created, err := client.CreateSnapshot(t.Context(), snapshot.Request{
		RegionID: region, DiskID: "d-1", SnapshotName: "快照-1", ClientToken: "sn1-abc", ResourceGroupID: "rg-1",
		Tags: []snapshot.Tag{{Key: "team", Value: "web * +~"}},
	})
	if err != nil || created != (snapshot.Created{SnapshotID: "s-1", RequestID: "R-1"}) {
		t.Fatalf("got %+v, %v", created, err)
	}
	query := network.queries[0]
	for key, want := range map[string]string{
		"Action": "CreateSnapshot", "Version": "2020-06-01", "RegionId": region, "DiskId": "d-1",
		"SnapshotName": "快照-1",
		"ClientToken":  "sn1-abc", "ResourceGroupId": "rg-1", "Tag.1.Key": "team", "Tag.1.Value": "web * +~",
		"AccessKeyId": signer.AccessKeyID, "SecurityToken": signer.SecurityToken,
	} {
		if got := query.Get(key); got != want {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
	if got, want := query.Get("Signature"), signature(query, signer.AccessKeySecret); got != want {
		t.Errorf("signature: got %s, want %s", got, want)
	}
}

// signature signs a query as the documents of the RPC style say: POST, and RFC 3986 escapes.
func signature(query url.Values, secret string) string {
	signed := url.Values{}
	for key, values := range query {
		if key != "Signature" {
			signed[key] = values
		}
	}
	rfc3986 := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte("POST&%2F&" + rfc3986.Replace(url.QueryEscape(rfc3986.Replace(signed.Encode())))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestTrapHTTPSAndRegionalHost(t *testing.T) {
	t.Parallel()
	client, network := newClient(t, reply{200, done})
	if _, err := create(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	if got := network.urls[0]; got.Scheme != "https" || got.Host != "swas.cn-hangzhou.aliyuncs.com" {
		t.Errorf("got %s://%s", got.Scheme, got.Host)
	}
}

func TestTrapManyCallsRaceNotAndShareConnections(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"SnapshotId":"s-%s","RequestId":"R"}`, r.URL.Query().Get("DiskId"))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := clientOf(t, settings{endpoint: server.URL})

	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 5 {
				disk := fmt.Sprint("d-", i)
				created, err := client.CreateSnapshot(t.Context(), snapshot.Request{RegionID: region, DiskID: disk})
				if err != nil || created.SnapshotID != "s-"+disk {
					t.Errorf("disk %s: got %+v, %v", disk, created, err)
				}
			}
		})
	}
	group.Wait()

	before := connections.Load()
	for range 5 {
		if _, err := create(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	if opened := connections.Load() - before; opened != 0 {
		t.Errorf("5 calls one after the other opened %d connections, want those that are open", opened)
	}
}

func TestTrapContextIsHonoured(t *testing.T) {
	t.Parallel()
	arrived, ended := make(chan struct{}, 2), make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	}))
	t.Cleanup(server.Close)

	t.Run("cancel", func(t *testing.T) {
		client := clientOf(t, settings{endpoint: server.URL})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		_, err := create(ctx, client)
		answer := apiError(t, err)
		if answer.Code != snapshot.CodeNoAnswer || !strings.Contains(answer.Message, "cancelled") {
			t.Errorf("got %v", answer)
		}
		<-ended
	})
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := create(ctx, clientOf(t, settings{endpoint: server.URL}))
		answer := apiError(t, err)
		if answer.Code != snapshot.CodeNoAnswer || !strings.Contains(answer.Message, "timeout") {
			t.Errorf("got %v", answer)
		}
		<-arrived
		<-ended
	})
	t.Run("before the deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		network := &clock{}
		_, _ = create(ctx, clientOf(t, settings{transport: network, timeout: time.Hour}))
		mine, _ := ctx.Deadline()
		if left := mine.Sub(network.deadline); left != time.Second {
			t.Errorf("the call leaves %v to its caller, want a second", left)
		}
	})
	t.Run("timeout of the client", func(t *testing.T) {
		client := clientOf(t, settings{endpoint: server.URL, timeout: 50 * time.Millisecond})
		_, err := create(t.Context(), client)
		answer := apiError(t, err)
		if answer.Code != snapshot.CodeNoAnswer || !strings.Contains(answer.Message, "timeout") {
			t.Errorf("got %v", answer)
		}
		<-arrived
		<-ended
	})
	t.Run("no time left", func(t *testing.T) {
		client, network := newClient(t, reply{200, done})
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
		defer cancel()
		_, err := create(ctx, client)
		if answer := apiError(t, err); answer.Code != snapshot.CodeNoAnswer || network.calls() != 0 {
			t.Errorf("got %v after %d calls", answer, network.calls())
		}
	})
}

// clock is a network that remembers until when a call may take.
type clock struct{ deadline time.Time }

func (c *clock) RoundTrip(r *http.Request) (*http.Response, error) {
	c.deadline, _ = r.Context().Deadline()
	return nil, io.EOF
}

func TestTrapBigAnswersAndRedirectsAreRefused(t *testing.T) {
	t.Parallel()
	t.Run("big", func(t *testing.T) {
		client, _ := newClient(t, reply{200, `{"SnapshotId":"s-1","RequestId":"` + strings.Repeat("x", 1<<20) + `"}`})
		_, err := create(t.Context(), client)
		answer := apiError(t, err)
		if answer.Code != snapshot.CodeNoAnswer || !strings.Contains(answer.Message, "1 MiB") {
			t.Errorf("got %v", answer)
		}
	})
	t.Run("as big as allowed", func(t *testing.T) {
		body := done + strings.Repeat(" ", 1<<20-len(done))
		client, _ := newClient(t, reply{200, body})
		if _, err := create(t.Context(), client); err != nil {
			t.Error(err)
		}
	})
	t.Run("redirect", func(t *testing.T) {
		var followed atomic.Bool
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				followed.Store(true)
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}))
		t.Cleanup(server.Close)
		_, err := create(t.Context(), clientOf(t, settings{endpoint: server.URL}))
		answer := apiError(t, err)
		if answer.Code != snapshot.CodeUnknownAnswer || answer.Status != 307 || followed.Load() {
			t.Errorf("got %v, followed %v", answer, followed.Load())
		}
	})
}

func TestTrapTransportErrorsAreRedacted(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(`{"SnapshotId":`))
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(cut.Close)
	strange := httptest.NewUnstartedServer(http.NotFoundHandler())
	strange.Config.ErrorLog = log.New(io.Discard, "", 0)
	strange.StartTLS()
	t.Cleanup(strange.Close)

	cases := map[string]struct {
		endpoint, cause string
		network         http.RoundTripper
	}{
		"refused":        {closed.URL, "connection refused", nil},
		"cut":            {cut.URL, "connection cut", nil},
		"no TLS":         {strings.Replace(cut.URL, "http:", "https:", 1), "does not speak TLS", nil},
		"not trusted":    {strange.URL, "not trusted", nil},
		"host and cause": {closed.URL, strings.TrimPrefix(closed.URL, "http://"), nil},
		"no such host":   {"https://swas.invalid", "host not found", failing{&net.DNSError{IsNotFound: true}}},
		"no route":       {"", "host unreachable", failing{syscall.EHOSTUNREACH}},
		"no network":     {"", "host unreachable", failing{syscall.ENETUNREACH}},
		"slow":           {"", "timeout", failing{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}}},
		"anything else": {"", "the connection failed",
			failing{errors.New("https://swas/?AccessKeyId=made-up-key-id")}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := create(t.Context(), clientOf(t, settings{endpoint: c.endpoint, transport: c.network}))
			answer := apiError(t, err)
			if answer.Code != snapshot.CodeNoAnswer || !strings.Contains(answer.Message, c.cause) {
				t.Errorf("got %v, want NoAnswer and %q", answer, c.cause)
			}
		})
	}
}

// failing is a network on which every call fails alike.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestTrapPanicsOfTheSDKAreRecovered(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reply reply
		code  string
	}{
		"code is a number": {reply{400, `{"Code":5,"Message":"m","RequestId":"R"}`}, snapshot.CodeUnknownAnswer},
		"message is an object": {reply{400, `{"Code":"IncorrectStatus","Message":{},"RequestId":"R"}`},
			snapshot.CodeIncorrectStatus},
		"id is a list": {reply{503, `{"Code":"ServiceUnavailable","RequestId":[]}`}, snapshot.CodeUnavailable},
		"detail is text": {reply{403, `{"Code":"Forbidden.RAM","AccessDeniedDetail":"x"}`},
			snapshot.CodeForbiddenRAM},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, c.reply)
			_, err := create(t.Context(), client)
			if answer := apiError(t, err); answer.Code != c.code || answer.Status != c.reply.status {
				t.Errorf("got %v, want %s", answer, c.code)
			}
		})
	}
	t.Run("before an answer", func(t *testing.T) {
		t.Parallel()
		_, err := create(t.Context(), clientOf(t, settings{transport: panicking{}}))
		if answer := apiError(t, err); answer.Code != snapshot.CodeInternal {
			t.Errorf("got %v", answer)
		}
	})
}

type panicking struct{}

func (panicking) RoundTrip(r *http.Request) (*http.Response, error) { panic(r.URL.String()) }

func TestTrapEmptySuccessIsNone(t *testing.T) {
	t.Parallel()
	bodies := map[string]struct{ body, code string }{
		"nothing":      {``, snapshot.CodeEmptyAnswer},
		"empty object": {`{}`, snapshot.CodeEmptyAnswer},
		"null":         {`null`, snapshot.CodeEmptyAnswer},
		"not JSON":     {`<html>ok</html>`, snapshot.CodeEmptyAnswer},
		"cut JSON":     {`{"RequestId":"R","SnapshotId":"s-1"`, snapshot.CodeEmptyAnswer},
		"code":         {`{"Code":"SnapshotLimitExceed","Message":"m","RequestId":"R"}`, snapshot.CodeLimitExceed},
		"code and proof": {`{"Code":"InternalError","SnapshotId":"s-1","RequestId":"R","Snapshots":[],"TotalCount":0}`,
			snapshot.CodeInternalError},
		"code no string":   {`{"Code":404,"SnapshotId":"s-1","RequestId":"R"}`, snapshot.CodeUnknownAnswer},
		"code with markup": {`{"Code":"<b>","RequestId":"R"}`, snapshot.CodeUnknownAnswer},
	}
	calls := map[string]func(*swas.Client) error{
		"CreateSnapshot": func(c *swas.Client) error { _, err := create(t.Context(), c); return err },
		"ListSnapshots":  func(c *swas.Client) error { _, err := c.ListSnapshots(t.Context(), region, 1); return err },
		"DeleteSnapshot": func(c *swas.Client) error {
			return swas.Deleter{Client: c}.DeleteSnapshot(t.Context(), region, "s-1", "t")
		},
		"ListDisks":         func(c *swas.Client) error { _, err := c.ListDisks(t.Context(), region, 1); return err },
		"TagResources":      func(c *swas.Client) error { return c.TagSnapshot(t.Context(), region, "s-1", nil) },
		"GetCallerIdentity": func(c *swas.Client) error { _, err := c.CallerIdentity(t.Context(), region); return err },
	}
	for name, b := range bodies {
		for action, do := range calls {
			t.Run(name+"/"+action, func(t *testing.T) {
				t.Parallel()
				client, _ := newClient(t, reply{200, b.body})
				if answer := apiError(t, do(client)); answer.Code != b.code || answer.Action != action {
					t.Errorf("got %v, want %s of %s", answer, b.code, action)
				}
			})
		}
	}
}

func TestTrapEmptyTagValuesAreSent(t *testing.T) {
	t.Parallel()
	tags := []snapshot.Tag{{Key: "team", Value: ""}, {Key: "app", Value: "shop"}}
	client, network := newClient(t, reply{200, done})
	request := snapshot.Request{RegionID: region, DiskID: "d-1", Tags: tags}
	if _, err := client.CreateSnapshot(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if err := client.TagSnapshot(t.Context(), region, "s-1", tags); err != nil {
		t.Fatal(err)
	}
	for i, query := range network.queries {
		if !query.Has("Tag.1.Value") || query.Get("Tag.1.Key") != "team" || query.Get("Tag.2.Value") != "shop" {
			t.Errorf("call %d: got %v", i, query)
		}
		if query.Get("Signature") != signature(query, signer.AccessKeySecret) {
			t.Errorf("call %d: the signature leaves out a tag", i)
		}
	}
	if query := network.queries[1]; query.Get("ResourceType") != "snapshot" || query.Get("ResourceId.1") != "s-1" {
		t.Errorf("got %v", query)
	}
}

func TestTrapNothingIsRetried(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]reply{
		"InternalError": {500, `{"Code":"InternalError","RequestId":"R"}`},
		"gateway":       {502, `<html></html>`},
		"throttled":     {400, `{"Code":"Throttling.User","RequestId":"R"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, network := newClient(t, r)
			if _, err := create(t.Context(), client); err == nil || network.calls() != 1 {
				t.Errorf("got %v after %d calls, want an error after 1", err, network.calls())
			}
		})
	}
}

func TestTrapRequestsAreNotReused(t *testing.T) {
	t.Parallel()
	client, network := newClient(t, reply{200, done})
	full := snapshot.Request{RegionID: region, DiskID: "d-1", ClientToken: "t",
		Tags: []snapshot.Tag{{Key: "a", Value: "b"}}}
	for _, request := range []snapshot.Request{full, {RegionID: "cn-shanghai", DiskID: "d-2"}} {
		if _, err := client.CreateSnapshot(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	first, second := network.queries[0], network.queries[1]
	if second.Has("Tag.1.Key") || second.Has("ClientToken") || second.Get("RegionId") != "cn-shanghai" {
		t.Errorf("the second call repeats the first: %v", second)
	}
	if first.Get("SignatureNonce") == second.Get("SignatureNonce") {
		t.Error("two calls have one nonce")
	}
	if got := network.urls[1].Host; got != "swas.cn-shanghai.aliyuncs.com" {
		t.Errorf("got host %s", got)
	}
}

func TestTrapRequestIDIsTrimmed(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t,
		reply{200, `{"SnapshotId":"s-1","RequestId":"20758A-585D\t"}`},
		reply{403, `{"Code":"Forbidden.RAM","Message":"m","RequestId":"20758A-585D\t"}`},
		reply{403, `{"Code":"Forbidden.RAM","Message":"m","RequestId":"<script>"}`})
	created, err := create(t.Context(), client)
	if err != nil || created.RequestID != "20758A-585D" {
		t.Errorf("got %+v, %v", created, err)
	}
	for _, want := range []string{"20758A-585D", ""} {
		_, err = create(t.Context(), client)
		if answer := apiError(t, err); answer.RequestID != want {
			t.Errorf("got %q, want %q", answer.RequestID, want)
		}
	}
}

func TestTrapAnswersWithoutACode(t *testing.T) {
	t.Parallel()
	page := "<html>" + signer.SecurityToken + "</html>"
	cases := map[string]struct {
		reply reply
		code  string
	}{
		"page 502":     {reply{502, page}, snapshot.CodeUnavailable},
		"page 503":     {reply{503, page}, snapshot.CodeUnavailable},
		"page 504":     {reply{504, ""}, snapshot.CodeUnavailable},
		"page 500":     {reply{500, page}, snapshot.CodeInternalError},
		"page 429":     {reply{429, page}, snapshot.CodeThrottling},
		"page 404":     {reply{404, page}, snapshot.CodeUnknownAnswer},
		"object 400":   {reply{400, `{}`}, snapshot.CodeUnknownAnswer},
		"a list 400":   {reply{400, `[]`}, snapshot.CodeUnknownAnswer},
		"empty code":   {reply{403, `{"Code":"","Message":"m"}`}, snapshot.CodeUnknownAnswer},
		"created, 201": {reply{201, done}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := newClient(t, c.reply)
			_, err := create(t.Context(), client)
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			answer := apiError(t, err)
			if answer.Code != c.code || answer.Status != c.reply.status || strings.Contains(answer.Message, "html") {
				t.Errorf("got %v with status %d, want %s", answer, answer.Status, c.code)
			}
		})
	}
}

// The provider, too, may use up the time of a call.
func TestTrapContextBoundsTheProvider(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	network := &wire{script: []reply{{200, done}}}
	provider := &renewing{fail: context.Canceled}
	_, err := create(ctx, clientOf(t, settings{provider: provider, transport: network}))
	answer := apiError(t, err)
	if answer.Code != snapshot.CodeNoAnswer || answer.Message != "no credentials: the call was cancelled" ||
		network.calls() != 0 {
		t.Errorf("got %v after %d calls", answer, network.calls())
	}
}

// No test beside it may run while the environment is changed, so this one is not parallel.
func TestTrapCredentialsOfTheEnvironmentAreNotGuessed(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "from-environment")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "from-environment")
	for name, given := range map[string]credentials.Credentials{
		"access key is missing":        {},
		"access key ID is missing":     {AccessKeySecret: "made-up"},
		"access key secret is missing": {AccessKeyID: "made-up"},
	} {
		network := &wire{script: []reply{{200, done}}}
		_, err := create(t.Context(), clientOf(t, settings{provider: swas.Static(given), transport: network}))
		answer := apiError(t, err)
		if answer.Code != snapshot.CodeNoCredentials || !strings.Contains(answer.Message, name) ||
			network.calls() != 0 {
			t.Errorf("%s: got %v after %d calls", name, answer, network.calls())
		}
	}
}

// The SDK prints every signed URL when DEBUG names it, and stumbles over proxies that other programs understand.
func TestTrapEnvironmentOfTheSDK(t *testing.T) {
	t.Run("DEBUG", func(t *testing.T) {
		t.Setenv("DEBUG", "http,sdk")
		_, err := swas.New("", swas.Static(signer))
		if known := snapshot.AsError(err); known == nil || known.Code != snapshot.CodeBadConfig {
			t.Errorf("got %v", err)
		}
	})
	t.Run("proxies", func(t *testing.T) {
		t.Setenv("HTTPS_PROXY", "http://user:%zz@proxy")
		t.Setenv("NO_PROXY", "(")
		client, _ := newClient(t, reply{200, done})
		if _, err := create(t.Context(), client); err != nil {
			t.Error(err)
		}
	})
}
