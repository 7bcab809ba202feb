package trigger

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// StrictJSON decodes data into the value that into points to, by the rules of [CheckJSON] and more: a field that the
// type does not have, a field in another case than its tag, a value of another type and null are refused. Use it for
// formats of this project. The type is made of structs, slices, maps with text keys, pointers, text, numbers and bools;
// what is held by any or by a [json.Unmarshaler] follows the rules of CheckJSON only. The error is a [*snapshot.Error]
// with Code [snapshot.CodeMalformed], and into may be filled in part.
func StrictJSON(data []byte, into any) error { return parse(data, fold).fill(into, true) }

// fill sets the value that into points to. Not strict, it passes over null and over fields that the type does not have,
// as for the form of a vendor.
func (n node) fill(into any, strict bool) error {
	if err := n.check(); err != nil {
		return err
	}
	return n.set(reflect.ValueOf(into).Elem(), strict)
}

// kinds of JSON values by the Go values that take them.
var kinds = map[reflect.Kind]string{
	reflect.String: kindText, reflect.Bool: kindBool, reflect.Int: kindNumber, reflect.Int64: kindNumber,
	reflect.Float64: kindNumber, reflect.Slice: kindList, reflect.Map: kindObject, reflect.Struct: kindObject,
}

var (
	nodeType    = reflect.TypeFor[node]()
	unmarshaler = reflect.TypeFor[json.Unmarshaler]()
)

func (n node) set(into reflect.Value, strict bool) error {
	t := into.Type()
	takes := kinds[t.Kind()]
	switch {
	case t == nodeType:
		into.Set(reflect.ValueOf(n))
		return nil
	case n.kind == kindNull && !strict:
		return nil
	case t.Kind() == reflect.Pointer:
		into.Set(reflect.New(t.Elem()))
		return n.set(into.Elem(), strict)
	case takes == "" || reflect.PointerTo(t).Implements(unmarshaler):
		return n.unmarshal(into)
	case n.kind != takes:
		return snapshot.Malformed("%s is %s, not %s", n.place(), n.kind, takes)
	}
	switch t.Kind() {
	case reflect.Struct:
		return n.setFields(into, strict)
	case reflect.Map:
		into.Set(reflect.MakeMapWithSize(t, len(n.members)))
		for _, one := range n.members {
			value := reflect.New(t.Elem()).Elem()
			if err := one.set(value, strict); err != nil {
				return err
			}
			into.SetMapIndex(reflect.ValueOf(one.name), value)
		}
	case reflect.Slice:
		into.Set(reflect.MakeSlice(t, len(n.members), len(n.members)))
		for i, one := range n.members {
			if err := one.set(into.Index(i), strict); err != nil {
				return err
			}
		}
	case reflect.String:
		into.SetString(n.text())
	default:
		return n.unmarshal(into)
	}
	return nil
}

func (n node) setFields(into reflect.Value, strict bool) error {
	fields := fieldsOf(into.Type())
	for _, one := range n.members {
		i := slices.IndexFunc(fields, func(f reflect.StructField) bool { return strings.EqualFold(f.Name, one.name) })
		switch {
		case i < 0 && strict:
			return snapshot.Malformed("field %s is unknown: the fields are %s",
				snapshot.Quote(one.name), strings.Join(fieldNames(into.Type()), ", "))
		case i < 0:
			continue
		case fields[i].Name != one.name:
			return snapshot.Malformed("field %s must be written %s", snapshot.Quote(one.name), snapshot.Quote(fields[i].Name))
		}
		if err := one.set(into.FieldByIndex(fields[i].Index), strict); err != nil {
			return err
		}
	}
	return nil
}

// unmarshal leaves a value to encoding/json.
func (n node) unmarshal(into reflect.Value) error {
	switch err := json.Unmarshal(n.raw, into.Addr().Interface()); {
	case err == nil:
		return nil
	case n.kind == kindNumber:
		return snapshot.Malformed("%s has a value out of range", n.place())
	default:
		return snapshot.Malformed("%s has a value of another form", n.place())
	}
}

// place says where a value stands, for an error.
func (n node) place() string {
	text := "the input"
	if n.name != "" {
		text = "field " + snapshot.Quote(n.name)
	}
	if n.element {
		text = "an element of " + text
	}
	return text
}

// fieldsOf returns the fields of a struct that JSON fills, under their names in JSON.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name != "" {
			f.Name = name
		}
		fields = append(fields, f)
	}
	return fields
}

// fieldNames returns the names in JSON of the fields of a struct.
func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range fieldsOf(t) {
		names = append(names, f.Name)
	}
	return names
}
