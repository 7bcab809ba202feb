package httpapi

import (
	"testing"

	"swas-snapshot/shared/snapshot"
)

func TestOrderKey(t *testing.T) {
	t.Parallel()
	const quote = `"`
	for name, c := range map[string]struct {
		header          []string
		inBody, eventID string
		key, code       string
	}{
		"bare":                        {[]string{"run-42"}, "", "", "run-42", ""},
		"quoted":                      {[]string{`"run 42"`}, "", "", "run 42", ""},
		"escaped":                     {[]string{`"a\"b\\c"`}, "", "", `a"b\c`, ""},
		"half quoted":                 {[]string{`"run`}, "", "", "", "MalformedEvent"},
		"quoted twice":                {[]string{`"a", "b"`}, "", "", "", "MalformedEvent"},
		"parameters":                  {[]string{`"a";x=1`}, "", "", "", "MalformedEvent"},
		"quote inside":                {[]string{`"a"b"`}, "", "", "", "MalformedEvent"},
		"escaped letter":              {[]string{`"a\n"`}, "", "", "", "MalformedEvent"},
		"escaped end":                 {[]string{`"a\`}, "", "", "", "MalformedEvent"},
		"not ASCII":                   {[]string{`"é"`}, "", "", "", "MalformedEvent"},
		"one quote":                   {[]string{quote}, "", "", "", "MalformedEvent"},
		"two headers, joined":         {[]string{"k,k"}, "", "", "", "MalformedEvent"},
		"bare, not ASCII":             {[]string{"k\uFFFD"}, "", "", "", "MalformedEvent"},
		"comma in quotes":             {[]string{`"a,b"`}, "", "", "a,b", ""},
		"two headers":                 {[]string{"a", "a"}, "", "", "", "MalformedEvent"},
		"none":                        {nil, "", "", "", "MissingIdempotencyKey"},
		"blank":                       {[]string{"  "}, "", "", "", "MissingIdempotencyKey"},
		"empty quotes":                {[]string{`""`}, "", "", "", "MissingIdempotencyKey"},
		"blank in quotes":             {[]string{`" "`}, "", "", "", "MissingIdempotencyKey"},
		"blank in the body":           {nil, "  ", "", "", "MissingIdempotencyKey"},
		"control character":           {nil, "a\nb", "", "", "MalformedEvent"},
		"body and header":             {[]string{"k"}, "k", "", "k", ""},
		"body and another header":     {[]string{"j"}, "k", "", "", "MalformedEvent"},
		"message":                     {nil, "", "msg_1", "msg_1", ""},
		"message and its header":      {[]string{"msg_1"}, "", "msg_1", "msg_1", ""},
		"message and another header":  {[]string{"k"}, "", "msg_1", "", "MalformedEvent"},
		"message, body and header":    {[]string{"k"}, "k", "msg_1", "k", ""},
		"message, body, header of ID": {[]string{"msg_1"}, "k", "msg_1", "k", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := orderKey(c.header, c.inBody, c.eventID)
			code := ""
			if err != nil {
				code = snapshot.AsError(err).Code
			}
			if key != c.key || code != c.code {
				t.Errorf("got %q, %v, want %q, %s", key, err, c.key, c.code)
			}
		})
	}
}
