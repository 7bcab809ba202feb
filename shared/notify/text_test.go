package notify

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestMessage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		n    snapshot.Notification
		want []string
	}{
		"Failed": {snapshot.Notification{Kind: "failed", Target: "web-1", Since: noon},
			[]string{"A snapshot of web-1 failed", "Since: 2026-03-01 12:00 UTC"}},
		"Stale": {snapshot.Notification{Kind: "stale", Target: "web-1", Since: noon},
			[]string{"No fresh snapshot of web-1", "Since: 2026-03-01 12:00 UTC"}},
		"Blocked": {snapshot.Notification{Kind: "blocked", Target: "web-1", Since: noon},
			[]string{"No free slot for a snapshot of web-1", "Since: 2026-03-01 12:00 UTC"}},
		"Done": {snapshot.Notification{Kind: "done", Target: "web-1", Since: noon},
			[]string{"A snapshot of web-1 is done", "Since: 2026-03-01 12:00 UTC"}},
		"OtherZone": {snapshot.Notification{Kind: "done", Target: "web-1", Since: noon.In(time.FixedZone("CST", 8*3600))},
			[]string{"A snapshot of web-1 is done", "Since: 2026-03-01 12:00 UTC"}},
		"NoTime": {snapshot.Notification{Kind: "done", Target: "web-1"},
			[]string{"A snapshot of web-1 is done", "Since: unknown, noticed 2026-03-01 12:00 UTC"}},
		"NoTarget": {snapshot.Notification{Kind: "failed", DiskID: "d-1", Since: noon},
			[]string{"A snapshot of d-1 failed", "Since: 2026-03-01 12:00 UTC", "Where: disk d-1"}},
		"Nothing": {snapshot.Notification{Since: noon},
			[]string{"Notification about a server", "Since: 2026-03-01 12:00 UTC"}},
		"TextOfUsers": {snapshot.Notification{Kind: "failed", Target: "%TARGET%", What: "a\nSince: never", Since: noon},
			[]string{"A snapshot of %TARGET% failed", "What happened: a Since: never", "Since: 2026-03-01 12:00 UTC"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := message(test.n, noon); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"Text":      {"daily 3 of 2: over the count", "daily 3 of 2: over the count"},
		"Chinese":   {"磁盘已满", "磁盘已满"},
		"Lines":     {" a\r\n\tb\u2028c\u0085d ", "a b c d"},
		"Escape":    {"a\x1b[31mred\x00", "a [31mred"},
		"Bidi":      {"a\u202e\u2066b\u200f\u061c", "ab"},
		"Invisible": {"@\u200bal\u00adl\ufeff", "＠all"},
		"NotUTF8":   {"a\xffb", "a\ufffdb"},
		"Mention":   {"@all @channel", "＠all ＠channel"},
		"Link":      {"see https://x.example or www.x.example", "see https[:]//x.example or www[.]x.example"},
		"HiddenURL": {"https:\u200b//x", "https[:]//x"},
		"Full":      {strings.Repeat("长", 500), strings.Repeat("长", 500)},
		"Long":      {strings.Repeat("长", 501), strings.Repeat("长", 499) + "…"},
		"Empty":     {"\u200b\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Plain(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// hostile is what users may write into a reason or a name.
var hostile = []string{"<!channel> & <@U1|x>", "<at user_id=\"all\">all</at>", "@all @here", "[a](https://x.example)",
	"![a](https://x.example/p.png)",
	"# big\n> quote\n* item", "**bold** `code` ~~no~~", "<https://x.example|click>", "a\u202eb\x1b[1m",
	`\u003c!here\u003e`}

// marks is what would be markup in the text of each form.
var marks = map[string][]string{
	"dingtalk": {"[", "]", "<", ">", "*", "`", "~", "|", "@", "://"},
	"feishu":   {"<", ">", "@", "://"},
	"slack":    {"<", ">", "@", "://"},
	"json":     {"@", "://"},
}

func TestBodiesHaveNoMarkup(t *testing.T) {
	t.Parallel()
	for form, forbidden := range marks {
		for _, text := range hostile {
			checkBody(t, form, forbidden, text)
		}
	}
}

// checkBody makes one message all of whose texts are text, and looks for markup in what users see of it.
func checkBody(t *testing.T, form string, forbidden []string, text string) {
	t.Helper()
	n := snapshot.Notification{Kind: "failed", Target: text, What: text, Advice: text, Since: noon}
	body, err := json.Marshal(forms[form].body(policy.Notify{}, n, noon))
	if err != nil {
		t.Fatal(err)
	}
	var tree struct {
		Text     string
		Markdown struct{ Title, Text string }
		Content  struct {
			Post map[string]struct {
				Title   string
				Content [][]struct{ Tag, Text string }
			}
		}
	}
	// "mrkdwn" and the target of the JSON form are not looked at: the one is no text, the other for machines.
	if err := json.Unmarshal(body, &tree); err != nil {
		t.Fatal(err)
	}
	seen := []string{tree.Text, tree.Markdown.Title, strings.TrimPrefix(tree.Markdown.Text, "### ")}
	for _, post := range tree.Content.Post {
		seen = append(seen, post.Title)
		for _, paragraph := range post.Content {
			for _, element := range paragraph {
				if element.Tag != "text" {
					t.Errorf("%s: tag %s", form, element.Tag)
				}
				seen = append(seen, element.Text)
			}
		}
	}
	for _, shown := range seen {
		for _, mark := range forbidden {
			if strings.Contains(shown, mark) {
				t.Errorf("%s: %q becomes %q, which has %s", form, text, shown, mark)
			}
		}
		if strings.ContainsFunc(strings.ReplaceAll(shown, "\n", ""),
			func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("%s: %q becomes %q, which has a control character", form, text, shown)
		}
	}
	if len(strings.Join(seen, "")) == 0 {
		t.Errorf("%s: nothing to see in %s", form, body)
	}
}

func TestSlackEscapes(t *testing.T) {
	t.Parallel()
	if got, want := slackMarkup.Replace("a & <!channel>"), "a &amp; &lt;!channel&gt;"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The signatures of published or derived vectors.
func TestSigns(t *testing.T) {
	t.Parallel()
	if got, want := dingTalkSign("this is secret", "1577262236757"),
		"hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="; got != want {
		t.Errorf("DingTalk: got %s, want %s", got, want)
	}
	if got, want := feishuSign("demo", "1599360473"), "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="; got != want {
		t.Errorf("Feishu: got %s, want %s", got, want)
	}
}

// FuzzPlain checks that no text becomes markup, in any form.
func FuzzPlain(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Add(":\u200b//")
	f.Add("ww\u200bw.")
	f.Add("\xff@\xff")
	f.Fuzz(func(t *testing.T, text string) {
		plain := Plain(text)
		if !utf8.ValidString(plain) || utf8.RuneCountInString(plain) > plainMax || strings.Contains(plain, "www.") {
			t.Errorf("%q becomes %q", text, plain)
		}
		for form, forbidden := range marks {
			checkBody(t, form, forbidden, text)
		}
	})
}
