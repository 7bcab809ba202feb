package runtimeapi

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limits of a request to an HTTP trigger, in bytes.
const (
	fcHeaderLimit = 8 << 10
	fcPathLimit   = 4 << 10 // path and query
)

// httpTrigger is the HTTP trigger of Function Compute 3.0 with a built-in runtime (help.aliyun.com, "Use an HTTP
// trigger to invoke a function").
var httpTrigger = front{
	requestID: "X-Fc-Request-Id",
	reserved:  "x-fc-",
	async: func(r *http.Request) bool {
		return strings.EqualFold(r.Header.Get("X-Fc-Invocation-Type"), "Async")
	},

	check: func(r *http.Request) string {
		size := 0
		for name, values := range r.Header {
			size += len(name) + len(strings.Join(values, ","))
		}
		switch {
		case size > fcHeaderLimit:
			return "the headers are over the platform's limit of 8 KB"
		case len(r.URL.RequestURI()) > fcPathLimit:
			return "path and query are over the platform's limit of 4 KB"
		}
		return ""
	},

	event: func(r *http.Request, body []byte, m mapped) []byte {
		e := fcHTTPEvent{
			Version: "v1", RawPath: r.URL.EscapedPath(), Body: string(body),
			Headers: fcHeaders(r), QueryParameters: join(r.URL.Query(), identity),
			RequestContext: fcHTTPContext{
				AccountID: m.accountID, DomainName: r.Host, DomainPrefix: prefix(r.Host), RequestID: m.requestID,
				Time: m.now.Format(time.RFC3339), TimeEpoch: strconv.FormatInt(m.now.UnixMilli(), 10),
				HTTP: httpContext{
					Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: m.sourceIP, UserAgent: r.UserAgent(),
				},
			},
		}
		if !text(r.Header, body, true) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		return mustMarshal(e)
	},

	failed: func(w http.ResponseWriter, a Answer) {
		w.Header().Set("X-Fc-Error-Type", "UnhandledInvocationError")
		reject(w, http.StatusBadGateway, a.FunctionError, a.ErrorMessage)
	},
}

// fcHTTPEvent is the event of an HTTP trigger, version v1.
type fcHTTPEvent struct {
	Version         string            `json:"version"`
	RawPath         string            `json:"rawPath"` // percent-encoded
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	Headers         map[string]string `json:"headers"`
	QueryParameters map[string]string `json:"queryParameters"` // decoded
	RequestContext  fcHTTPContext     `json:"requestContext"`
}

type fcHTTPContext struct {
	AccountID    string      `json:"accountId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	Time         string      `json:"time"`
	TimeEpoch    string      `json:"timeEpoch"` // milliseconds, in a string
}

// httpContext is the part of the context that both platforms have.
type httpContext struct {
	Method    string `json:"method"`
	Path      string `json:"path"` // decoded
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// fcHeaders returns the headers of a request as they are spelled, with Host, and without those that the platform keeps
// for itself.
func fcHeaders(r *http.Request) map[string]string {
	headers := join(r.Header, identity)
	for name := range headers {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-fc-") || lower == "connection" || lower == "keep-alive" {
			delete(headers, name)
		}
	}
	headers["Host"] = r.Host
	return headers
}
