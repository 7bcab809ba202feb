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

// response records what a handler writes. It is an [http.ResponseWriter].
type response struct {
	id     string      // of the request, given by the platform
	header http.Header // as the handler sees it
	sent   http.Header // as it was when the status was written; nil before
	status int
	body   bytes.Buffer
}

func newResponse(requestID string) *response {
	return &response{id: requestID, header: make(http.Header)}
}

// RequestID returns the platform's ID of the request; problem documents carry it.
func (w *response) RequestID() string { return w.id }

// Header returns the headers; changes after the first write have no effect, as in net/http.
func (w *response) Header() http.Header { return w.header }

// WriteHeader fixes status and headers, once. Informational statuses have no place in an event's answer.
func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("invalid status %d", status))
	}
	if w.sent != nil || status < 200 {
		return
	}
	w.status, w.sent = status, w.header.Clone()
}

// Write adds to the body, with status 200 unless another was written.
func (w *response) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	return w.body.Write(data)
}

// platformHeaders are set by the platform, for the connection that it holds.
var platformHeaders = []string{"Connection", "Content-Length", "Keep-Alive", "Trailer", "Transfer-Encoding", "Upgrade"}

// httpResponse is an answer in the form that both platforms read.
type httpResponse struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	Body            string            `json:"body"`
	Cookies         []string          `json:"cookies,omitempty"` // Lambda only
}

// encode returns the recorded answer in the form of the platform that sent e.
func (w *response) encode(e httpEvent) (json.RawMessage, error) {
	w.WriteHeader(http.StatusOK)
	header, body := w.sent, w.body.Bytes()
	for _, name := range platformHeaders {
		header.Del(name)
	}
	setDefault(header, "Content-Type", http.DetectContentType(body))
	setDefault(header, "X-Content-Type-Options", "nosniff")
	setDefault(header, "Cache-Control", "no-store")
	out := httpResponse{StatusCode: w.status, Headers: make(map[string]string, len(header))}
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
