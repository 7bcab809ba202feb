package trigger_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// nested returns depth lists inside one another.
func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

// structureDefects are what no JSON may have, each with a part of its error.
var structureDefects = map[string]struct{ data, message string }{
	"empty":                         {"", "empty"},
	"blanks":                        {" \r\n\t", "empty"},
	"text":                          {"daily", "not JSON, at byte 1"},
	"NaN":                           {`{"a":NaN}`, "not JSON, at byte 6"},
	"Infinity":                      {`{"a":-Infinity}`, "not JSON"},
	"single quotes":                 {`{'a':1}`, "not JSON"},
	"trailing comma":                {`{"a":1,}`, "not JSON"},
	"comment":                       {`{"a":1} // x`, "follows the JSON value, at byte 9"},
	"cut":                           {`{"a":`, "ends too early"},
	"second value":                  {`{"a":1}{"a":1}`, "follows the JSON value"},
	"byte order mark":               {"\ufeff{}", "not JSON"},
	"not UTF-8":                     {"{\"a\":\"\xff\"}", "not valid UTF-8"},
	"doubled field":                 {`{"a":1,"a":1}`, `fields "a" and "a" are the same`},
	"doubled by case":               {`{"DiskId":1,"DISKID":1}`, `fields "DiskId" and "DISKID" are the same`},
	"doubled by the long s":         {`{"DiskId":1,"Diſkid":1}`, "are the same: name each field once"},
	"doubled by the Kelvin sign":    {`{"key":1,"\u212aey":1}`, "are the same: name each field once"},
	"doubled by an escape":          {`{"key":1,"\u006bey":1}`, "are the same: name each field once"},
	"doubled deep inside":           {`[1,{"a":[{"b":null,"B":null}]}]`, "are the same: name each field once"},
	"too deep":                      {nested(33), "deeper than 32"},
	"too deep in objects":           {strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), "deeper than 32"},
	"too deep for the standard":     {nested(20000), "deeper than 32"},
	"number with a leading zero":    {`01`, "follows"},
	"control character within text": {"\"a\nb\"", "not JSON"},
	"unknown escape within text":    {`"\x"`, "not JSON"},
	"key without a value":           {`{"a"}`, "not JSON"},
	"name that is too long to quote": {`{"` + strings.Repeat("n", 500) + `":1,"` + strings.Repeat("N", 500) + `":1}`,
		`nnn..."`},
}

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"object": `{"a":1,"b":{"a":1}}`, "list": `[{"a":1},{"a":2}]`, "text": `"x"`, "null": `null`,
		"number": ` 1e999 `, "deepest": nested(32),
		"wide":                          `[` + strings.Repeat("[],", 1000) + `[]]`,
		"names that no reader mixes up": `{"ss":1,"ß":2,"i":3,"ı":4,"İ":5}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := trigger.CheckJSON([]byte(data)); err != nil {
				t.Error(err)
			}
		})
	}
	for name, test := range structureDefects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkMessage(t, trigger.CheckJSON([]byte(test.data)), test.message)
			var into any
			checkMessage(t, trigger.StrictJSON([]byte(test.data), &into), test.message)
		})
	}
}

// checkMessage checks that err is a short malformed error that holds a text.
func checkMessage(t *testing.T, err error, part string) {
	t.Helper()
	var known *snapshot.Error
	if !errors.As(err, &known) || known.Code != snapshot.CodeMalformed || known.Kind != snapshot.KindMalformed {
		t.Fatalf("error %v, want a malformed one", err)
	}
	if !strings.Contains(known.Message, part) {
		t.Errorf("message %q does not hold %q", known.Message, part)
	}
	if len(known.Message) > 1000 {
		t.Errorf("the message has %d bytes", len(known.Message))
	}
}

type inner struct {
	Name string `json:"name" required:"true"`
}

type strict struct {
	inner
	Text   string            `json:"text"`
	Age    time.Duration     `json:"age"`
	Flag   bool              `json:"flag,omitempty"`
	Count  int               `json:"count"`
	Ratio  float64           `json:"ratio"`
	List   []inner           `json:"list"`
	Labels map[string]string `json:"labels"`
	At     time.Time         `json:"at"`
	Any    any               `json:"any"`
	Plain  string
	Hidden string `json:"-"`
}

func TestStrictJSON(t *testing.T) {
	t.Parallel()
	data := `{"name":"n","text":"t","age":"1d12h","flag":true,"count":-1,"ratio":1.5,"list":[{"name":"a"}],` +
		`"labels":{"k":"v"},` +
		`"at":"2026-01-30T19:00:00Z","any":[1,"a"],"Plain":"x"}`
	want := strict{
		inner: inner{"n"}, Text: "t", Age: 36 * time.Hour, Flag: true, Count: -1, Ratio: 1.5, List: []inner{{"a"}},
		Labels: map[string]string{"k": "v"}, At: time.Date(2026, 1, 30, 19, 0, 0, 0, time.UTC),
		Any: []any{1.0, "a"}, Plain: "x",
	}
	var got strict
	if err := trigger.StrictJSON([]byte(data), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestStrictJSONRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ data, message string }{
		"unknown field":             {`{"txt":"a"}`, `field "txt" is unknown: the fields are name, text, age`},
		"unknown field in a list":   {`{"list":[{"name":"a","x":1}]}`, `field "x" is unknown: the fields are name`},
		"hidden field":              {`{"Hidden":"a"}`, `field "Hidden" is unknown`},
		"minus":                     {`{"-":"a"}`, `field "-" is unknown`},
		"another case":              {`{"TEXT":"a"}`, `field "TEXT" must be written "text"`},
		"the long s":                {`{"liſt":[]}`, `must be written "list"`},
		"Go's name":                 {`{"Text":"a"}`, `field "Text" must be written "text"`},
		"number for text":           {`{"text":5}`, `field "text" is a number, not text`},
		"text for a number":         {`{"count":"5"}`, `field "count" is text, not a number`},
		"text for a flag":           {`{"flag":"true"}`, `field "flag" is text, not true or false`},
		"object for a list":         {`{"list":{}}`, `field "list" is an object, not a list`},
		"list for an object":        {`[]`, `the input is a list, not an object`},
		"text in a list of objects": {`{"list":["a"]}`, `an element of field "list" is text, not an object`},
		"number in a map of texts":  {`{"labels":{"a":1}}`, `field "a" is a number, not text`},
		"null for text":             {`{"text":null}`, `field "text" is null, not text`},
		"null for a duration":       {`{"age":null}`, `field "age" is null, not text`},
		"number for a duration":     {`{"age":3600}`, `field "age" is a number, not text`},
		"duration that is none":     {`{"age":"soon"}`, `field "age" is not a duration: use one such as 90m`},
		"null":                      {`null`, `the input is null, not an object`},
		"fraction for an integer":   {`{"count":1.5}`, `field "count" has a value out of range`},
		"integer out of range":      {`{"count":99999999999999999999}`, `field "count" has a value out of range`},
		"time that is none": {`{"at":"yesterday"}`,
			`field "at" is not a time: write one such as 2026-01-31T03:00:00Z`},
		"doubled in a map":  {`{"labels":{"a":"1","A":"2"}}`, `fields "a" and "A" are the same`},
		"doubled in any":    {`{"any":{"a":"1","A":"2"}}`, `fields "a" and "A" are the same`},
		"number for a time": {`{"at":1}`, `field "at" is a number, not text`},
		"required":          {`{"list":[{}]}`, `field "name" is missing`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var into strict
			err := trigger.StrictJSON([]byte(test.data), &into)
			checkMessage(t, err, test.message)
		})
	}
}

// TestErrorsKeepValues: an error may name a field, but what a caller sent as a value stays out of it.
func TestErrorsKeepValues(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2"
	for name, data := range map[string]string{
		"wrong type": `{"count":"` + secret + `"}`, "not JSON": `{"text":"a" ` + secret, "trailing": `{} ` + secret,
		"time":    `{"at":"` + secret + `"}`,
		"timer":   `{"triggerTime":"` + secret + `","triggerName":"x","payload":"` + secret + `"}`,
		"payload": `{"triggerTime":"2026-01-30T19:00:00Z","payload":"` + secret + `"}`,
		"role":    `{"role":"` + secret + ` ` + secret + `"}`, "age": `{"target":"web-1","maxAge":"` + secret + `"}`,
		"list":   `["` + secret + `"]`,
		"record": `{"Records":[{"eventSource":"` + secret + `"}]}`,
		"body":   `{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"` + secret + `"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var into strict
			_, timerErr := trigger.DecodeTimer([]byte(data))
			batch, eventErr := trigger.DecodeEvent([]byte(data), requestID)
			all := []error{trigger.StrictJSON([]byte(data), &into), timerErr, eventErr}
			for _, item := range batch.Items {
				all = append(all, item.Err)
			}
			var failures int
			for _, err := range all {
				if err == nil {
					continue
				}
				if failures++; strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a value: %v", err)
				}
			}
			if failures == 0 {
				t.Error("nothing failed")
			}
		})
	}
}
