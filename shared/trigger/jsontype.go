package trigger

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
)

// The kinds of JSON values, as an error calls them.
const (
	kindNull   = "null"
	kindText   = "text"
	kindNumber = "a number"
	kindBool   = "true or false"
	kindList   = "a list"
	kindObject = "an object"
)

func kindOf(token json.Token) string {
	switch token := token.(type) {
	case nil:
		return kindNull
	case string:
		return kindText
	case bool:
		return kindBool
	case json.Delim:
		if token == '[' {
			return kindList
		}
		return kindObject
	default:
		return kindNumber
	}
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonNumber      = reflect.TypeFor[json.Number]()
)

// shapeOf returns the type behind pointers and the kind of JSON value that it takes. A type that takes any value, or
// decodes itself, has neither.
func shapeOf(t reflect.Type) (reflect.Type, string) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t == jsonNumber {
		return nil, ""
	}
	if p := reflect.PointerTo(t); p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler) {
		return nil, ""
	}
	switch t.Kind() {
	case reflect.String:
		return t, kindText
	case reflect.Bool:
		return t, kindBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return t, kindNumber
	case reflect.Struct, reflect.Map:
		return t, kindObject
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 { // base64 text
			return nil, ""
		}
		return t, kindList
	default:
		return nil, ""
	}
}

// field is one field of a struct as JSON names it.
type field struct {
	name string
	typ  reflect.Type
}

// fields are those of a struct, in its order; nil for anything else.
type fields []field

func fieldsOf(t reflect.Type) fields {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	known := fields{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		known = append(known, field{name, f.Type})
	}
	return known
}

// find returns the field that encoding/json would fill, whatever the case of the name.
func (known fields) find(name string) (field, bool) {
	folded := fold(name)
	for _, f := range known {
		if fold(f.name) == folded {
			return f, true
		}
	}
	return field{}, false
}

// String lists the names: "role, targets, sweep".
func (known fields) String() string {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}
