package trigger

import (
	"encoding/json"
	"reflect"
)

// walker passes over one JSON value that is known to be well-formed, and so needs to look at its first bytes only.
// encoding/json has no way to see a field that stands twice but token by token, which takes three times as long: each
// request comes this way before its sender is authenticated.
type walker struct {
	rules
	data []byte
	pos  int
}

// place is where a value stands, as an error calls it.
type place struct {
	field   string
	named   bool // false: no field is around the value
	element bool // the value is an element of a list there
}

func (p place) String() string {
	text := "the input"
	if p.named {
		text = "field " + quoteName(p.field)
	}
	if p.element {
		text = "an element of " + text
	}
	return text
}

// value checks the next value.
func (w *walker) value(t reflect.Type, at place, depth int) error {
	f, kind := formOf(t), kindOf(w.peek())
	if f.takes != "" && kind != f.takes && (kind != kindNull || w.noNull) {
		return malformed("%s is %s, not %s", at, kind, f.takes)
	}
	if kind == kindObject || kind == kindList {
		if depth++; depth > maxDepth {
			return malformed("objects and lists nest deeper than %d", maxDepth)
		}
	}
	switch kind {
	case kindObject:
		return w.object(f, depth)
	case kindList:
		return w.list(f, at, depth)
	case kindText:
		w.text()
	default:
		w.literal()
	}
	return nil
}

func (w *walker) list(f *jsonForm, at place, depth int) error {
	at.element = true
	for w.pos++; w.more(']'); {
		if err := w.value(f.elem, at, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) object(f *jsonForm, depth int) error {
	seen := make(map[string]string)
	for w.pos++; w.more('}'); {
		key := w.key()
		folded := fold(key)
		if w.dataKeys && !f.isStruct() {
			folded = key
		}
		if first, twice := seen[folded]; twice {
			return malformed("field %s stands beside %s: name each field once", quoteName(key), quoteName(first))
		}
		seen[folded] = key

		below := f.elem
		if f.isStruct() {
			field, found := f.byFold[folded]
			switch {
			case found && field.name != key:
				return malformed("field %s must be written %s", quoteName(key), quoteName(field.name))
			case !found && w.noUnknown:
				return malformed("field %s is unknown: the fields are %s", quoteName(key), f.names())
			}
			below = field.typ
		}
		if err := w.value(below, place{field: key, named: true}, depth); err != nil {
			return err
		}
	}
	return nil
}

// peek passes blanks over and returns the byte behind them.
func (w *walker) peek() byte {
	for {
		switch c := w.data[w.pos]; c {
		case ' ', '\t', '\r', '\n':
			w.pos++
		default:
			return c
		}
	}
}

// more reports whether an element follows, and passes over the comma before it or else the closing bracket.
func (w *walker) more(closing byte) bool {
	c := w.peek()
	if c == ',' || c == closing {
		w.pos++
	}
	return c != closing
}

// key passes over the name of a field and its colon, and returns the name.
func (w *walker) key() string {
	w.peek()
	raw, escaped := w.text()
	w.peek()
	w.pos++ // the colon
	name := string(raw[1 : len(raw)-1])
	if escaped {
		_ = json.Unmarshal(raw, &name) // well-formed text is text
	}
	return name
}

// text passes over a text and returns it as it stands.
func (w *walker) text() (raw []byte, escaped bool) {
	start := w.pos
	for w.pos++; w.data[w.pos] != '"'; w.pos++ {
		if w.data[w.pos] == '\\' {
			escaped = true
			w.pos++
		}
	}
	w.pos++
	return w.data[start:w.pos], escaped
}

// literal passes over a number, true, false or null.
func (w *walker) literal() {
	for ; w.pos < len(w.data); w.pos++ {
		switch w.data[w.pos] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return
		}
	}
}
