package httpapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"swas-snapshot/shared/snapshot"
)

// Problem is a problem document (RFC 9457) with the extensions code, retryable, requestId and plan.
type Problem struct {
	Type      string              `json:"type"`
	Title     string              `json:"title"`
	Status    int                 `json:"status"`
	Detail    string              `json:"detail"` // what is wrong and what to do
	Code      string              `json:"code"`
	Retryable bool                `json:"retryable"`
	RequestID string              `json:"requestId,omitempty"` // of the SWAS API, else of the platform
	Plan      []snapshot.PlanItem `json:"plan,omitzero"`       // of a blocked order
}

// statuses holds the HTTP status of each kind of error; others are 500.
var statuses = map[snapshot.Kind]int{
	snapshot.KindMalformed:   http.StatusBadRequest,
	snapshot.KindInvalid:     http.StatusUnprocessableEntity,
	snapshot.KindUnknown:     http.StatusNotFound,
	snapshot.KindDenied:      http.StatusForbidden,
	snapshot.KindConflict:    http.StatusConflict,
	snapshot.KindThrottled:   http.StatusServiceUnavailable,
	snapshot.KindPaced:       http.StatusTooManyRequests,
	snapshot.KindUpstream:    http.StatusBadGateway,
	snapshot.KindUnavailable: http.StatusServiceUnavailable,
	snapshot.KindTimeout:     http.StatusGatewayTimeout,
}

// retryAfter holds the seconds to wait before an order is repeated that failed with a kind of error; others are 10.
var retryAfter = map[snapshot.Kind]int{
	snapshot.KindConflict:  60, // another snapshot of the disk takes 10 to 30 minutes
	snapshot.KindThrottled: 60, // about 10 calls a minute
	snapshot.KindPaced:     60,
}

// codes holds the code of each status that is not the answer to an error of the core.
var codes = map[int]string{
	http.StatusBadRequest:            snapshot.CodeMalformed,
	http.StatusUnauthorized:          "Unauthenticated",
	http.StatusNotFound:              "NotFound",
	http.StatusMethodNotAllowed:      "MethodNotAllowed",
	http.StatusRequestEntityTooLarge: "BodyTooLarge",
	http.StatusUnsupportedMediaType:  "UnsupportedMediaType",
	http.StatusInternalServerError:   snapshot.CodeInternal,
}

// Status returns the HTTP status of an error.
func Status(err *snapshot.Error) int {
	return cmp.Or(statuses[err.Kind], http.StatusInternalServerError)
}

// sweepInterval is the time between two sweeps, which begin at full ten minutes.
const sweepInterval = 10 * time.Minute

// sweepWaitMin is the shortest wait for a sweep, in seconds: its work takes some time.
const sweepWaitMin = 30

// NextSweep returns when the first sweep after now begins.
func NextSweep(now time.Time) time.Time { return now.Truncate(sweepInterval).Add(sweepInterval) }

// ResultStatus returns the HTTP status of a failed result, and sets Retry-After where a retry can help. A deferred
// order is 503 and waits for the next sweep, whatever its error.
func ResultStatus(w http.ResponseWriter, result snapshot.Result, now time.Time) int {
	if result.Outcome == snapshot.OutcomeDeferred {
		left := NextSweep(now).Sub(now)
		setRetryAfter(w, max(sweepWaitMin, int((left+time.Second-1)/time.Second)))
		return http.StatusServiceUnavailable
	}
	return errorStatus(w, result.Error)
}

// errorStatus returns the HTTP status of an error, and sets Retry-After where a retry can help.
func errorStatus(w http.ResponseWriter, err *snapshot.Error) int {
	status := Status(err)
	if err.Retryable || status >= http.StatusBadGateway {
		setRetryAfter(w, cmp.Or(retryAfter[err.Kind], 10))
	}
	return status
}

func setRetryAfter(w http.ResponseWriter, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
}

// WriteError answers with the problem document of an error, without what the SWAS API wrote, and sets Retry-After where
// a retry can help.
func WriteError(w http.ResponseWriter, err *snapshot.Error) {
	writeProblem(w, errorStatus(w, err), err, nil)
}

// WriteStatus answers with the problem document of a status for which the core has no error: 400, 401, 404, 405, 413,
// 415 or 500. The detail says what is wrong and what to do.
func WriteStatus(w http.ResponseWriter, status int, detail string) {
	writeProblem(w, status, &snapshot.Error{Code: codes[status], Message: detail}, nil)
}

// A ResponseWriter may know the platform's ID of the request, and may want the code of a problem for the log.
type (
	identified interface{ RequestID() string }
	logged     interface{ LogCode(code string) }
)

func writeProblem(w http.ResponseWriter, status int, err *snapshot.Error, plan []snapshot.PlanItem) {
	p := Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Public(),
		Code: err.Code, Retryable: err.Retryable, RequestID: err.RequestID, Plan: plan,
	}
	if known, ok := w.(identified); ok && p.RequestID == "" {
		p.RequestID = known.RequestID()
	}
	if log, ok := w.(logged); ok {
		log.LogCode(p.Code)
	}
	writeJSON(w, status, "application/problem+json", p)
}

// WriteJSON answers with a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	writeJSON(w, status, "application/json", value)
}

func writeJSON(w http.ResponseWriter, status int, mediaType string, value any) {
	body, err := json.Marshal(value)
	if err != nil { // unreachable: every value holds only text, numbers and lists of them
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
