package wiring

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// exchange is what the log tells of a request over HTTP: never its query, its headers or its body.
type exchange struct {
	method string
	path   string // the pattern of the route; "": none, for a path may hold what a stranger wrote
	status int
	code   string // of the problem document, if the answer is one
}

// watched lets next answer a request and keeps what the log tells of it.
func watched(next http.Handler, keep func(*http.Request, exchange)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &watcher{ResponseWriter: w, status: http.StatusOK}
		if of, ok := r.Context().Value(invocationKey{}).(*recorder); ok {
			seen.of = of
		}
		answered := false
		defer func() {
			if !answered { // a panic: package trigger answers it
				seen.status, seen.code = http.StatusInternalServerError, snapshot.CodeInternal
			}
			keep(r, exchange{r.Method, r.Pattern, seen.status, seen.code})
		}()
		next.ServeHTTP(seen, r)
		answered = true
	})
}

// unseen returns the exchange of a request that no handler saw, by the answer to it: of such a request nothing is fit for
// the log.
func unseen(body []byte) *exchange {
	var answer struct {
		StatusCode int    `json:"statusCode"`
		Body       string `json:"body"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return nil
	}
	return &exchange{status: answer.StatusCode, code: codeOf([]byte(answer.Body))}
}

// codeOf returns the code of a problem document.
func codeOf(body []byte) string {
	var document struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &document) != nil {
		return ""
	}
	return document.Code
}

// watcher is a ResponseWriter that remembers the status, and the code of a problem document.
type watcher struct {
	http.ResponseWriter
	status int
	code   string

	of *recorder // of the invocation; nil: none
}

// WriteHeader remembers the status.
func (w *watcher) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// SetWriteDeadline remembers by when the answer must be written: notifications are sent before it leaves the process.
func (w *watcher) SetWriteDeadline(by time.Time) error {
	if w.of != nil {
		w.of.mu.Lock()
		defer w.of.mu.Unlock()
		w.of.writeBy = by
	}
	return nil
}

// Write looks for a code. A problem document is written at once (package problem).
func (w *watcher) Write(body []byte) (int, error) {
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") {
		w.code = codeOf(body)
	}
	return w.ResponseWriter.Write(body)
}

// RequestID returns the platform's ID of the request, which stands in problem documents.
func (w *watcher) RequestID() string {
	if known, ok := w.ResponseWriter.(interface{ RequestID() string }); ok && known.RequestID() != "" {
		return known.RequestID()
	}
	if w.of == nil {
		return ""
	}
	return w.of.requestID
}
