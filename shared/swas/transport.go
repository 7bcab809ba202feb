package swas

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// answerLimit is the largest answer that is read: a full page of snapshots with 20 tags each stays below it.
const answerLimit = 1 << 20

// errTooLarge is the end of an answer beyond answerLimit.
var errTooLarge = errors.New("the answer exceeds 1 MiB")

// redirected is an answer that sends us elsewhere. The API never does, and a signed request must not follow.
type redirected struct{ status int }

func (r *redirected) Error() string { return fmt.Sprintf("the endpoint redirects (HTTP %d)", r.status) }

// sharedTransport is the one transport of all clients, made at the first call. It speaks HTTP/1.1, which the API
// answers best: a function makes one call at a time. Idle connections are dropped early, because a frozen instance
// wakes up with connections that are long dead. ProxyFromEnvironment never sends loopback hosts to a proxy.
var sharedTransport = sync.OnceValue(func() http.RoundTripper {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     30 * time.Second,
	}
})

// carrier is the http.RoundTripper of one call. It carries the context that the SDK does not know, refuses
// redirects and caps the answer. The SDK changes an *http.Transport that it is given; a carrier it leaves alone.
type carrier struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip sends one request under the context of the call.
func (c *carrier) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request.WithContext(c.ctx))
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 3 {
		_ = response.Body.Close()
		return nil, &redirected{response.StatusCode}
	}
	response.Body = &capped{ReadCloser: response.Body, left: answerLimit}
	return response, nil
}

// capped is a body that fails after so many bytes, where io.LimitReader would pretend that it ended.
type capped struct {
	io.ReadCloser
	left int
}

// Read reads on, or fails with errTooLarge.
func (c *capped) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.left -= n; c.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
