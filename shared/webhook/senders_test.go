package webhook

import (
	"errors"
	"os"
	"strings"
	"testing"
)

func TestSenderStates(t *testing.T) {
	t.Parallel()
	states := map[string]SenderState{}
	for _, one := range SenderStates(Secrets{envGitHub: {"0123456789abcdef"}, envGitee: {"short"},
		envWeComToken: {"0123456789abcdef"}}) {
		states[one.Sender] = one
	}
	if len(states) != len(senders) {
		t.Errorf("there are %d senders, want %d", len(states), len(senders))
	}
	for name, c := range map[string]struct {
		set bool
		off string // "": on
	}{
		"github": {true, ""},
		"gitee":  {true, "GITEE_SECRET has an element of 5 bytes"},
		"wecom":  {true, "WECOM_AES_KEY is not set"},
		"slack":  {false, "SLACK_SIGNING_SECRET is not set"},
	} {
		one := states[name]
		if one.Set != c.set || (one.Off == nil) != (c.off == "") || one.Off != nil &&
			!strings.Contains(one.Off.Error(), c.off) {
			t.Errorf("%s: %+v, want %+v", name, one, c)
		}
	}
}

// TestReadSecrets shows that one bad secret switches its sender off.
func TestReadSecrets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		n    int
		says string
	}{
		"": {0, "is not set"}, "   ": {0, "is not set"}, "off": {0, "is not set"}, "fifteen-bytes--": {0,
			"15 bytes"}, "sixteen--bytes--": {1, ""},
		"sixteen--bytes-- another-of-them--": {2, ""}, "sixteen--bytes-- short": {0,
			"5 bytes"}, "changeme-changeme": {0, "still an example"},
	} {
		got, err := ReadSecrets(func(string) string { return text }, "API_TOKEN")
		if len(got) != want.n || (err == nil) != (want.says == "") || err != nil &&
			!strings.Contains(err.Error(), want.says) {
			t.Errorf("%q: %d secrets, %v, want %+v", text, len(got), err, want)
		}
		if err != nil && errors.Is(err, ErrUnset) != (want.says == "is not set") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// An operator finds each variable and path in the files that name them.
func TestSendersAreDocumented(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"README.md", "s.yaml", "template.yml"} {
		data, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range senders {
			for _, v := range s.variables {
				if !strings.Contains(string(data), v.name) {
					t.Errorf("%s does not name %s", file, v.name)
				}
			}
			if path := prefix + s.name; file == "README.md" && !strings.Contains(string(data), path) {
				t.Errorf("%s does not name %s", file, path)
			}
		}
	}
}

// Only a URL of the sender itself takes later answers: a body that no signature covers must not make us call another.
func TestReplyURLs(t *testing.T) {
	t.Parallel()
	for text, from := range replyURLs {
		for name, check := range replyChecks {
			want := ""
			if name == from {
				want = text
			}
			if got := check(text); got != want {
				t.Errorf("%q for %s: %q, want %q", text, name, got, want)
			}
		}
	}
	for name, d := range map[string]delivery{"slack": slackCommand("web-1", "1"),
		"dingtalk": dingMessage("web-1", "1")} {
		in, err := senderOf(name).parse(&request{media: d.header.Get("Content-Type"), plain: d.body})
		m, _ := in.(message)
		if err != nil || replyURLs[m.replyURL] != name {
			t.Errorf("%s: reply URL is %q, %v", name, m.replyURL, err)
		}
	}
}

var replyChecks = map[string]func(string) string{"slack": slackReplyURL, "dingtalk": dingtalkReplyURL}

// replyURLs is URLs with the sender to which an answer may be posted; "": to none.
var replyURLs = map[string]string{
	"https://hooks.slack.com/commands/T1/1/secretresponseurl":             "slack",
	"https://oapi.dingtalk.com/robot/sendBySession?session=secretsession": "dingtalk",
	"http://hooks.slack.com/commands/T1/1/x":                              "",
	"https://hooks.slack.com:443/commands/T1/1/x":                         "",
	"https://hooks.slack.com:8443/commands/T1/1/x":                        "",
	"https://user@hooks.slack.com/commands/T1/1/x":                        "",
	"https://hooks.slack.com@evil.test/commands/x":                        "",
	"https://hooks.slack.com.evil.test/commands/x":                        "",
	"https://evil.test/commands/hooks.slack.com":                          "",
	"https://HOOKS.slack.com/commands/x":                                  "",
	"https://hooks.slack.com/services/T1/1/x":                             "",
	"https://hooks.slack.com/commands/../services/x":                      "",
	"https://hooks.slack.com/commands/%2e%2e/services/x":                  "",
	"https://hooks.slack.com/commands":                                    "",
	"https://hooks.slack.com/commands/":                                   "",
	"https://hooks.slack.com//commands/x":                                 "",
	"https://hooks.slack.com/commands/x#y":                                "",
	"https://oapi.dingtalk.com/robot/send?access_token=x":                 "",
	"https://oapi.dingtalk.com/robot/sendBySession/x":                     "",
	"https://169.254.169.254/commands/x":                                  "",
	"https:hooks.slack.com/commands/x":                                    "",
	"//hooks.slack.com/commands/x":                                        "",
	"https://hooks.slack.com/commands/\x00":                               "",
	"":                                                                    "",
}
