package policy

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pattern, text string
		want          bool
	}{
		"Exact":          {"a.b", "a.b", true},
		"NotExact":       {"a.b", "a.bc", false},
		"NoOtherSigns":   {"a.?", "a.b", false},
		"Everything":     {"*", "", true},
		"Prefix":         {"oss:ObjectCreated:*", "oss:ObjectCreated:PutObject", true},
		"PrefixAlone":    {"oss:*", "oss:", true},
		"NotPrefix":      {"oss:*", "xoss:", false},
		"Suffix":         {"*.zip", "a.zip", true},
		"NotSuffix":      {"*.zip", "a.zip2", false},
		"Middle":         {"*/releases/*", "b/releases/1", true},
		"MiddleMissing":  {"*/releases/*", "b/release/1", false},
		"NoOverlap":      {"ab*ba", "aba", false},
		"Touching":       {"ab*ba", "abba", true},
		"Several":        {"a*b*c", "a1b2b3c", true},
		"SeveralInOrder": {"a*b*c*d", "a1c2b3d", false},
		"Doubled":        {"a**b", "ab", true},
		"Slashes":        {"refs/heads/*", "refs/heads/a/b", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := match(test.pattern, test.text); got != test.want {
				t.Errorf("match(%q, %q) = %v", test.pattern, test.text, got)
			}
		})
	}
}

// matchPlainly is the definition of match, letter by letter.
func matchPlainly(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return matchPlainly(pattern[1:], text) || text != "" && matchPlainly(pattern, text[1:])
	default:
		return text != "" && pattern[0] == text[0] && matchPlainly(pattern[1:], text[1:])
	}
}

func TestMatchIsItsDefinition(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	word := func(letters string) string {
		var b strings.Builder
		for range random.IntN(8) {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	for range 20000 {
		pattern, text := word("ab*"), word("ab")
		if got, want := match(pattern, text), matchPlainly(pattern, text); got != want {
			t.Fatalf("match(%q, %q) = %v", pattern, text, got)
		}
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 2, 3, 4, 0, time.UTC)
	p := Policy{Events: []EventRule{
		{Source: "acs.oss", Type: "oss:ObjectCreated:*", Subject: "*/releases/web/*", Targets: []string{"web-1", "web-2"},
			Role: "deploy"},
		{Source: "acs.*", Type: "oss:ObjectCreated:PutObject", Targets: []string{"db-1", "web-1"}, Role: "other"},
	}}
	event := snapshot.BusEvent{ID: "e1", Source: "acs.oss", Type: "oss:ObjectCreated:PutObject",
		Subject: "acs:oss:b/releases/web/1.zip", Time: at}
	order := func(target, role, reason string) snapshot.Order {
		return snapshot.Order{Target: target, Role: role, Reason: reason, Actor: "acs.oss", Sender: "event",
			Key: "event:7:acs.oss:2:e1", Time: at}
	}
	const reason = "oss:ObjectCreated:PutObject acs:oss:b/releases/web/1.zip"
	for name, test := range map[string]struct {
		change func(*snapshot.BusEvent)
		want   []snapshot.Order
	}{
		"EveryRuleOnceATarget": {func(*snapshot.BusEvent) {},
			[]snapshot.Order{order("web-1", "deploy", reason), order("web-2", "deploy", reason),
				order("db-1", "other", reason)}},
		"OneRule": {func(e *snapshot.BusEvent) { e.Subject = "x" },
			[]snapshot.Order{order("db-1", "other", "oss:ObjectCreated:PutObject x"),
				order("web-1", "other", "oss:ObjectCreated:PutObject x")}},
		"OtherType":   {func(e *snapshot.BusEvent) { e.Type = "oss:ObjectRemoved:DeleteObject" }, nil},
		"OtherSource": {func(e *snapshot.BusEvent) { e.Source = "aws.s3" }, nil},
		"Empty":       {func(e *snapshot.BusEvent) { *e = snapshot.BusEvent{} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := event
			test.change(&changed)
			if got := p.Orders(changed); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v\nwant %+v", got, test.want)
			}
		})
	}
}

// What a bus says is long at times; an order made of it must be valid all the same.
func TestOrdersAreValid(t *testing.T) {
	t.Parallel()
	p := Policy{Events: []EventRule{{Source: "*", Targets: []string{"web-1"}, Role: "deploy"}}}
	for _, subject := range []string{"", " ", "a\r\nb", strings.Repeat("长", 2000)} {
		for _, order := range p.Orders(snapshot.BusEvent{ID: "1", Source: "s", Type: "t", Subject: subject}) {
			if err := order.Validate(); err != nil {
				t.Errorf("%.20q: %v", subject, err)
			}
		}
	}
}
