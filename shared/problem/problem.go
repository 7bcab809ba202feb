// Package problem writes errors over HTTP as problem documents (RFC 9457, application/problem+json) with the
// extensions code, retryable and requestId. One table turns the kinds of the core's errors into statuses.
package problem

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"swas-snapshot/shared/snapshot"
)

// Document is a problem document. Plan stands in it when an order was blocked.
type Document struct {
	Type      string              `json:"type"`
	Title     string              `json:"title"`
	Status    int                 `json:"status"`
	Detail    string              `json:"detail"`
	Code      string              `json:"code"`
	Retryable bool                `json:"retryable"`
	RequestID string              `json:"requestId,omitempty"`
	Plan      []snapshot.PlanItem `json:"plan,omitzero"`
}

// Codes of HTTP itself.
const (
	CodeNotFound        = "NotFound"
	CodeMethod          = "MethodNotAllowed"
	CodeUnauthenticated = "Unauthenticated"
	CodeTooLarge        = "BodyTooLarge"
	CodeMediaType       = "UnsupportedMediaType"
	CodeMissingKey      = "MissingIdempotencyKey"
)

// statuses is the one table from kinds to statuses.
var statuses = map[snapshot.Kind]int{
	snapshot.KindInternal:    http.StatusInternalServerError,
	snapshot.KindMalformed:   http.StatusBadRequest,
	snapshot.KindInvalid:     http.StatusUnprocessableEntity,
	snapshot.KindUnknown:     http.StatusNotFound,
	snapshot.KindDenied:      http.StatusForbidden,
	snapshot.KindConflict:    http.StatusConflict,
	snapshot.KindConfig:      http.StatusInternalServerError,
	snapshot.KindThrottled:   http.StatusServiceUnavailable,
	snapshot.KindPaced:       http.StatusTooManyRequests,
	snapshot.KindUpstream:    http.StatusBadGateway,
	snapshot.KindUnavailable: http.StatusServiceUnavailable,
	snapshot.KindTimeout:     http.StatusGatewayTimeout,
}

// retryAfter is how many seconds a caller should wait before it repeats an order that failed with a kind.
var retryAfter = map[snapshot.Kind]int{
	snapshot.KindConflict:  60, // another snapshot of the disk takes 10 to 30 minutes
	snapshot.KindThrottled: 60, // about 10 calls a minute
	snapshot.KindPaced:     60,
}

// Status returns the HTTP status of an error.
func Status(err *snapshot.Error) int {
	if status, ok := statuses[err.Kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// of returns the problem document of an error. What the API wrote stays out of it.
func of(err *snapshot.Error) Document {
	status := Status(err)
	return Document{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: err.Public(), Code: err.Code, Retryable: err.Retryable, RequestID: err.RequestID,
	}
}

// wait returns after how many seconds an order that failed with err may be repeated; 0: never.
func wait(err *snapshot.Error) int {
	if !err.Retryable && Status(err) < http.StatusBadGateway {
		return 0
	}
	return cmp.Or(retryAfter[err.Kind], 10)
}

// sweepEvery is the time between two sweeps, which begin at full ten minutes.
const sweepEvery = 10 * time.Minute

// waitMin is the shortest wait, in seconds, for a sweep: it needs some time to do its work.
const waitMin = 30

// NextSweep returns when the first sweep after now begins.
func NextSweep(now time.Time) time.Time { return now.Truncate(sweepEvery).Add(sweepEvery) }

// OfResult returns the HTTP status of a failed result, and after how many seconds its order may be repeated; 0: never. A
// deferred order is 503 and waits for the next sweep, whatever its error.
func OfResult(result snapshot.Result, now time.Time) (status, seconds int) {
	if result.Outcome == snapshot.OutcomeDeferred {
		left := NextSweep(now).Sub(now)
		return http.StatusServiceUnavailable, max(waitMin, int((left+time.Second-1)/time.Second))
	}
	return Status(result.Error), wait(result.Error)
}

// RetryAfter sets the header of that name, unless seconds is 0.
func RetryAfter(w http.ResponseWriter, seconds int) {
	if seconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
}

// Write answers with the problem document of an error, and Retry-After where a retry can help.
func Write(w http.ResponseWriter, err *snapshot.Error) {
	RetryAfter(w, wait(err))
	Send(w, of(err))
}

// WriteResult answers with the problem document of a failed result, and Retry-After where a retry can help.
func WriteResult(w http.ResponseWriter, result snapshot.Result, now time.Time) {
	document := of(result.Error)
	document.Plan = result.Plan
	status, seconds := OfResult(result, now)
	document.Status, document.Title = status, http.StatusText(status)
	RetryAfter(w, seconds)
	Send(w, document)
}

// New returns the document of a problem of HTTP itself.
func New(status int, code, detail string) Document {
	return Document{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// WriteStatus answers with a problem of HTTP itself.
func WriteStatus(w http.ResponseWriter, status int, code, detail string) {
	Send(w, New(status, code, detail))
}

// identified is a ResponseWriter that knows the platform's ID of the request; trigger.ServeHTTP has one.
type identified interface{ RequestID() string }

// Send answers with a document. One without a request ID of the API gets that of the platform, if w knows it.
func Send(w http.ResponseWriter, document Document) {
	if known, ok := w.(identified); ok && document.RequestID == "" {
		document.RequestID = known.RequestID()
	}
	body, err := json.Marshal(document)
	if err != nil { // unreachable: a document holds only text and numbers
		http.Error(w, http.StatusText(document.Status), document.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(document.Status)
	_, _ = w.Write(append(body, '\n'))
}
