package httpapi

import (
	"testing"

	"swas-snapshot/shared/policy"
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

// TestReadOrder shows that an order over POST /snapshots and one over /hooks/standard are read alike: by the policy, with
// the ID of a signed message for a key.
func TestReadOrder(t *testing.T) {
	t.Parallel()
	p := policy.Policy{
		Policy: snapshot.Policy{Targets: []snapshot.Target{{Name: "web-1"}}},
		Allow: []policy.Allow{
			{From: "standard", Targets: []string{"web-1"}, Actions: []policy.Action{"take"}, Role: "deploy"},
		},
	}
	for name, c := range map[string]struct {
		from, body, eventID string
		want                snapshot.Order
		code                string
	}{
		"MessageID": {"standard", `{"target":"web-1"}`, "msg_1", snapshot.Order{Role: "deploy", Key: "msg_1"}, ""},
		"OwnKey":    {"standard", `{"target":"web-1","key":"k"}`, "msg_1", snapshot.Order{Role: "deploy", Key: "k"}, ""},
		"NoKey":     {"standard", `{"target":"web-1"}`, "", snapshot.Order{}, "MissingIdempotencyKey"},
		"OtherRole": {"standard", `{"target":"web-1","role":"daily"}`, "msg_1", snapshot.Order{}, "NotAllowed"},
		"NoRule":    {"api", `{"target":"web-1"}`, "msg_1", snapshot.Order{}, "NotAllowed"},
		"Malformed": {"standard", `{"target":1}`, "msg_1", snapshot.Order{}, "MalformedEvent"},
	} {
		order, err := ReadOrder(p, c.from, []byte(c.body), c.eventID, nil)
		if err != nil || c.code != "" {
			if code := snapshot.AsError(err); code == nil || code.Code != c.code {
				t.Errorf("%s: %v, want %q", name, err, c.code)
			}
			continue
		}
		if order.Role != c.want.Role || order.Key != c.want.Key || order.Target != "web-1" || order.Sender != c.from ||
			order.Actor != c.from || !order.ExplicitKey || !order.Paced || !order.Repeated {
			t.Errorf("%s: %+v", name, order)
		}
	}
}
