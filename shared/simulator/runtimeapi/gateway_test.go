package runtimeapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
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
func call(t *testing.T, server *httptest.Server, method, path, body string, headers ...string) (*http.Response,
	string) {
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
			"headers":{"Accept":"x, y,z","Accept-Encoding":"gzip","Content-Length":"8",
				"Content-Type":"application/json; charset=utf-8",
				"Cookie":"c=1; d=2","Host":"HOST","User-Agent":"test"},
			"queryParameters":{"q":"1,2","r":"a b"},
			"requestContext":{"accountId":"123456789012","domainName":"HOST","domainPrefix":"127",
				"http":{"method":"PUT","path":"/a b","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"test"},
				"requestId":"ID","time":"2026-01-30T19:02:03Z","timeEpoch":"1769799723456"}}`,
		Lambda: `{"version":"2.0","routeKey":"$default","rawPath":"/a%20b","rawQueryString":"q=1&q=2&r=a+b",
			"cookies":["c=1","d=2"],
			"headers":{"accept":"x, y,z","accept-encoding":"gzip","content-length":"8",
				"content-type":"application/json; charset=utf-8",
				"host":"HOST","user-agent":"test","x-fc-mine":"1","x-forwarded-for":"127.0.0.1","x-forwarded-proto":"http"},
			"queryStringParameters":{"q":"1,2","r":"a b"},
			"requestContext":{"accountId":"anonymous","apiId":"127","domainName":"HOST","domainPrefix":"127",
				"http":{"method":"PUT","path":"/a b","protocol":"HTTP/1.1","sourceIp":"127.0.0.1","userAgent":"test"},
				"requestId":"ID","routeKey":"$default","stage":"$default",
				"time":"30/Jan/2026:19:02:03 +0000","timeEpoch":1769799723456},
			"body":"{\"é\":1}","isBase64Encoded":false}`,
	}
	header := map[Platform]string{FC: "X-Fc-Request-Id", Lambda: "X-Amzn-Requestid"}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		server := gateway(t, Config{Platform: p, Now: func() time.Time { return now }})
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
		for p, endpoint := range endpoints {
			t.Run(name+"/"+string(p), func(t *testing.T) {
				t.Parallel()
				request := httptest.NewRequest(http.MethodPost, "/", nil)
				if test.kind != "" {
					request.Header.Set("Content-Type", test.kind)
				}
				if test.encoding != "" {
					request.Header.Set("Content-Encoding", test.encoding)
				}
				event := endpoint.event(request, []byte(test.body), "", time.Time{})
				if got := event["isBase64Encoded"]; got != test.base64[p] {
					t.Errorf("isBase64Encoded: %v", got)
				}
			})
		}
	}
}

// plainType is the type of an answer that names none.
const plainType = "application/json"

func TestGatewayAnswer(t *testing.T) {
	t.Parallel()
	const invalid = `{"errorMessage":"the answer is no HTTP answer: %s","errorType":"InvalidResponse"}`
	tests := map[string]struct { // by the path
		status     int
		kind, body string // body of a 502: that of FC
		cookies    int    // on Lambda; FC does not know the field
	}{
		"/binary":  {status: 201, kind: "image/png", body: "\x89PNG\r\n\x1a\n"},
		"/cookies": {status: 200, kind: plainType, cookies: 2},
		"/fail":    {status: 502, kind: plainType, body: `{"errorMessage":"said to fail","errorType":"Custom.Code"}`},
		"/plain": {status: 502, kind: plainType,
			body: strings.Replace(invalid, "%s", "statusCode 0 is not between 200 and 599", 1)},
		"/base64": {status: 502, kind: plainType,
			body: strings.Replace(invalid, "%s", "illegal base64 data at input byte 0", 1)},
	}
	bothPlatforms(t, func(t *testing.T, p Platform) {
		server := gateway(t, Config{Platform: p})
		for path, want := range tests {
			if p == Lambda && want.status == 502 {
				want.body = `{"Message":"Internal Server Error"}`
			}
			if p == FC {
				want.cookies = 0
			}
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
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		server := httptest.NewServer(Gateway(f))
		t.Cleanup(server.Close)
		for size, want := range map[int]int{bodyLimit: 201, bodyLimit + 1: 413} {
			if response, body := call(t, server, "POST", "/binary", strings.Repeat("a", size)); response.StatusCode != want {
				t.Errorf("a body of %d bytes: %s %.100s, want %d", size, response.Status, body, want)
			}
		}
		f.Close()
		if response, body := call(t, server, "GET", "/binary", ""); response.StatusCode != 503 {
			t.Errorf("a closed function: %s %s", response.Status, body)
		}

		// A caller that has gone gets nothing, and the function nothing of it.
		w := httptest.NewRecorder()
		Gateway(f).ServeHTTP(w, httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("gone"))))
		if w.Body.Len() != 0 {
			t.Errorf("a caller that has gone: %s", w.Body)
		}
	})
}
