package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// request is what arrived. Nothing in it is to be believed before the sender's verify has passed it.
type request struct {
	method string
	media  string // Content-Type without parameters
	header http.Header
	query  url.Values
	body   string // the raw bytes, over which signatures go
	now    time.Time

	// Set by verify.
	plain  string   // what is to be parsed: the body, or what it had encrypted
	opened envelope // what encrypts the answer, of senders that encrypt
}

// one returns the only value of a header; "" if it is absent, has more than [headerMax] bytes or is repeated: then it
// is not known which one counts.
func (r *request) one(name string) string {
	if values := r.header.Values(name); len(values) == 1 && len(values[0]) <= headerMax {
		return values[0]
	}
	return ""
}

// oneOf returns the only value of a query parameter, or "".
func (r *request) oneOf(name string) string {
	if values := r.query[name]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// inbound is what an authentic request turns out to be: ignored, a handshake, a message, a pipelineEvent or a
// machineOrder. act does what it asks for, and answers.
type inbound interface {
	act(context.Context, *call)
}

type (
	// ignored is a request that is not acted on, and why. It is a success: the sender has done nothing wrong.
	ignored string
	// handshake is a request of the protocol itself, with its answer.
	handshake content
	// machineOrder is the ID of a message that has an order in the form of this project.
	machineOrder string
)

// content is the body of an answer.
type content struct {
	media string
	body  []byte
}

// jsonContent renders a value as JSON, without HTML escapes: a chat shows them.
func jsonContent(value any) content {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("answer has no JSON form: %v", err)) // only types of this package come here
	}
	return content{mediaJSON, []byte(text.String())}
}

// challenge answers the handshake of Slack and Feishu.
func challenge(text string) handshake {
	return handshake(jsonContent(map[string]string{"challenge": text}))
}

// trustedURL returns text if it is an https URL of this host and path, or below the path if that ends with a slash;
// else "". A body that no signature covers must not make the function call any other server.
func trustedURL(text, host, at string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host != host || u.User != nil || u.Opaque != "" || u.Fragment != "" ||
		u.EscapedPath() != u.Path || path.Clean(u.Path) != u.Path {
		return ""
	}
	if u.Path == at || strings.HasSuffix(at, "/") && strings.HasPrefix(u.Path, at) {
		return text
	}
	return ""
}
