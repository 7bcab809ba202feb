package trigger

import (
	"context"
	"encoding/json"
	"net/http"

	"swas-snapshot/shared/snapshot"
)

// maxBody is how many bytes the body of an HTTP request may have once decoded: 1 MiB.
const maxBody = 1 << 20

// expectedHTTP ends the message of an error.
const expectedHTTP = `an HTTP trigger event of Function Compute 3.0 ({"version":"v1",...}), or an event of a Lambda ` +
	`function URL or API Gateway in payload format 2.0 ({"version":"2.0",...})`

// httpEvent is an HTTP request as Function Compute 3.0 (version v1) and as Lambda function URLs and API Gateway
// (version 2.0) hand it over. They differ in the query and in the cookies.
type httpEvent struct {
	Version         string            `json:"version"`
	RawPath         string            `json:"rawPath"`         // as it was sent, still encoded
	RawQueryString  string            `json:"rawQueryString"`  // Lambda: as it was sent
	QueryParameters map[string]string `json:"queryParameters"` // Function Compute: decoded, joined by commas
	Headers         map[string]string `json:"headers"`         // names in any case, repeated ones joined by commas
	Cookies         []string          `json:"cookies"`         // Lambda: taken out of the headers
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	RequestContext  struct {
		RequestID  string `json:"requestId"`
		DomainName string `json:"domainName"`
		HTTP       struct {
			Method   string `json:"method"`
			Protocol string `json:"protocol"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
}

// onFC reports whether the event is of Function Compute.
func (e httpEvent) onFC() bool { return e.Version == "v1" }

// ServeHTTP has handler serve the HTTP request that an event describes, and returns the answer in the form of the
// platform that sent it: Function Compute 3.0 or, as a function URL or behind API Gateway in payload format 2.0,
// Lambda.
//
// The request is as a server of net/http would make it: header names are canonical, Host and RemoteAddr are set, the
// path is decoded with RawPath kept where it differs, and the body holds the very bytes that were signed. Repeated
// headers, and on Function Compute repeated query parameters, arrive joined by commas and stay one value, since a
// comma may belong to a value. The context of the request is ctx with the event's request ID, see [RequestID].
//
// refuse answers a request that no handler should see: with 400 for a method, path, header or base64 body that is not
// well-formed, 413 for a body beyond 1 MiB, and 415 for an encoded body. A handler that panics should log that: the
// panic ends here, and refuse answers with 500 in place of what the handler wrote. Each answer has a Content-Type and,
// unless others were set, the headers X-Content-Type-Options: nosniff and Cache-Control: no-store. Of several Set-Cookie
// headers Function Compute can carry one.
//
// The error is for an event that is not an HTTP request: a [*snapshot.Error] with Code [snapshot.CodeMalformed].
func ServeHTTP(
	ctx context.Context, event []byte, handler http.Handler, refuse func(w http.ResponseWriter, status int, detail string),
) (json.RawMessage, error) {
	var e httpEvent
	err := parse(event, exact).fill(&e, false) // headers and parameters that differ by case are not the same
	if err == nil && (e.Version != "v1" && e.Version != "2.0" || e.RequestContext.HTTP.Method == "") {
		err = snapshot.Malformed("the event is not an HTTP request")
	}
	if err != nil {
		return nil, expecting(err, expectedHTTP)
	}
	w := newResponse(e.RequestContext.RequestID)
	request, refused := e.request(context.WithValue(ctx, requestIDKey{}, e.RequestContext.RequestID))
	if refused == nil {
		refused = serve(handler, w, request)
	}
	if refused != nil {
		w = newResponse(e.RequestContext.RequestID)
		refuse(w, refused.status, refused.detail)
	}
	return w.encode(e)
}

// refusal is the answer to a request that no handler should see.
type refusal struct {
	status int
	detail string // what is wrong and what to do
}

// serve calls the handler. The caller of one that panics learns only that the function failed.
func serve(handler http.Handler, w *response, request *http.Request) (refused *refusal) {
	defer func() {
		if recover() != nil {
			refused = &refusal{http.StatusInternalServerError, "the function failed; its log says more"}
		}
	}()
	handler.ServeHTTP(w, request)
	return nil
}

type requestIDKey struct{}

// RequestID returns the request ID of the HTTP event that a request came from, or "" if it came otherwise.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
