package webhook

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// document is what an authentic sender sent: JSON, a form or XML. A field is named by its path, such as header.token;
// one that is absent, null or below no object is "", 0, false or the zero time. Unknown fields are accepted, doubled
// ones are not: two readers may take different ones.
type document struct {
	fields map[string]any
	err    error // the first field that is missing or of another type than the sender documents; a *snapshot.Error
}

// malformed returns the error of an authentic request that cannot be read.
func malformed(format string, args ...any) error {
	return &snapshot.Error{
		Code: snapshot.CodeMalformed, Kind: snapshot.KindMalformed, Message: fmt.Sprintf(format, args...),
	}
}

// fail keeps the first error.
func (d *document) fail(format string, args ...any) {
	if d.err == nil {
		d.err = malformed(format, args...)
	}
}

// value returns the value of a field as encoding/json has it, with numbers as json.Number.
func (d *document) value(path string) any {
	var value any = d.fields
	for name := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

// read returns the value of a field of type T.
func read[T any](d *document, path string) T {
	value := d.value(path)
	typed, ok := value.(T)
	if !ok && value != nil {
		d.fail("field %s has another type than this sender documents", path)
	}
	return typed
}

func (d *document) has(path string) bool    { return d.value(path) != nil }
func (d *document) text(path string) string { return read[string](d, path) }
func (d *document) flag(path string) bool   { return read[bool](d, path) }

func (d *document) number(path string) int64 {
	text := read[json.Number](d, path)
	if text == "" {
		return 0
	}
	n, err := text.Int64()
	if err != nil {
		d.fail("field %s is not a whole number", path)
	}
	return n
}

// time returns a time in the form of RFC 3339.
func (d *document) time(path string) time.Time {
	text := d.text(path)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		d.fail("field %s is not a time", path)
	}
	return t
}

// required returns a text by which a request is identified or authorised, and fails if there is none.
func (d *document) required(path string) string {
	text := d.text(path)
	if text == "" {
		d.fail("field %s is missing", path)
	}
	return text
}

// id returns the text of a number that must be there.
func (d *document) id(path string) string {
	n := d.number(path)
	if n == 0 {
		d.fail("field %s is missing", path)
	}
	return number(n)
}

// decodeJSON reads the JSON of a vendor.
func decodeJSON(text string) (*document, error) {
	if err := trigger.CheckJSON([]byte(text)); err != nil {
		return nil, err
	}
	d := &document{}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&d.fields); err != nil {
		return nil, malformed("the JSON is not an object")
	}
	return d, nil
}

// fieldsMax is how many fields a form or XML may have.
const fieldsMax = 64

// decodeForm reads a form.
func decodeForm(text string) (*document, error) {
	if strings.Count(text, "&") >= fieldsMax {
		return nil, malformed("the form has more than %d fields", fieldsMax)
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return nil, malformed("the form is not encoded as application/x-www-form-urlencoded")
	}
	d := &document{fields: map[string]any{}}
	for name, values := range form {
		if len(values) > 1 {
			return nil, malformed("a field of the form stands twice: name each once")
		}
		d.fields[name] = values[0]
	}
	return d, nil
}

// decodeXML reads <xml><Name>text</Name>...</xml>. Doubled elements are refused, and so are attributes, DTDs and
// processing instructions, which no sender has in text messages. Other messages may nest; what nests is skipped.
func decodeXML(text string) (*document, error) {
	elements, err := readElements(text)
	if err != nil {
		return nil, malformed("%v", errXML)
	}
	return &document{fields: elements}, nil
}

var errXML = errors.New("the XML is not one level of distinct elements in <xml>")

// xmlDepth is how deep elements may nest.
const xmlDepth = 32

func readElements(text string) (map[string]any, error) {
	decoder := xml.NewDecoder(strings.NewReader(text))
	decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errXML }
	elements := map[string]any{}
	var path []string
	var inner strings.Builder
	closed := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && closed {
			return elements, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			misplaced := closed || len(path) == 0 && name != "xml" || len(path) >= xmlDepth
			_, twice := elements[name]
			refused := len(path) == 1 && (twice || len(elements) >= fieldsMax)
			if misplaced || refused || len(token.Attr) > 0 || token.Name.Space != "" {
				return nil, errXML
			}
			if len(path) == 1 {
				inner.Reset()
			}
			path = append(path, name)
		case xml.EndElement:
			if len(path) == 2 {
				elements[path[1]] = inner.String()
			}
			path = path[:len(path)-1]
			closed = len(path) == 0
		case xml.CharData:
			if len(path) == 2 {
				inner.Write(token)
			} else if len(path) < 2 && strings.TrimSpace(string(token)) != "" {
				return nil, errXML
			}
		case xml.Directive, xml.ProcInst:
			return nil, errXML
		}
	}
}

// encodeXML returns <xml> with pairs of an element's name and its text. xml.Marshal of structs would add 50 KB to the
// binary.
func encodeXML(pairs ...string) string {
	var b strings.Builder
	b.WriteString("<xml>")
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString("<" + pairs[i] + ">")
		_ = xml.EscapeText(&b, []byte(pairs[i+1])) // a Builder never fails
		b.WriteString("</" + pairs[i] + ">")
	}
	b.WriteString("</xml>")
	return b.String()
}
