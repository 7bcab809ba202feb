package trigger

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// object is the fields of a JSON object, by which shapes are told apart.
type object map[string]json.RawMessage

// objectOf returns the fields of data, which has passed CheckJSON; nil if it is no object.
func objectOf(data []byte) object {
	var fields object
	if json.Unmarshal(data, &fields) != nil {
		return nil
	}
	return fields
}

// has reports whether all of the names are there, as written.
func (o object) has(names ...string) bool {
	for _, name := range names {
		if _, found := o[name]; !found {
			return false
		}
	}
	return true
}

// folds reports whether one of the names is there, in whatever case.
func (o object) folds(names ...string) bool {
	for name := range o {
		if slices.ContainsFunc(names, func(one string) bool { return fold(one) == fold(name) }) {
			return true
		}
	}
	return false
}

// onlyOf reports whether every field is one of f, in whatever case.
func (o object) onlyOf(f *jsonForm) bool {
	for name := range o {
		if _, found := f.byFold[fold(name)]; !found {
			return false
		}
	}
	return true
}

// text returns a field that holds text.
func (o object) text(name string) (string, bool) {
	var text string
	if raw := o[name]; !bytes.HasPrefix(raw, []byte(`"`)) || json.Unmarshal(raw, &text) != nil {
		return "", false
	}
	return text, true
}

// describe names the fields for an error: sorted, bounded, values left out.
func (o object) describe() string {
	const most = 8
	if len(o) == 0 {
		return "no fields"
	}
	var quoted []string
	for name := range o {
		quoted = append(quoted, quoteName(name))
	}
	slices.Sort(quoted)
	more := ""
	if len(quoted) > most {
		quoted, more = quoted[:most], ", ..."
	}
	return "the fields " + strings.Join(quoted, ", ") + more
}

// jsonKind names the kind of a JSON value, which has passed CheckJSON.
func jsonKind(data []byte) string { return kindOf(bytes.TrimSpace(data)[0]) }
