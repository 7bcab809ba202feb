package webhook

import (
	"errors"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Both languages say everything, with the same arguments.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	verbs := regexp.MustCompile(`%(?:\[\d\])?[sd]`)
	count := func(text string) int {
		seen := verbs.FindAllString(text, -1)
		if strings.Contains(text, "%[") {
			slices.Sort(seen)
			seen = slices.Compact(seen)
		}
		return len(seen)
	}
	check := func(name string, p phrase) {
		if p.en == "" || p.zh == "" {
			t.Errorf("%s is missing in a language: %+v", name, p)
		}
		if count(p.en) != count(p.zh) {
			t.Errorf("%s has other arguments in the other language: %+v", name, p)
		}
	}
	all := reflect.ValueOf(phrases)
	for i := range all.NumField() {
		field := all.Field(i)
		if field.Kind() == reflect.Map {
			for _, key := range field.MapKeys() {
				one := field.MapIndex(key)
				check(key.String(), phrase{one.Field(0).String(), one.Field(1).String()})
			}
			continue
		}
		check(all.Type().Field(i).Name, phrase{field.Field(0).String(), field.Field(1).String()})
	}
	for code, e := range explanations {
		check(code, e.what)
	}
	for kind, e := range kindExplanations {
		check(string(rune('0'+kind)), e.what)
	}
	check("unforeseen", unforeseen.what)
}

func TestParseCommand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]chatCommand{
		"web-1":                     {verbTake, "web-1", ""},
		"  web-1   before\tupgrade": {verbTake, "web-1", "before upgrade"},
		"take web-1":                {verbTake, "web-1", ""},
		"快照 web-1 升级前":              {verbTake, "web-1", "升级前"},
		"LIST":                      {verbList, "", ""},
		"list web-1":                {verbList, "web-1", ""},
		"plan web-1":                {verbPlan, "web-1", ""},
		"plan":                      {verbHelp, "", ""},
		"状态 s-1":                    {verbStatus, "s-1", ""},
		"keep s-1 2026-12-01":       {verbKeep, "s-1", "2026-12-01"},
		"@bot 列表web-1":              {verbList, "web-1", ""},
		"快照web-1 升级前":               {verbTake, "web-1", "升级前"},
		"保留":                        {verbHelp, "", ""},
		"listing":                   {verbTake, "listing", ""},
		"keep s-1 until 2026-12-31": {verbKeep, "s-1", "2026-12-31"},
		"保留 s-1 到 2026-12-31":       {verbKeep, "s-1", "2026-12-31"},
		"keep s-1 until":            {verbKeep, "s-1", "until"}, // not for ever
		"web-1 until 2026-12-31":    {verbTake, "web-1", "until 2026-12-31"},
		"":                          {verbHelp, "", ""},
		"@_user_1 help":             {verbHelp, "", ""},
		"<@U1> @bot list":           {verbList, "", ""},
		"we\u200bb-1":               {verbTake, "web-1", ""},
		"web-1\u2005":               {verbTake, "web-1", ""},
		strings.Repeat("字", 501):    {verb: verbTooLong},
	} {
		if got := parseCommand(text); got != want {
			t.Errorf("parseCommand(%q) = %+v, want %+v", text, got, want)
		}
	}
}

// A variable that says off is unset: GitLab's old token counts although the new one's field is there.
func TestOffIsUnset(t *testing.T) {
	t.Parallel()
	env := map[string]string{envGitLabSigning: "off", envGitLabToken: "0123456789abcdef0123456789abcdef",
		envSlack: "off"}
	secrets := SecretsFromEnv(func(name string) string { return env[name] })
	if _, err := gitlab.keys(secrets); err != nil {
		t.Error(err)
	}
	beside := Secrets{envGitLabSigning: {gitlabSigning}, envGitLabToken: {"short"}}
	if _, err := gitlab.keys(beside); err != nil {
		t.Errorf("beside a signing token the old one counts: %v", err)
	}
	if _, err := slack.keys(secrets); !errors.Is(err, ErrUnset) {
		t.Errorf("got %v", err)
	}
}

// Users are answered in the language of their text; where that does not tell, in that of their locale or their chat.
func TestLanguage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		message message
		usual   language
		want    language
	}{
		"Chinese":                       {message{text: "列表"}, en, zh},
		"Chinese reason":                {message{text: "web-1 升级前"}, en, zh},
		"English verb":                  {message{text: "list"}, zh, en},
		"English verb in capitals":      {message{text: "@bot HELP"}, zh, en},
		"English words":                 {message{text: "web-1 before the upgrade"}, zh, en},
		"a target":                      {message{text: "web-1"}, zh, zh},
		"a target in an English chat":   {message{text: "web-1"}, en, en},
		"a mention and a target":        {message{text: "@_user_1 web-1"}, zh, zh},
		"a question mark":               {message{text: "?"}, zh, zh},
		"a wide question mark":          {message{text: "？"}, zh, zh},
		"nothing":                       {message{}, zh, zh},
		"English words, Chinese locale": {message{text: "list web-1", locale: zh}, en, zh},
	} {
		if got := test.message.replyLanguage(test.usual); got != test.want {
			t.Errorf("%s: language %d, want %d", name, got, test.want)
		}
	}
}

// What users write is never a link, a picture or emphasis.
func TestMarkup(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"mailto:a": "mailto·a", ":smile:": "·smile·", "x :+1: y": "x ··1: y", "//evil/x": "/·evil/x",
		"https://evil": "https·/·evil",
		"29:1":         "29:1", "refs/heads/main": "refs/heads/main", "web_1": "web_1",
	} {
		if got := plain(text); got != want {
			t.Errorf("plain(%q) = %q, want %q", text, got, want)
		}
	}
	if got := markdownEscape("_web_ *1*"); got != `\_web\_ \*1\*` {
		t.Errorf("in Markdown it is %q", got)
	}
	body := newBench(t, allSecrets()).do(slackCommand("help", "1")).Body.String()
	if strings.Count(body, `"plain_text"`) != strings.Count(body, `"emoji":false`) ||
		!strings.Contains(body, `"mrkdwn":false`) {
		t.Errorf("Slack may read markup or emoji in %s", body)
	}
}

// A placeholder is refused; a secret that merely holds such a word, or looks odd, is the owner's choice.
func TestExample(t *testing.T) {
	t.Parallel()
	for secret, want := range map[string]bool{
		"changeme-changeme": true, "CHANGE_ME_CHANGE_ME": true, "<replace-me>....": true,
		"--change-me--change-me--": true,
		"changeme1234567890":       false, "my-example-secret-9": false, "your-secret-0123456": false,
		"xxxxxxxxxxxxxxxxxxxx": false,
		"a...b...c...d...e...": false, "----------------": false,
	} {
		_, err := Secrets{envSlack: {secret}}.read(variable{envSlack, plainForm})
		if (err != nil) != want {
			t.Errorf("%q: %v, want refused: %t", secret, err, want)
		}
	}
}
