package runtimeapi

import (
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// bodyLimit is the largest body of a request, in bytes. Beyond it the answer is 413.
const bodyLimit = 6 << 20

// front is how a platform's HTTP endpoint translates. FC has the HTTP trigger, Lambda the function URL.
type front struct {
	requestID string                                              // header of an answer that names the invocation
	check     func(r *http.Request) string                        // what a request is refused for with 400; "" for nothing
	event     func(r *http.Request, body []byte, m mapped) []byte // the event that a request becomes
	async     func(r *http.Request) bool                          // whether the caller asks for an asynchronous invocation
	reserved  string                                              // prefix that headers of an answer may not have, in lower case
	cookies   bool                                                // whether an answer's cookies become headers
	failed    func(w http.ResponseWriter, a Answer)               // answers a function error
}

// mapped is what the platform itself adds to a request.
type mapped struct {
	accountID string
	requestID string
	sourceIP  string
	now       time.Time
}

var fronts = map[Platform]front{FC: httpTrigger, Lambda: functionURL}

// Gateway returns the HTTP endpoint of a function: the HTTP trigger of Function Compute, without its authentication, or
// the function URL of Lambda. Each request becomes an event, and the function's answer becomes the response.
//
// A function error and an answer that is no HTTP answer are 502, a body over 6 MB is 413. On FC a request with
// X-Fc-Invocation-Type: Async is answered 202 at once and delivered as [Function.InvokeAsync] does.
func Gateway(f *Function) http.Handler {
	g := fronts[f.config.Platform]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(f, w, r) })
}

func (g front) serve(f *Function, w http.ResponseWriter, r *http.Request) {
	if defect := g.check(r); defect != "" {
		reject(w, http.StatusBadRequest, "InvalidArgument", defect)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		reject(w, http.StatusRequestEntityTooLarge, "EntityTooLarge", "the body is over the platform's limit of 6 MB")
		return
	} else if err != nil {
		return // the caller has gone
	}

	inv := f.newInvocation(nil)
	inv.event = g.event(r, body, mapped{
		accountID: f.config.AccountID, requestID: inv.requestID, sourceIP: host(r.RemoteAddr), now: f.config.Now().UTC(),
	})
	w.Header().Set(g.requestID, inv.requestID)
	if g.async(r) {
		g.refuse(w, f.accept(inv))
		return
	}
	answer, err := f.invoke(r.Context(), inv, f.protocol.syncLimit)
	switch {
	case err != nil:
		g.refuse(w, err)
	case answer.FunctionError != "":
		g.failed(w, answer)
	default:
		g.respond(w, answer)
	}
}

// refuse answers why the function was not invoked; nil: the event was accepted for later.
func (g front) refuse(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.Is(err, errTooLarge):
		reject(w, http.StatusRequestEntityTooLarge, "EntityTooLarge", err.Error())
	default:
		reject(w, http.StatusServiceUnavailable, "ServiceUnavailable", "the function cannot be invoked: "+err.Error())
	}
}

// text reports whether a body travels as it is: a body that is UTF-8 and not of a binary type.
func text(header http.Header, body []byte, formsAreText bool) bool {
	if !utf8.Valid(body) || header.Get("Content-Encoding") != "" {
		return false
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case header.Get("Content-Type") == "":
		return true
	case err != nil:
		return false
	case kind == "application/x-www-form-urlencoded":
		return formsAreText
	}
	switch kind {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// host returns the host of host:port, or all of it if there is no port.
func host(address string) string {
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

// prefix returns a domain name up to its first dot.
func prefix(domain string) string {
	first, _, _ := strings.Cut(domain, ".")
	return first
}

// join returns headers or parameters with repeated ones joined by commas, each under its name as rename has it.
func join(values map[string][]string, rename func(string) string) map[string]string {
	joined := make(map[string]string, len(values))
	for name, list := range values {
		joined[rename(name)] = strings.Join(list, ",")
	}
	return joined
}

// identity leaves a name as it is.
func identity(name string) string { return name }
