package trigger

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// StrictJSON decodes data into the value that into points to, by the rules of [CheckJSON] and more: a field that the
// type does not have, a field in another case than its tag, a value of another type and null are refused. Use it for
// formats of this project. The type is made of structs, slices, maps with text keys, text, numbers and bools; a
// [time.Time] is text in RFC 3339, a [time.Duration] text for [snapshot.ParseDuration], and what is held by any follows
// the rules of CheckJSON only. A field with the tag empty:"no" must not be empty, one with required:"true" must not be
// absent either. The error is a [*snapshot.Error] with Code [snapshot.CodeMalformed], and into may be filled in part.
func StrictJSON(data []byte, into any) error { return parse(data, fold).fill(into, true) }

// fill sets the value that into points to. Not strict, it passes over null and over fields that the type does not have,
// as for the form of a vendor.
func (n node) fill(into any, strict bool) error {
	if err := n.check(); err != nil {
		return err
	}
	return n.set(reflect.ValueOf(into).Elem(), strict)
}

// takes is the kind of JSON value by the kind of Go value; what is not here takes any.
var takes = map[reflect.Kind]string{
	reflect.String: kindText, reflect.Bool: kindBool, reflect.Int: kindNumber, reflect.Int64: kindNumber,
	reflect.Float64: kindNumber, reflect.Slice: kindList, reflect.Map: kindObject, reflect.Struct: kindObject,
}

func (n node) set(into reflect.Value, strict bool) error {
	target := into.Addr().Interface()
	kind := takes[into.Kind()]
	switch target := target.(type) {
	case *node:
		*target = n
		return nil
	case *time.Time, *time.Duration:
		kind = kindText
	}
	switch {
	case n.kind == kindNull && !strict:
		return nil
	case n.kind != kind && kind != "":
		return snapshot.Malformed("%s is %s, not %s", n.place(), n.kind, kind)
	}
	var err error
	switch target := target.(type) {
	case *time.Time:
		*target, err = parseTime(n.text())
	case *time.Duration:
		*target, err = snapshot.ParseDuration(n.text())
	default:
		return n.setKind(into, strict)
	}
	if err != nil {
		err = snapshot.Malformed("%s is %s", n.place(), err)
	}
	return err
}

// setKind sets a value of the right kind.
func (n node) setKind(into reflect.Value, strict bool) error {
	t := into.Type()
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
		if json.Unmarshal(n.raw, into.Addr().Interface()) != nil {
			return snapshot.Malformed("%s has a value out of range", n.place())
		}
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
			return snapshot.Malformed("field %s must be written %s",
				snapshot.Quote(one.name), snapshot.Quote(fields[i].Name))
		}
		field := into.FieldByIndex(fields[i].Index)
		if err := one.set(field, strict); err != nil {
			return err
		}
		if fields[i].Tag.Get("empty") == "no" && (field.IsZero() || field.Kind() == reflect.Slice && field.Len() == 0) {
			return snapshot.Malformed("field %s is empty: give it a value, or leave it out", snapshot.Quote(one.name))
		}
	}
	for _, f := range fields {
		if f.Tag.Get("required") != "" && into.FieldByIndex(f.Index).IsZero() {
			return snapshot.Malformed("field %s is missing", snapshot.Quote(f.Name))
		}
	}
	return nil
}

// parseTime reads the time of an event in RFC 3339. Empty, it is the zero time; a time before 1970 is a mistake.
func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 {
		return time.Time{}, errors.New("not a time: write one such as 2026-01-31T03:00:00Z")
	}
	return at.UTC(), nil
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
