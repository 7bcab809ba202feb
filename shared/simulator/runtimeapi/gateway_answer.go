package runtimeapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// httpAnswer is what a function answers to an HTTP event, on both platforms.
type httpAnswer struct {
	StatusCode      *int              `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"` // Lambda only
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`

	content []byte // the body, decoded
}

// decodeHTTPAnswer reads a function's answer. JSON without a statusCode is, on both platforms, a body of its own: 200,
// application/json. Anything else is an error that names the defect and quotes nothing of the answer.
func decodeHTTPAnswer(payload []byte) (httpAnswer, error) {
	payload = bytes.Trim(payload, " \t\r\n") // the white space of JSON, and no other
	if !json.Valid(payload) {
		return httpAnswer{}, fmt.Errorf("the answer is not JSON")
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(payload, &fields) // leaves none if it is no object
	if _, found := fields["statusCode"]; !found {
		ok := http.StatusOK
		return httpAnswer{
			StatusCode: &ok, Headers: map[string]string{"Content-Type": "application/json"}, content: payload,
		}, nil
	}
	var a httpAnswer
	if err := json.Unmarshal(payload, &a); err != nil {
		return httpAnswer{}, fmt.Errorf("the answer's fields have the wrong types: want statusCode a number, " +
			"headers an object of strings, body a string, isBase64Encoded a boolean")
	}
	if a.StatusCode == nil || *a.StatusCode < 200 || *a.StatusCode > 599 {
		return httpAnswer{}, fmt.Errorf("the answer's statusCode is not between 200 and 599")
	}
	a.content = []byte(a.Body)
	if a.IsBase64Encoded {
		content, err := base64.StdEncoding.DecodeString(a.Body)
		if err != nil {
			return httpAnswer{}, fmt.Errorf("the answer's body is not base64, although isBase64Encoded is true")
		}
		a.content = content
	}
	return a, nil
}

// respond writes a function's answer as the response; 502 if it is none.
func (g front) respond(w http.ResponseWriter, a Answer) {
	answer, err := decodeHTTPAnswer(a.Payload)
	for name := range answer.Headers {
		if g.reserved != "" && strings.HasPrefix(strings.ToLower(name), g.reserved) {
			err = fmt.Errorf("the answer's header %s is reserved: it must not begin with %s", name, g.reserved)
		}
	}
	if err != nil {
		(&failure{kind: "InvalidResponse", message: err.Error()}).put(&a)
		g.failed(w, a)
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	if g.cookies {
		for _, cookie := range answer.Cookies {
			w.Header().Add("Set-Cookie", cookie)
		}
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json") // the default of both platforms
	}
	w.Header().Del("Content-Length") // counted anew
	w.WriteHeader(*answer.StatusCode)
	_, _ = w.Write(answer.content) // a caller that has gone misses it
}
