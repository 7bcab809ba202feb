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

// errTooLarge is the error of reading an answer beyond answerLimit.
var errTooLarge = errors.New("the answer exceeds 1 MiB")

// redirectError is the error of an answer that redirects. The API never does, and a signed request must not follow.
type redirectError struct{ status int }

func (r *redirectError) Error() string {
	return fmt.Sprintf("the endpoint redirects (HTTP %d)", r.status)
}

// sharedTransport is the one transport of all clients, made at the first call. It speaks HTTP/1.1, which the API
// answers best: a function makes one call at a time. Idle connections are dropped early, because a frozen instance
// resumes with connections that are closed at the other end. ProxyFromEnvironment never sends loopback hosts to a
// proxy.
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

// callTransport is the http.RoundTripper of one call. It adds the context, of which the SDK knows nothing, refuses
// redirects and limits the size of the answer. The SDK changes an *http.Transport that it is given, but no other type.
type callTransport struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip sends one request under the context of the call.
func (c *callTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(request.WithContext(c.ctx))
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 3 {
		_ = response.Body.Close()
		return nil, &redirectError{response.StatusCode}
	}
	response.Body = &limitedBody{ReadCloser: response.Body, left: answerLimit}
	return response, nil
}

// limitedBody is a body that fails after so many bytes, where io.LimitReader would end as if it were whole.
type limitedBody struct {
	io.ReadCloser
	left int
}

// Read reads on, or fails with errTooLarge.
func (c *limitedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.left -= n; c.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
