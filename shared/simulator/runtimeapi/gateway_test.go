package runtimeapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// gateway starts the function in testdata behind its HTTP endpoint.
func gateway(t *testing.T, c Config) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(Gateway(start(t, c)))
	t.Cleanup(server.Close)
	return server
}

// call sends a request and returns the response with its body.
func call(t *testing.T, server *httptest.Server, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(content)
}

func TestGatewayEvent(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 30, 19, 2, 3, 456e6, time.UTC)
	want := map[Platform]string{
		FC: `{"version":"v1","rawPath":"/a%20b","body":"{\"é\":1}","isBase64Encoded":false,
			"headers":{"Accept":"x, y,z","Accept-Encoding":"gzip","Content-Length":"8","Content-Type":"application/json; charset=utf-8",
				"Cookie":"c=1; d=2","Host":"HOST","User-Agent":"test"},
			"queryParameters":{"q":"1,2","r":"a b"},
			"requestContext":{"accountId":"42","domainName":"HOST","domainPrefix":"127",
				"http":{"method":"PUT","path":"/a b","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"test"},
				"requestId":"ID","time":"2026-01-30T19:02:03Z","timeEpoch":"1769799723456"}}`,
		Lambda: `{"version":"2.0","routeKey":"$default","rawPath":"/a%20b","rawQueryString":"q=1&q=2&r=a+b","cookies":["c=1","d=2"],
			"headers":{"accept":"x, y,z","accept-encoding":"gzip","content-length":"8","content-type":"application/json; charset=utf-8",
				"host":"HOST","user-agent":"test","x-fc-mine":"1","x-forwarded-for":"127.0.0.1","x-forwarded-proto":"http"},
			"queryStringParameters":{"q":"1,2","r":"a b"},
			"requestContext":{"accountId":"anonymous","apiId":"127","domainName":"HOST","domainPrefix":"127",
				"http":{"method":"PUT","path":"/a b","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"test"},
				"requestId":"ID","routeKey":"$default","stage":"$default","time":"30/Jan/2026:19:02:03 +0000","timeEpoch":1769799723456},
			"body":"{\"é\":1}","isBase64Encoded":false}`,
	}
	header := map[Platform]string{FC: "X-Fc-Request-Id", Lambda: "X-Amzn-Requestid"}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		server := gateway(t, Config{Platform: p, AccountID: "42", Now: func() time.Time { return now }})
		response, body := call(t, server, "PUT", "/a%20b?q=1&q=2&r=a+b", `{"é":1}`,
			"Content-Type", "application/json; charset=utf-8", "User-Agent", "test", "Cookie", "c=1; d=2",
			"Accept", "x, y", "Accept", "z", "X-Fc-Mine", "1")
		if response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/x-event" {
			t.Fatalf("response %s: %s", response.Status, body)
		}
		fill := strings.NewReplacer("HOST", server.Listener.Addr().String(), "ID", response.Header.Get(header[p]))
		var seen, wanted any
		if err := json.Unmarshal([]byte(body), &seen); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(fill.Replace(want[p])), &wanted); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(seen, wanted) {
			t.Errorf("event\n got %v\nwant %v", seen, wanted)
		}
	})
}

func TestGatewayBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body, kind, encoding string
		base64               map[Platform]bool
	}{
		"Empty":      {},
		"JSON":       {body: `{}`, kind: "application/json"},
		"Problem":    {body: `{}`, kind: "application/problem+json"},
		"Untyped":    {body: "text"},
		"NotUTF8":    {body: "\xff", kind: "text/plain", base64: map[Platform]bool{FC: true, Lambda: true}},
		"Binary":     {body: "text", kind: "image/png", base64: map[Platform]bool{FC: true, Lambda: true}},
		"BrokenType": {body: "text", kind: "a/b/c", base64: map[Platform]bool{FC: true, Lambda: true}},
		"Compressed": {body: "text", kind: "text/plain", encoding: "gzip", base64: map[Platform]bool{FC: true, Lambda: true}},
		"Form":       {body: "a=b", kind: "application/x-www-form-urlencoded", base64: map[Platform]bool{Lambda: true}},
	}
	for name, test := range tests {
		for p, front := range fronts {
			t.Run(name+"/"+string(p), func(t *testing.T) {
				t.Parallel()
				request := httptest.NewRequest(http.MethodPost, "/", nil)
				if test.kind != "" {
					request.Header.Set("Content-Type", test.kind)
				}
				if test.encoding != "" {
					request.Header.Set("Content-Encoding", test.encoding)
				}
				var event struct {
					Body            string
					IsBase64Encoded bool
				}
				if err := json.Unmarshal(front.event(request, []byte(test.body), mapped{}), &event); err != nil {
					t.Fatal(err)
				}
				body := event.Body
				if event.IsBase64Encoded {
					decoded, err := base64.StdEncoding.DecodeString(body)
					if err != nil {
						t.Fatal(err)
					}
					body = string(decoded)
				}
				if body != test.body || event.IsBase64Encoded != test.base64[p] {
					t.Errorf("body %q, base64 %t", body, event.IsBase64Encoded)
				}
			})
		}
	}
}

func TestFunctionURLForwards(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ url, forwarded, wantFor, wantProto string }{
		"HTTP":    {url: "http://a.b/", wantFor: "192.0.2.1", wantProto: "http"},
		"HTTPS":   {url: "https://a.b/", wantFor: "192.0.2.1", wantProto: "https"},
		"Proxied": {url: "http://a.b/", forwarded: "198.51.100.7", wantFor: "198.51.100.7,192.0.2.1", wantProto: "http"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequest(http.MethodGet, test.url, nil)
			if test.forwarded != "" {
				request.Header.Set("X-Forwarded-For", test.forwarded)
			}
			headers := urlHeaders(request, "192.0.2.1")
			if headers["x-forwarded-for"] != test.wantFor || headers["x-forwarded-proto"] != test.wantProto {
				t.Errorf("headers %v", headers)
			}
		})
	}
}

func TestGatewayAnswer(t *testing.T) {
	t.Parallel()
	const plain, internal = "application/json", `{"Message":"Internal Server Error"}`
	type answer struct {
		status     int
		kind, body string
		cookies    int
	}
	tests := map[string]map[Platform]answer{
		"/plain":  {FC: {200, plain, `{"a":1}`, 0}, Lambda: {200, plain, `{"a":1}`, 0}},
		"/binary": {FC: {201, "image/png", "\x89PNG\r\n\x1a\n", 0}, Lambda: {201, "image/png", "\x89PNG\r\n\x1a\n", 0}},
		"/cookies": {
			FC:     {200, plain, "", 0}, // only Lambda knows the field
			Lambda: {200, plain, "", 2},
		},
		"/fail": {
			FC:     {502, plain, `{"errorMessage":"said to fail","errorType":"Custom.Code"}`, 0},
			Lambda: {502, plain, internal, 0},
		},
		"/reserved": {
			FC: {502, plain, `{"errorMessage":"the answer's header X-FC-Trick is reserved: it must not begin with x-fc-",` +
				`"errorType":"InvalidResponse"}`, 0},
			Lambda: {200, plain, "", 0},
		},
		"/broken": {
			FC: {502, plain, `{"errorMessage":"the answer's fields have the wrong types: want statusCode a number, headers an ` +
				`object of strings, body a string, isBase64Encoded a boolean","errorType":"InvalidResponse"}`, 0},
			Lambda: {502, plain, internal, 0},
		},
	}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		server := gateway(t, Config{Platform: p})
		for path, wants := range tests {
			want := wants[p]
			response, body := call(t, server, "GET", path, "")
			if response.StatusCode != want.status || response.Header.Get("Content-Type") != want.kind || body != want.body {
				t.Errorf("%s: %s %s %s", path, response.Status, response.Header.Get("Content-Type"), body)
			}
			if n := len(response.Cookies()); n != want.cookies {
				t.Errorf("%s: %d cookies, want %d", path, n, want.cookies)
			}
		}
	})
}

func TestGatewayRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path, body string
		headers    []string
		status     map[Platform]int
	}{
		"BodyAtLimit":   {path: "/plain", body: strings.Repeat("a", bodyLimit), status: map[Platform]int{FC: 200, Lambda: 413}}, // the event is larger
		"BodyOverLimit": {path: "/plain", body: strings.Repeat("a", bodyLimit+1), status: map[Platform]int{FC: 413, Lambda: 413}},
		"LongPath":      {path: "/plain?" + strings.Repeat("a", 4<<10), status: map[Platform]int{FC: 400, Lambda: 200}},
		"LongHeaders":   {path: "/plain", headers: []string{"A", strings.Repeat("a", 8<<10)}, status: map[Platform]int{FC: 400, Lambda: 200}},
		"AsyncTooLarge": {
			path: "/plain", body: strings.Repeat("a", 128<<10), headers: []string{"X-Fc-Invocation-Type", "Async"},
			status: map[Platform]int{FC: 413, Lambda: 200},
		},
	}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		server := gateway(t, Config{Platform: p})
		for name, test := range tests {
			if response, body := call(t, server, "POST", test.path, test.body, test.headers...); response.StatusCode != test.status[p] {
				t.Errorf("%s: %s %.100s, want %d", name, response.Status, body, test.status[p])
			}
		}
	})
}

func TestGatewayOfClosedFunction(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		server := httptest.NewServer(Gateway(f))
		t.Cleanup(server.Close)
		f.Close()
		for _, kind := range []string{"Sync", "Async"} {
			if response, body := call(t, server, "GET", "/plain", "", "X-Fc-Invocation-Type", kind); response.StatusCode != 503 {
				t.Errorf("%s: %s %s", kind, response.Status, body)
			}
		}
	})
}

func TestGatewayAsync(t *testing.T) {
	t.Parallel()
	delivered := make(chan Delivery, 1)
	server := gateway(t, Config{Platform: FC, Delivered: func(d Delivery) { delivered <- d }})
	response, body := call(t, server, "POST", "/fail", "x", "X-Fc-Invocation-Type", "async")
	if response.StatusCode != 202 || body != "" {
		t.Fatalf("response %s: %s", response.Status, body)
	}
	d := <-delivered
	if d.Attempts != 4 || d.Answer.FunctionError != "Custom.Code" || d.Err == nil {
		t.Errorf("delivery %+v", d)
	}
	if id := response.Header.Get("X-Fc-Request-Id"); id == d.Answer.RequestID || !strings.Contains(string(d.Event), id) {
		t.Errorf("request ID %s is not that of the first attempt alone", id)
	}
}
