package swas_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

const region = "cn-hangzhou"

// signer is made up, and distinctive enough to be found in any text that it leaks into.
var signer = credentials.Credentials{AccessKeyID: "made-up-key-id", AccessKeySecret: "made-up/secret+1",
	SecurityToken: "made-up/token+2=="}

// wire is an http.RoundTripper in place of the network: it remembers the queries and answers from a script, whose
// last line it repeats.
type wire struct {
	mu      sync.Mutex
	queries []url.Values
	urls    []*url.URL
	script  []reply
}

type reply struct {
	status int
	body   string
}

func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := min(len(w.queries), len(w.script)-1)
	w.queries, w.urls = append(w.queries, request.URL.Query()), append(w.urls, request.URL)
	return &http.Response{
		StatusCode: w.script[at].status,
		Proto:      "HTTP/1.1",
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(w.script[at].body)),
		Request:    request,
	}, nil
}

func (w *wire) calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queries)
}

// newClient returns a client whose network is the script.
func newClient(t testing.TB, script ...reply) (*swas.Client, *wire) {
	t.Helper()
	network := &wire{script: script}
	return clientOf(t, settings{transport: network}), network
}

// settings of a client; each has a default.
type settings struct {
	endpoint  string
	provider  swas.Provider
	transport http.RoundTripper
	timeout   time.Duration
}

// clientOf returns a client with settings.
func clientOf(t testing.TB, s settings) *swas.Client {
	t.Helper()
	if s.provider == nil {
		s.provider = swas.Static(signer)
	}
	client, err := swas.New(s.endpoint, s.provider)
	if err != nil {
		t.Fatal(err)
	}
	if s.transport != nil {
		client.SetTransport(s.transport)
	}
	if s.timeout != 0 {
		client.SetTimeout(s.timeout)
	}
	return client
}

func create(ctx context.Context, client *swas.Client) (snapshot.Created, error) {
	return client.CreateSnapshot(ctx, snapshot.Request{
		RegionID: region, DiskID: "d-bp18kjxg9ebrhsgi0001", SnapshotName: "daily-web-1", ClientToken: "sn1-abc",
	})
}

// apiError requires an error of the API's type that shows nothing secret.
func apiError(t testing.TB, err error) *snapshot.APIError {
	t.Helper()
	var answer *snapshot.APIError
	if !errors.As(err, &answer) {
		t.Fatalf("got error %v of type %T, want *snapshot.APIError", err, err)
	}
	requireClean(t, answer.Error())
	return answer
}

// requireClean refuses a text that shows a part of the credentials or of a signed URL.
func requireClean(t testing.TB, text string) {
	t.Helper()
	for _, secret := range []string{signer.AccessKeyID, signer.AccessKeySecret, signer.SecurityToken} {
		for _, form := range []string{secret, url.QueryEscape(secret), url.QueryEscape(url.QueryEscape(secret))} {
			if strings.Contains(text, form) {
				t.Errorf("%q shows the credentials", text)
			}
		}
	}
	if strings.Contains(text, "Signature=") {
		t.Errorf("%q shows a signed URL", text)
	}
}
