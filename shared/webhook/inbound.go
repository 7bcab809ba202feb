package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// request is what arrived. Nothing in it is to be believed before the sender's verify has passed it.
type request struct {
	method string
	media  string // Content-Type without parameters
	header http.Header
	query  url.Values
	body   string // the raw bytes, over which signatures go
	now    time.Time
	random io.Reader // for encrypted answers

	// Set by verify.
	plain  string   // what is to be parsed: the body, or what it had encrypted
	opened envelope // what seals the answer, of senders that encrypt
}

// one returns the only value of a header; "" if it is absent, has more than [headerMax] bytes or is repeated: then it is
// not known which one counts.
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

// inbound is what an authentic request turns out to be: an ignored, a handshake, an ask, a pipeline or a
// machineOrder.
type inbound interface{ isInbound() }

type (
	// ignored is a request that we do not act on, and why. It is a success: the sender has done nothing wrong.
	ignored string
	// handshake is a request of the protocol itself, with its answer.
	handshake answer
	// machineOrder is an order in the form of this project.
	machineOrder snapshot.Order
)

func (ignored) isInbound()      {}
func (handshake) isInbound()    {}
func (machineOrder) isInbound() {}
func (ask) isInbound()          {}
func (pipeline) isInbound()     {}

// answer is what goes back.
type answer struct {
	media string
	body  []byte
}

// jsonAnswer renders a value as JSON, without HTML escapes: a chat shows them.
func jsonAnswer(value any) answer {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("answer has no JSON form: %v", err)) // only types of this package come here
	}
	return answer{"application/json", []byte(text.String())}
}

// malformed says that an authentic request cannot be read.
func malformed(format string, args ...any) error {
	return &snapshot.Error{Code: snapshot.CodeMalformed, Kind: snapshot.KindMalformed, Message: fmt.Sprintf(format, args...)}
}

// decodeJSON reads the JSON of a vendor: unknown fields are welcome, doubled ones are not.
func decodeJSON(text string, into any) error {
	if err := trigger.CheckJSON([]byte(text)); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return malformed("the JSON has a field of another type than this sender documents")
	}
	return nil
}

// formMax is how many fields a form may have.
const formMax = 64

// decodeForm reads a form. A field that stands twice is refused: two readers may take different ones.
func decodeForm(text string) (url.Values, error) {
	if strings.Count(text, "&") >= formMax {
		return nil, malformed("the form has more than %d fields", formMax)
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, malformed("the form is not encoded as application/x-www-form-urlencoded")
	}
	for _, values := range form {
		if len(values) > 1 {
			return nil, malformed("a field of the form stands twice: name each once")
		}
	}
	return form, nil
}

// required refuses a request that lacks something by which it is identified or authorised.
func required(fields map[string]string) error {
	for _, name := range sortedKeys(fields) {
		if fields[name] == "" {
			return malformed("field %s is missing", name)
		}
	}
	return nil
}
