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

// MaxDepth is how deep objects and lists may nest in a JSON value.
const MaxDepth = 32

// CheckJSON tells whether data is exactly one JSON value that every reader reads alike: valid UTF-8, nothing behind
// the value, no field twice in an object at any depth, not even in another case (encoding/json takes DISKID for
// DiskId and the long s for an s), and nesting no deeper than [MaxDepth]. Use it before decoding the JSON of a vendor,
// whose unknown fields are welcome. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed].
func CheckJSON(data []byte) error { return walk(data, nil, rules{}) }

// StrictJSON decodes data into the value that into points to, by the rules of [CheckJSON] and more: a field that the
// type does not have, a field in another case than its tag, a value of another type and null are refused. Use it for
// formats of this project. Where the type is a map, any, [json.RawMessage] or decodes itself, what lies beneath is held
// to the rules of CheckJSON only. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed].
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
	if err := walk(data, reflect.TypeOf(into), demand); err != nil {
		return err
	}
	err := json.Unmarshal(data, into)
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

// walk checks one JSON value against the structure rules and, unless t is nil, against a type.
func walk(data []byte, t reflect.Type, demand rules) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return malformed("nothing arrived: the input is empty")
	}
	if !utf8.Valid(data) {
		return malformed("the input is not valid UTF-8")
	}
	if err := checkSyntax(data); err != nil {
		return err
	}
	w := walker{json.NewDecoder(bytes.NewReader(data)), demand}
	w.UseNumber()
	return w.value(t, "the input", 0)
}

// checkSyntax says where JSON ends being JSON. The decoder's own message quotes the input, so it is not passed on.
func checkSyntax(data []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(data, &whole)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &syntax):
		return malformed("the input is not JSON")
	case strings.Contains(syntax.Error(), "max depth"):
		return malformed("objects and lists nest deeper than %d", MaxDepth)
	case strings.Contains(syntax.Error(), "after top-level value"):
		return malformed("something follows the JSON value, at byte %d", syntax.Offset)
	case strings.Contains(syntax.Error(), "unexpected end"):
		return malformed("the JSON ends too early, at byte %d", syntax.Offset)
	default:
		return malformed("the input is not JSON, at byte %d", syntax.Offset)
	}
}

// walker reads one JSON value, which is known to be well-formed, token by token.
type walker struct {
	*json.Decoder
	rules
}

// value checks the next value. name is what to call it in an error.
func (w walker) value(t reflect.Type, name string, depth int) error {
	token, err := w.Token()
	if err != nil {
		return malformed("the input is not JSON")
	}
	t, want := shapeOf(t)
	if got := kindOf(token); want != "" && got != want && (got != kindNull || w.noNull) {
		return malformed("%s is %s, not %s", name, got, want)
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth++; depth > MaxDepth {
		return malformed("objects and lists nest deeper than %d", MaxDepth)
	}
	if open == '{' {
		err = w.object(t, depth)
	} else {
		err = w.list(t, name, depth)
	}
	if err != nil {
		return err
	}
	_, err = w.Token() // the closing bracket
	return err
}

func (w walker) list(t reflect.Type, name string, depth int) error {
	var element reflect.Type
	if t != nil {
		element = t.Elem()
	}
	for w.More() {
		if err := w.value(element, "an element of "+name, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w walker) object(t reflect.Type, depth int) error {
	known := fieldsOf(t)
	seen := make(map[string]string)
	for w.More() {
		token, err := w.Token()
		if err != nil {
			return malformed("the input is not JSON")
		}
		key, _ := token.(string)
		folded := fold(key)
		if w.dataKeys && known == nil {
			folded = key
		}
		if first, twice := seen[folded]; twice {
			return malformed("field %s stands beside %s: name each field once", quoteName(key), quoteName(first))
		}
		seen[folded] = key

		field, found := known.find(key)
		switch {
		case found && field.name != key:
			return malformed("field %s must be written %s", quoteName(key), quoteName(field.name))
		case !found && known != nil && w.noUnknown:
			return malformed("field %s is unknown: the fields are %s", quoteName(key), known)
		}
		below := field.typ
		if t != nil && t.Kind() == reflect.Map {
			below = t.Elem()
		}
		if err := w.value(below, "field "+quoteName(key), depth); err != nil {
			return err
		}
	}
	return nil
}

// fold maps names that encoding/json takes for the same field to one: by Unicode's simple folding, which knows the
// long s and the Kelvin sign.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		for {
			next := unicode.SimpleFold(r)
			if next <= r {
				return next // the smallest rune of the orbit
			}
			r = next
		}
	}, name)
}
