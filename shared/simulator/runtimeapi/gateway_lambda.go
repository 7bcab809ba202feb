package runtimeapi

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// functionURL is a Lambda function URL with payload format 2.0 (docs.aws.amazon.com/lambda/latest/dg/
// urls-invocation.html).
var functionURL = front{
	requestID: "X-Amzn-RequestId",
	cookies:   true,
	async:     func(*http.Request) bool { return false },
	check:     func(*http.Request) string { return "" },

	event: func(r *http.Request, body []byte, m mapped) []byte {
		id := prefix(r.Host)
		e := urlEvent{
			Version: "2.0", RouteKey: "$default", RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery,
			Cookies: cookies(r), Headers: urlHeaders(r, m.sourceIP), QueryStringParameters: join(r.URL.Query(), identity),
			Body: string(body),
			RequestContext: urlContext{
				AccountID: "anonymous", APIID: id, DomainName: r.Host, DomainPrefix: id, RequestID: m.requestID,
				RouteKey: "$default", Stage: "$default",
				Time: m.now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: m.now.UnixMilli(),
				HTTP: httpContext{
					Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: m.sourceIP, UserAgent: r.UserAgent(),
				},
			},
		}
		if !text(r.Header, body, false) {
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		return mustMarshal(e)
	},

	// The service tells the caller nothing of the error.
	failed: func(w http.ResponseWriter, _ Answer) {
		writeJSON(w, http.StatusBadGateway, map[string]string{"Message": "Internal Server Error"})
	},
}

// urlEvent is the event of a function URL, payload format 2.0.
type urlEvent struct {
	Version               string            `json:"version"`
	RouteKey              string            `json:"routeKey"`
	RawPath               string            `json:"rawPath"` // percent-encoded
	RawQueryString        string            `json:"rawQueryString"`
	Cookies               []string          `json:"cookies,omitempty"`
	Headers               map[string]string `json:"headers"` // names in lower case, without cookie
	QueryStringParameters map[string]string `json:"queryStringParameters,omitempty"`
	RequestContext        urlContext        `json:"requestContext"`
	Body                  string            `json:"body,omitempty"`
	IsBase64Encoded       bool              `json:"isBase64Encoded"`
}

type urlContext struct {
	AccountID    string      `json:"accountId"`
	APIID        string      `json:"apiId"`
	DomainName   string      `json:"domainName"`
	DomainPrefix string      `json:"domainPrefix"`
	HTTP         httpContext `json:"http"`
	RequestID    string      `json:"requestId"`
	RouteKey     string      `json:"routeKey"`
	Stage        string      `json:"stage"`
	Time         string      `json:"time"`
	TimeEpoch    int64       `json:"timeEpoch"` // milliseconds
}

// cookies returns the pairs of all Cookie headers, one an element.
func cookies(r *http.Request) []string {
	var list []string
	for _, header := range r.Header.Values("Cookie") {
		for pair := range strings.SplitSeq(header, ";") {
			if pair = strings.TrimSpace(pair); pair != "" {
				list = append(list, pair)
			}
		}
	}
	return list
}

// urlHeaders returns the headers of a request in lower case, with those that the service adds.
func urlHeaders(r *http.Request, sourceIP string) map[string]string {
	headers := join(r.Header, strings.ToLower)
	delete(headers, "cookie")
	headers["host"] = r.Host
	headers["x-forwarded-for"] = strings.TrimPrefix(headers["x-forwarded-for"]+","+sourceIP, ",")
	headers["x-forwarded-proto"] = "http"
	if r.TLS != nil {
		headers["x-forwarded-proto"] = "https"
	}
	return headers
}
