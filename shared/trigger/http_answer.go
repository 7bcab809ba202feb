package trigger

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// answer records what a handler writes.
type answer struct {
	id     string      // the platform's ID of the request
	header http.Header // as the handler sees it
	sent   http.Header // as it was when the status was written; nil before
	status int
	body   bytes.Buffer
}

func newAnswer(requestID string) *answer { return &answer{id: requestID, header: make(http.Header)} }

// RequestID returns the platform's ID of the request; problem documents carry it.
func (a *answer) RequestID() string { return a.id }

// Header returns the headers; changes after the first write are lost, as in net/http.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader fixes status and headers, once. Informational statuses have no place in an event's answer.
func (a *answer) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid status %d", status))
	}
	if a.sent != nil || status < 200 {
		return
	}
	a.status, a.sent = status, a.header.Clone()
}

// Write adds to the body, with status 200 unless another was written.
func (a *answer) Write(data []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if !bodyAllowed(a.status) {
		return 0, http.ErrBodyNotAllowed
	}
	return a.body.Write(data)
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// platformHeaders are set by the platform, for the connection that it holds.
var platformHeaders = []string{"Connection", "Content-Length", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade"}

// httpAnswer is the answer in the form that both platforms read.
type httpAnswer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	Body            string            `json:"body"`
	Cookies         []string          `json:"cookies,omitempty"` // Lambda only
}

// encode returns the recorded answer in the form of the platform that sent e.
func (a *answer) encode(e httpEvent) (json.RawMessage, error) {
	a.WriteHeader(http.StatusOK)
	header, body := a.sent, a.body.Bytes()
	for _, name := range platformHeaders {
		header.Del(name)
	}
	setDefault(header, "Content-Type", http.DetectContentType(body))
	setDefault(header, "X-Content-Type-Options", "nosniff")
	setDefault(header, "Cache-Control", "no-store")
	out := httpAnswer{StatusCode: a.status, Headers: make(map[string]string, len(header))}
	if !e.onFC() {
		out.Cookies = header.Values("Set-Cookie")
		header.Del("Set-Cookie")
	}
	for name, values := range header {
		if e.onFC() && strings.HasPrefix(strings.ToLower(name), "x-fc-") {
			continue // Function Compute keeps the prefix for itself
		}
		out.Headers[name] = strings.Join(values, ", ")
	}
	switch {
	case e.RequestContext.HTTP.Method == http.MethodHead:
	case utf8.Valid(body):
		out.Body = string(body)
	default:
		out.Body, out.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("failed to encode answer: %w", err)
	}
	return data, nil
}

func setDefault(header http.Header, name, value string) {
	if header.Get(name) == "" {
		header.Set(name, value)
	}
}
