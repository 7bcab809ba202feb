package trigger

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
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

// kindOf returns the kind of a JSON value by its first byte.
func kindOf(first byte) string {
	switch first {
	case '{':
		return kindObject
	case '[':
		return kindList
	case '"':
		return kindText
	case 't', 'f':
		return kindBool
	case 'n':
		return kindNull
	default:
		return kindNumber
	}
}

var (
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	jsonNumber      = reflect.TypeFor[json.Number]()
)

// jsonForm is what a walk needs to know of a Go type.
type jsonForm struct {
	takes  string       // the kind of JSON value; "" if any, or if the type decodes itself
	elem   reflect.Type // of a list or a map
	fields []field      // of a struct, in its order
	byFold map[string]field
}

// field is one field of a struct as JSON names it.
type field struct {
	name string
	typ  reflect.Type
}

// anything is the form of what is not held to a type.
var anything = new(jsonForm)

// forms keeps the form of each type that was asked for: types do not change, and reflection is slow.
var forms sync.Map // of reflect.Type to *jsonForm

// formOf returns the form of the type behind pointers. A nil type is anything.
func formOf(t reflect.Type) *jsonForm {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return anything
	}
	if known, found := forms.Load(t); found {
		return known.(*jsonForm)
	}
	made := makeForm(t)
	forms.Store(t, made)
	return made
}

func makeForm(t reflect.Type) *jsonForm {
	p := reflect.PointerTo(t)
	if t == jsonNumber || p.Implements(jsonUnmarshaler) || p.Implements(textUnmarshaler) {
		return anything
	}
	switch t.Kind() {
	case reflect.String:
		return &jsonForm{takes: kindText}
	case reflect.Bool:
		return &jsonForm{takes: kindBool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &jsonForm{takes: kindNumber}
	case reflect.Map:
		return &jsonForm{takes: kindObject, elem: t.Elem()}
	case reflect.Struct:
		f := &jsonForm{takes: kindObject, fields: fieldsOf(t), byFold: make(map[string]field)}
		for _, one := range f.fields {
			f.byFold[fold(one.name)] = one
		}
		return f
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 { // base64 text
			return anything
		}
		return &jsonForm{takes: kindList, elem: t.Elem()}
	default:
		return anything
	}
}

// fieldsOf returns the fields of a struct that encoding/json fills.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, field{name, f.Type})
	}
	return fields
}

// names lists the fields of a struct: "role, targets, sweep".
func (f *jsonForm) names() string {
	names := make([]string, len(f.fields))
	for i, one := range f.fields {
		names[i] = one.name
	}
	return strings.Join(names, ", ")
}

// isStruct reports whether the keys of an object are names of fields.
func (f *jsonForm) isStruct() bool { return f.byFold != nil }
