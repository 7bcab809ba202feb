package runtimeapi

import (
	"io"
	"net/http"
	"time"
)

// handler is the runtime API of one instance. The two platforms differ in paths, headers and statuses alone.
func (in *instance) handler() http.Handler {
	mux := http.NewServeMux()
	base := in.protocol.prefix + "/invocation/"
	mux.HandleFunc("GET "+base+"next", in.serveNext)
	mux.HandleFunc("POST "+base+"{id}/response", func(w http.ResponseWriter, r *http.Request) {
		in.serveAnswer(w, r, func(body []byte) outcome {
			// A result that breaks off is reported behind it, in a trailer (Lambda).
			if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
				return outcome{failure: &failure{kind: kind, message: "the result broke off"}}
			}
			return outcome{result: body}
		})
	})
	mux.HandleFunc("POST "+base+"{id}/error", func(w http.ResponseWriter, r *http.Request) {
		in.serveAnswer(w, r, func(body []byte) outcome { return outcome{failure: readFailure(body)} })
	})
	if in.protocol.extend != nil {
		in.protocol.extend(in, mux)
	}
	return mux
}

// serveNext is the long poll: it answers when there is an invocation.
func (in *instance) serveNext(w http.ResponseWriter, r *http.Request) {
	give, gone := make(chan *invocation), r.Context().Done()
	select {
	case in.polls <- poll{arrived: time.Now(), give: give, gone: gone}:
	case <-gone:
		return
	}
	select {
	case inv := <-give:
		in.protocol.header(*in.config, inv, w.Header())
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(inv.event) // a process that is gone is noticed by its exit
	case <-gone:
	}
}

// serveAnswer takes the end of an invocation. An answer over the limit is refused, and ends the invocation as a
// function error.
func (in *instance) serveAnswer(w http.ResponseWriter, r *http.Request, read func(body []byte) outcome) {
	limit := in.protocol.answerLimit
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(limit)+1))
	if err != nil {
		return // half an answer is none
	}
	inv := in.claim(r.PathValue("id"))
	switch {
	case inv == nil:
		reject(w, in.protocol.unknown, "InvalidRequestID", "no invocation with this request ID is in flight")
	case len(body) > limit:
		_, _ = io.Copy(io.Discard, r.Body) // so that the process reads the answer, not a broken connection
		inv.answered <- outcome{failure: in.protocol.oversized()}
		reject(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", in.protocol.oversized().message)
	default:
		inv.answered <- read(body)
		acknowledge(w, in.protocol.accepted)
	}
}

// acknowledge answers that a call was understood.
func acknowledge(w http.ResponseWriter, status int) {
	writeJSON(w, status, map[string]string{"status": "OK"})
}

// reject answers that a call was not.
func reject(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, map[string]string{"errorType": kind, "errorMessage": message})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(mustMarshal(v))
}
