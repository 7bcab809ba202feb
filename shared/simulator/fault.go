package simulator

import (
	"fmt"
	"net/http"
	"time"
)

// FaultKind is what a fault makes of an answer.
type FaultKind int

// The answers of a fault.
const (
	AnswerTrue    FaultKind = iota // the true one; with a Delay, a slow one
	AnswerError                    // the refusal with Fault.Code
	AnswerLost                     // none: the connection is closed before the first byte
	AnswerCut                      // the first half: the connection is closed in the middle of the body
	AnswerEmpty                    // 200 with an empty body
	AnswerObject                   // 200 with {}
	AnswerGarbage                  // 200 with a body that is no JSON
	AnswerHTML                     // 502 with the HTML page of a gateway
)

// jsonType is the content type of every answer but the gateway's page.
const jsonType = "application/json;charset=utf-8"

// answerNames are the names of the answers, for the log.
var answerNames = []string{"true", "error", "lost", "cut", "empty", "object", "garbage", "html"}

// Forever as Fault.Count keeps a fault until [Simulator.ClearFaults].
const Forever = -1

// Fault is something that goes wrong with calls which passed the gateway. The effect and the answer are planned
// apart: AnswerLost with Effect is an answer that is lost after the snapshot was taken, without it a call that never
// arrived.
type Fault struct {
	Action string // the action; empty: any
	Key    string // the access key of the caller; empty: any
	Skip   int    // so many matching calls pass first
	Count  int    // so many calls are hit; default 1; Forever

	Answer FaultKind
	Effect bool // the action does its work all the same; always so with AnswerTrue

	Code    string // of AnswerError; default InternalError
	Status  int    // of AnswerError; default as the API documents the code, else 400
	Message string // of AnswerError; default as the API documents the code

	Delay time.Duration // spent before the answer, after the effect
}

// Fault plans a fault. Faults are tried in the order in which they were planned; one call meets at most one.
func (s *Simulator) Fault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Count == 0 {
		f.Count = 1
	}
	s.faults = append(s.faults, &f)
}

// ClearFaults drops every planned fault, and what [Simulator.FailNext] and [Simulator.StallNext] planned.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	clear(s.state.failNext)
	clear(s.state.stallNext)
}

// nextFault returns the fault that a call meets, or nil, and counts it down.
func (s *Simulator) nextFault(q *request) *Fault {
	for i, f := range s.faults {
		if !matches(f.Action, q.action) || !matches(f.Key, q.accessKeyID) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		met := *f
		if f.Count > 0 {
			if f.Count--; f.Count == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return &met
	}
	return nil
}

// takesEffect reports whether the action does its work, as it does without a fault.
func (f *Fault) takesEffect() bool { return f == nil || f.Effect || f.Answer == AnswerTrue }

// kind returns what the fault makes of the answer; without a fault, nothing.
func (f *Fault) kind() FaultKind {
	if f == nil {
		return AnswerTrue
	}
	return f.Answer
}

// refusal returns the planned error.
func (f *Fault) refusal() *apiError {
	e := refuse(orElse(f.Code, "InternalError"))
	if f.Status != 0 {
		e.Status = f.Status
	}
	e.Message = orElse(f.Message, e.Message)
	return e
}

// describe names the fault for the log.
func (f *Fault) describe() string {
	if f == nil {
		return ""
	}
	return fmt.Sprintf("%s effect=%t delay=%s", answerNames[f.Answer], f.takesEffect(), f.Delay)
}

// write sends the answer as the fault has it; without a fault, as it is.
func (f *Fault) write(w http.ResponseWriter, status int, body []byte) {
	switch f.kind() {
	case AnswerLost:
		panic(http.ErrAbortHandler)
	case AnswerCut:
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		send(w, status, jsonType, body[:len(body)/2])
		http.NewResponseController(w).Flush() // an error means that the client has ended the connection itself
		panic(http.ErrAbortHandler)
	case AnswerEmpty:
		send(w, http.StatusOK, jsonType, nil)
	case AnswerObject:
		send(w, http.StatusOK, jsonType, []byte("{}"))
	case AnswerGarbage:
		send(w, http.StatusOK, jsonType, []byte(`{"SnapshotId":"s-`))
	case AnswerHTML:
		const page = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
		send(w, http.StatusBadGateway, "text/html", []byte(page))
	default:
		send(w, status, jsonType, body)
	}
}
