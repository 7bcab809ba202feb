package trigger

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDepth is how deep objects and lists may nest in a JSON value.
const maxDepth = 32

// CheckJSON reports whether data is exactly one JSON value that every reader reads alike: valid UTF-8, nothing behind
// the value, no field twice in an object at any depth, not even in another case (encoding/json takes DISKID for
// DiskId and the long s for an s), and nesting no deeper than 32. Use it before decoding the JSON of a vendor,
// whose unknown fields are welcome. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed].
func CheckJSON(data []byte) error { return walk(data, nil, rules{}, false) }

// StrictJSON decodes data into the value that into points to, by the rules of [CheckJSON] and more: a field that the
// type does not have, a field in another case than its tag, a value of another type and null are refused. Use it for
// formats of this project. Where the type is any, [json.RawMessage] or decodes itself, what lies beneath is held to the
// rules of CheckJSON only. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed].
func StrictJSON(data []byte, into any) error {
	return decodeJSON(data, into, rules{noUnknown: true, noNull: true})
}

// vendorJSON decodes a vendor's envelope: as StrictJSON, but unknown fields and null are passed over.
func vendorJSON(data []byte, into any) error { return decodeJSON(data, into, rules{}) }

// rules are what a walk demands beyond the structure.
type rules struct {
	noUnknown bool // fields that the type does not have
	noNull    bool // null where the type has a value
	dataKeys  bool // outside structs a key is data: in another case it is another key
}

func decodeJSON(data []byte, into any, demand rules) error {
	// Unmarshal comes first, for it proves the syntax on its way; what it says against a value comes last, for walk says
	// it better.
	err := json.Unmarshal(data, into)
	if refused := walk(data, reflect.TypeOf(into), demand, err == nil); refused != nil {
		return refused
	}
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return malformed("field %s has a value out of range", quoteName(wrongType.Field))
	default:
		return malformed("a value has a form that its field does not take")
	}
}

// walk checks one JSON value against the structure rules and, unless t is nil, against a type. parsed says that its
// syntax is known to be right.
func walk(data []byte, t reflect.Type, demand rules, parsed bool) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return malformed("nothing arrived: the input is empty")
	}
	if !utf8.Valid(data) {
		return malformed("the input is not valid UTF-8")
	}
	if !parsed {
		if err := checkSyntax(data); err != nil {
			return err
		}
	}
	w := walker{rules: demand, data: data}
	return w.value(t, place{}, 0)
}

// checkSyntax says where JSON ends being JSON. The decoder's own message quotes the input, so it is not passed on.
func checkSyntax(data []byte) error {
	if json.Valid(data) {
		return nil
	}
	var whole json.RawMessage
	err := json.Unmarshal(data, &whole)
	var syntax *json.SyntaxError
	switch {
	case !errors.As(err, &syntax):
		return malformed("the input is not JSON")
	case strings.Contains(syntax.Error(), "max depth"):
		return malformed("objects and lists nest deeper than %d", maxDepth)
	case strings.Contains(syntax.Error(), "after top-level value"):
		return malformed("something follows the JSON value, at byte %d", syntax.Offset)
	case strings.Contains(syntax.Error(), "unexpected end"):
		return malformed("the JSON ends too early, at byte %d", syntax.Offset)
	default:
		return malformed("the input is not JSON, at byte %d", syntax.Offset)
	}
}

// fold maps names that encoding/json takes for the same field to one: by Unicode's simple folding, which knows the
// long s and the Kelvin sign.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r // for speed: most names stay as they are
		}
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		if smallest >= 'A' && smallest <= 'Z' {
			smallest += 'a' - 'A'
		}
		return smallest
	}, name)
}
