package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
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

// endpoint is how a platform's HTTP endpoint translates. FC has the HTTP trigger, Lambda the function URL.
type endpoint struct {
	requestID string // header of an answer that names the invocation
	cookies   bool   // an answer's cookies become headers
	// event returns the event that a request becomes. If it says isBase64Encoded, the body is yet to be encoded.
	event  func(r *http.Request, body []byte, requestID string, now time.Time) map[string]any
	failed func(w http.ResponseWriter, a Answer) // answers a function error
}

var endpoints = map[Platform]endpoint{FC: httpTrigger, Lambda: functionURL}

// Gateway returns the HTTP endpoint of a function: the HTTP trigger of Function Compute, without its authentication, or
// the function URL of Lambda. Each request becomes an event, and the function's answer becomes the response.
//
// A function error and an answer that is no HTTP answer are 502, a body over 6 MB is 413, and a function that cannot be
// invoked is 503.
func Gateway(f *Function) http.Handler {
	e := endpoints[f.config.Platform]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.serve(f, w, r) })
}

func (e endpoint) serve(f *Function, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		reject(w, http.StatusRequestEntityTooLarge, "EntityTooLarge", "the body is over the platform's limit of 6 MB")
		return
	} else if err != nil {
		return // the caller has gone
	}
	inv := f.newInvocation(nil)
	event := e.event(r, body, inv.requestID, f.config.Now().UTC())
	if event["isBase64Encoded"] == true {
		event["body"] = base64.StdEncoding.EncodeToString(body)
	}
	inv.event = mustMarshal(event)
	w.Header().Set(e.requestID, inv.requestID)
	answer, err := f.invoke(r.Context(), inv)
	switch {
	case err != nil:
		reject(w, http.StatusServiceUnavailable, "ServiceUnavailable", "the function cannot be invoked: "+err.Error())
	case answer.FunctionError != "":
		e.failed(w, answer)
	default:
		e.respond(w, answer.Payload)
	}
}

// respond writes a function's answer as the response; 502 if it is none. The platforms would also take JSON without a
// statusCode, as the body itself; here it is a defect of the function.
func (e endpoint) respond(w http.ResponseWriter, payload []byte) {
	var answer struct { // on both platforms; cookies only on Lambda
		StatusCode      int
		Headers         map[string]string
		Cookies         []string
		Body            string
		IsBase64Encoded bool
	}
	err := json.Unmarshal(payload, &answer)
	if err == nil && (answer.StatusCode < 200 || answer.StatusCode > 599) {
		err = fmt.Errorf("statusCode %d is not between 200 and 599", answer.StatusCode)
	}
	body := []byte(answer.Body)
	if err == nil && answer.IsBase64Encoded {
		body, err = base64.StdEncoding.DecodeString(answer.Body)
	}
	if err != nil {
		e.failed(w, failed("InvalidResponse", "the answer is no HTTP answer: "+err.Error()))
		return
	}
	w.Header().Set("Content-Type", "application/json") // the default of both platforms
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	if e.cookies {
		for _, cookie := range answer.Cookies {
			w.Header().Add("Set-Cookie", cookie)
		}
	}
	w.Header().Del("Content-Length") // counted anew
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(body) // a caller that has gone misses it
}

// contextOf returns the part of an HTTP event's context that both platforms have.
func contextOf(r *http.Request) map[string]string {
	source := r.RemoteAddr
	if host, _, err := net.SplitHostPort(source); err == nil {
		source = host
	}
	return map[string]string{
		"method": r.Method, "path": r.URL.Path, "protocol": r.Proto, "sourceIp": source, "userAgent": r.UserAgent(),
	}
}

// isText reports whether a body travels as it is: a body that is UTF-8 and not of a binary type.
func isText(header http.Header, body []byte) bool {
	if !utf8.Valid(body) || header.Get("Content-Encoding") != "" {
		return false
	}
	kind := mediaType(header)
	switch kind {
	case "application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded":
		return true
	case "":
		return header.Get("Content-Type") == ""
	}
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+xml")
}

// mediaType returns the type of a body without its parameters; "" if there is none, or none that can be read.
func mediaType(header http.Header) string {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind
}

// domainPrefix returns a domain name up to its first dot.
func domainPrefix(domain string) string {
	first, _, _ := strings.Cut(domain, ".")
	return first
}

// join returns headers or parameters with repeated ones joined by commas.
func join(values map[string][]string) map[string]string {
	joined := make(map[string]string, len(values))
	for name, list := range values {
		joined[name] = strings.Join(list, ",")
	}
	return joined
}
