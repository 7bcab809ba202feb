package trigger_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// httpAnswer is the answer as the platforms read it.
type httpAnswer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
	Body            string            `json:"body"`
	Cookies         []string          `json:"cookies"`
}

// event is an HTTP event in the making.
type event map[string]any

// maxBody is what the contract allows the body of a request, in bytes.
const maxBody = 1 << 20

// fcEvent returns a GET of / on Function Compute with changes; lambdaEvent the same on Lambda.
func fcEvent(changes event) []byte { return httpEvent("v1", changes) }

func lambdaEvent(changes event) []byte { return httpEvent("2.0", changes) }

func httpEvent(version string, changes event) []byte {
	method, _ := changes["method"].(string)
	if method == "" {
		method = "GET"
	}
	e := event{
		"version": version, "rawPath": "/", "body": "", "isBase64Encoded": false,
		"headers": event{"host": "example.com"},
		"requestContext": event{"requestId": "http-1", "domainName": "domain.example",
			"http": event{"method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "2001:db8::1"}},
	}
	for name, value := range changes {
		if name != "method" {
			e[name] = value
		}
	}
	data, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return data
}

// serve has handler serve an event and returns its answer.
func serve(t *testing.T, data []byte, handler http.HandlerFunc) httpAnswer {
	t.Helper()
	out, err := trigger.ServeHTTP(t.Context(), data, handler, httpapi.WriteStatus)
	if err != nil {
		t.Fatal(err)
	}
	var answer httpAnswer
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestServeHTTPRequest(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data []byte
		get  func(*http.Request) any
		want any
	}{
		"encoded blank in path": {fcEvent(event{"rawPath": "/a%20b"}),
			func(r *http.Request) any { return []string{r.URL.Path, r.URL.EscapedPath(), r.RequestURI} },
			[]string{"/a b", "/a%20b", "/a%20b"}},
		"encoded slash in path": {lambdaEvent(event{"rawPath": "/a%2Fb"}),
			func(r *http.Request) any { return []string{r.URL.Path, r.URL.RawPath} }, []string{"/a/b", "/a%2Fb"}},
		"two slashes are no host": {fcEvent(event{"rawPath": "//evil.example/x"}),
			func(r *http.Request) any { return []string{r.URL.Path, r.URL.Host, r.Host} },
			[]string{"//evil.example/x", "", "example.com"}},
		"comma in a parameter on FC": {fcEvent(event{"queryParameters": event{"target": "web-1,web-2", "r": "a&b=c"}}),
			func(r *http.Request) any { return r.URL.Query()["target"][0] + " " + r.FormValue("r") },
			"web-1,web-2 a&b=c"},
		"parameters that differ by case on FC": {fcEvent(event{"queryParameters": event{"a": "1", "A": "2"}}),
			func(r *http.Request) any { return r.FormValue("a") + r.FormValue("A") }, "12"},
		"raw query on Lambda": {lambdaEvent(event{"rawQueryString": "a=1&a=2&b=%20+x",
			"queryStringParameters": event{"a": "1,2", "A": "x"}}),
			func(r *http.Request) any {
				return []string{r.URL.RawQuery, strings.Join(r.URL.Query()["a"], "|"), r.FormValue("b")}
			},
			[]string{"a=1&a=2&b=%20+x", "1|2", "  x"}},
		"header of any case": {fcEvent(event{"headers": event{"x-hub-SIGNATURE-256": "sha256=ab", "ACCEPT": "a, b"}}),
			func(r *http.Request) any { return []any{r.Header.Get("X-Hub-Signature-256"), r.Header["Accept"]} },
			[]any{"sha256=ab", []string{"a, b"}}},
		"host is no header": {fcEvent(nil), func(r *http.Request) any { return []any{r.Host, r.Header} },
			[]any{"example.com", http.Header{}}},
		"host of the domain": {fcEvent(event{"headers": nil}), func(r *http.Request) any { return r.Host },
			"domain.example"},
		"remote address": {fcEvent(nil), func(r *http.Request) any { return r.RemoteAddr }, "[2001:db8::1]:0"},
		"protocol": {fcEvent(nil), func(r *http.Request) any { return []any{r.Proto, r.ProtoMajor, r.ProtoMinor} },
			[]any{"HTTP/1.1", 1, 1}},
		"request ID": {lambdaEvent(nil), func(r *http.Request) any { return trigger.RequestID(r.Context()) }, "http-1"},
		"cookies": {lambdaEvent(event{"cookies": []string{"a=1", "b=2"}, "headers": event{"cookie": "c=3"}}),
			func(r *http.Request) any { return r.Header.Get("Cookie") }, "c=3; a=1; b=2"},
		"content length": {fcEvent(event{"method": "POST", "body": "aGk=", "isBase64Encoded": true,
			"headers": event{"content-length": "4"}}),
			func(r *http.Request) any { return []any{r.ContentLength, r.Header.Get("Content-Length")} },
			[]any{int64(2), "2"}},
		"form": {lambdaEvent(event{"method": "POST",
			"body":            base64.StdEncoding.EncodeToString([]byte("text=web-1&x=%E4%B8%AD")),
			"isBase64Encoded": true, "headers": event{"content-type": "application/x-www-form-urlencoded"}}),
			func(r *http.Request) any { return r.PostFormValue("text") + r.PostFormValue("x") }, "web-1中"},
		"body of any bytes": {fcEvent(event{"method": "POST", "body": "AP+A", "isBase64Encoded": true}), readBody,
			"\x00\xff\x80"},
		"body of null": {lambdaEvent(event{"body": nil}), readBody, ""},
		"largest body": {fcEvent(event{"method": "POST",
			"body":            base64.StdEncoding.EncodeToString(make([]byte, maxBody)),
			"isBase64Encoded": true}), func(r *http.Request) any { return r.ContentLength }, int64(maxBody)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got any
			serve(t, test.data, func(_ http.ResponseWriter, r *http.Request) { got = test.get(r) })
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
		})
	}
}

func readBody(r *http.Request) any {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	return string(body)
}

func TestServeHTTPRefuses(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", maxBody+1)
	tests := map[string]struct {
		changes event
		status  int
	}{
		"base64 with a line break":   {event{"body": "aGk=\n", "isBase64Encoded": true}, 400},
		"base64 that is none":        {event{"body": "{}", "isBase64Encoded": true}, 400},
		"base64 without padding":     {event{"body": "aGk", "isBase64Encoded": true}, 400},
		"base64 with stray bits":     {event{"body": "aGl=", "isBase64Encoded": true}, 400},
		"base64 of the URL alphabet": {event{"body": "_-8=", "isBase64Encoded": true}, 400},
		"large body":                 {event{"body": large}, 413},
		"large base64 body": {event{"body": base64.StdEncoding.EncodeToString([]byte(large)),
			"isBase64Encoded": true}, 413},
		"very large base64 body":      {event{"body": strings.Repeat("AAAA", 1<<20), "isBase64Encoded": true}, 413},
		"compressed body":             {event{"body": "x", "headers": event{"content-encoding": "gzip"}}, 415},
		"method with a blank":         {event{"method": "GET /"}, 400},
		"method with a line break":    {event{"method": "GET\r\nX: y"}, 400},
		"path without a slash":        {event{"rawPath": "snapshots"}, 400},
		"no path":                     {event{"rawPath": ""}, 400},
		"absolute URL for a path":     {event{"rawPath": "http://example.com/"}, 400},
		"path with a query":           {event{"rawPath": "/a?b"}, 400},
		"path with a bad escape":      {event{"rawPath": "/%zz"}, 400},
		"path with a control byte":    {event{"rawPath": "/a\x00"}, 400},
		"header name with a blank":    {event{"headers": event{"a b": "c"}}, 400},
		"header name of nothing":      {event{"headers": event{"": "c"}}, 400},
		"header value with a newline": {event{"headers": event{"a": "b\r\nc: d"}}, 400},
		"header twice":                {event{"headers": event{"X-Token": "a", "x-token": "b"}}, 400},
	}
	for name, test := range tests {
		events := map[string][]byte{"fc": fcEvent(test.changes), "lambda": lambdaEvent(test.changes)}
		for platform, data := range events {
			t.Run(name+"/"+platform, func(t *testing.T) {
				t.Parallel()
				answer := serve(t, data, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
				checkProblem(t, answer, test.status)
			})
		}
	}
}

// checkProblem checks an answer of this package's own.
func checkProblem(t *testing.T, answer httpAnswer, status int) {
	t.Helper()
	var problem struct {
		Type      string `json:"type"`
		Title     string `json:"title"`
		Status    int    `json:"status"`
		Detail    string `json:"detail"`
		Code      string `json:"code"`
		Retryable bool   `json:"retryable"`
		RequestID string `json:"requestId"`
	}
	if err := trigger.StrictJSON([]byte(answer.Body), &problem); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != status || problem.Status != status {
		t.Errorf("status %d, in the document %d, want %d", answer.StatusCode, problem.Status, status)
	}
	if problem.Type != "about:blank" || problem.Title != http.StatusText(status) || problem.Detail == "" ||
		problem.Code == "" || problem.Retryable || problem.RequestID != "http-1" {
		t.Errorf("problem %+v", problem)
	}
	want := map[string]string{"Content-Type": "application/problem+json", "X-Content-Type-Options": "nosniff",
		"Cache-Control": "no-store"}
	if !reflect.DeepEqual(answer.Headers, want) {
		t.Errorf("headers %v, want %v", answer.Headers, want)
	}
}

func TestServeHTTPPanic(t *testing.T) {
	t.Parallel()
	tests := map[string]func(http.ResponseWriter){
		"before an answer": func(http.ResponseWriter) { panic("a secret") },
		"amid an answer": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("half"))
			panic(errors.New("a secret"))
		},
		"of the runtime": func(w http.ResponseWriter) { _ = []int{}[len(w.Header())] },
		"wrong status":   func(w http.ResponseWriter) { w.WriteHeader(0) },
	}
	for name, handle := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := serve(t, fcEvent(nil), func(w http.ResponseWriter, _ *http.Request) { handle(w) })
			checkProblem(t, answer, http.StatusInternalServerError)
			if strings.Contains(answer.Body, "secret") || strings.Contains(answer.Body, ".go:") {
				t.Errorf("the answer tells too much: %s", answer.Body)
			}
		})
	}
}

func TestServeHTTPAnswer(t *testing.T) {
	t.Parallel()
	text := func(body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { fmt.Fprint(w, body) }
	}
	secure := func(more map[string]string) map[string]string {
		headers := map[string]string{
			"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff",
			"Cache-Control": "no-store",
		}
		for name, value := range more {
			headers[name] = value
		}
		return headers
	}
	tests := map[string]struct {
		data   []byte
		handle func(http.ResponseWriter)
		want   httpAnswer
	}{
		"nothing written": {fcEvent(nil), func(http.ResponseWriter) {}, httpAnswer{200, secure(nil), false, "", nil}},
		"text":            {fcEvent(nil), text("<ok> & 中"), httpAnswer{200, secure(nil), false, "<ok> & 中", nil}},
		"bytes": {lambdaEvent(nil), text("\xff\x00"),
			httpAnswer{200, secure(map[string]string{"Content-Type": "application/octet-stream"}), true, "/wA=", nil}},
		"HEAD": {lambdaEvent(event{"method": "HEAD"}), text("ok"), httpAnswer{200, secure(nil), false, "", nil}},
		"no content": {fcEvent(nil), func(w http.ResponseWriter) { w.WriteHeader(204); fmt.Fprint(w, "x") },
			httpAnswer{204, secure(nil), false, "", nil}},
		"first status counts": {fcEvent(nil),
			func(w http.ResponseWriter) { w.WriteHeader(103); w.WriteHeader(202); w.WriteHeader(500) },
			httpAnswer{202, secure(nil), false, "", nil}},
		"headers after the status are late": {fcEvent(nil), func(w http.ResponseWriter) {
			w.WriteHeader(200)
			w.Header().Set("X-Late", "1")
		}, httpAnswer{200, secure(nil), false, "", nil}},
		"headers of the handler": {fcEvent(nil), func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cache-Control", "max-age=1")
			w.Header()["Vary"] = []string{"A", "B"}
			w.Header().Set("Location", "/snapshots/s-1")
		},
			httpAnswer{200,
				secure(map[string]string{"Content-Type": "application/json", "Cache-Control": "max-age=1",
					"Vary": "A, B", "Location": "/snapshots/s-1"}), false, "", nil}},
		"headers of the platform": {lambdaEvent(nil), func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "7")
			w.Header().Set("Connection", "close")
			w.Header().Set("Transfer-Encoding", "chunked")
		}, httpAnswer{200, secure(nil), false, "", nil}},
		"x-fc- on FC": {fcEvent(nil), func(w http.ResponseWriter) {
			w.Header()["x-fc-request-id"] = []string{"1"}
			w.Header().Set("X-Fc-Status", "1")
		}, httpAnswer{200, secure(nil), false, "", nil}},
		"x-fc- on Lambda": {lambdaEvent(nil), func(w http.ResponseWriter) { w.Header().Set("X-Fc-Status", "1") },
			httpAnswer{200, secure(map[string]string{"X-Fc-Status": "1"}), false, "", nil}},
		"cookie on FC": {fcEvent(nil), func(w http.ResponseWriter) { w.Header().Add("Set-Cookie", "a=1") },
			httpAnswer{200, secure(map[string]string{"Set-Cookie": "a=1"}), false, "", nil}},
		"cookies on Lambda": {lambdaEvent(nil), func(w http.ResponseWriter) {
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
		}, httpAnswer{200, secure(nil), false, "", []string{"a=1", "b=2"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := serve(t, test.data, func(w http.ResponseWriter, _ *http.Request) { test.handle(w) })
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestServeHTTPNoRequest(t *testing.T) {
	t.Parallel()
	const context = `"requestContext":{"http":{"method":"GET"}}}`
	tests := map[string]string{
		"empty":                 ``,
		"no JSON":               `GET / HTTP/1.1`,
		"list":                  `[]`,
		"timer":                 `{"triggerTime":"2026-01-30T19:00:00Z","triggerName":"daily","payload":"{}"}`,
		"order":                 `{"target":"web-1","role":"deploy","key":"build-42"}`,
		"API Gateway REST":      `{"version":"1.0","httpMethod":"GET","path":"/",` + context,
		"no method":             `{"version":"2.0","rawPath":"/","requestContext":{}}`,
		"method of wrong type":  `{"version":"2.0","rawPath":"/","requestContext":{"http":{"method":1}}}`,
		"headers of wrong type": `{"version":"v1","rawPath":"/","headers":{"a":["b"]},` + context,
		"doubled field":         `{"version":"v1","rawPath":"/","rawPath":"/x",` + context,
		"doubled by case":       `{"version":"v1","rawPath":"/","RAWPATH":"/x",` + context,
		"doubled header":        `{"version":"v1","rawPath":"/","headers":{"a":"b","a":"c"},` + context,
		"field in another case": `{"version":"v1","RAWPATH":"/",` + context,
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := trigger.ServeHTTP(t.Context(), []byte(data), http.NotFoundHandler(), httpapi.WriteStatus)
			if out != nil {
				t.Errorf("answered %s", out)
			}
			checkMalformed(t, err)
		})
	}
}

func TestRequestIDElsewhere(t *testing.T) {
	t.Parallel()
	if id := trigger.RequestID(t.Context()); id != "" {
		t.Errorf("request ID %q without an event", id)
	}
}

// checkMalformed checks that err is what this package answers to what it cannot read.
func checkMalformed(t *testing.T, err error) {
	t.Helper()
	var known *snapshot.Error
	if !errors.As(err, &known) {
		t.Fatalf("error %v, want a snapshot.Error", err)
	}
	if known.Code != snapshot.CodeMalformed || known.Kind != snapshot.KindMalformed || known.Retryable {
		t.Errorf("error %+v", known)
	}
	if !strings.Contains(known.Message, "expected ") {
		t.Errorf("the error does not say what was expected: %s", known.Message)
	}
}

// Every problem document carries a request ID: that of the API, else that of the platform.
func TestProblemsHaveRequestID(t *testing.T) {
	t.Parallel()
	for id, handler := range map[string]http.HandlerFunc{
		"http-1": func(w http.ResponseWriter, _ *http.Request) { httpapi.WriteStatus(w, 404, "nothing") },
		"api-1": func(w http.ResponseWriter, _ *http.Request) {
			httpapi.WriteError(w, &snapshot.Error{Code: "InternalError", RequestID: "api-1"})
		},
	} {
		answer, err := trigger.ServeHTTP(t.Context(), fcEvent(nil), handler, httpapi.WriteStatus)
		if err != nil || !strings.Contains(string(answer), `\"requestId\":\"`+id+`\"`) {
			t.Errorf("%s: %s, %v", id, answer, err)
		}
	}
}

func BenchmarkServeHTTP(b *testing.B) {
	data := fcEvent(event{"method": "POST", "body": strings.Repeat("x", 4096),
		"headers": event{"content-type": "application/json"}})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := trigger.ServeHTTP(b.Context(), data, handler, httpapi.WriteStatus); err != nil {
			b.Fatal(err)
		}
	}
}
