package webhook

import (
	"errors"
	"strings"
	"testing"
)

func TestSenderStates(t *testing.T) {
	t.Parallel()
	states := map[string]SenderState{}
	for _, one := range SenderStates(Secrets{envGitHub: {"0123456789abcdef"}, envGitee: {"short"}, envWeComToken: {"0123456789abcdef"}}) {
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
		if one.Set != c.set || (one.Off == nil) != (c.off == "") || one.Off != nil && !strings.Contains(one.Off.Error(), c.off) {
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
		"": {0, "is not set"}, "   ": {0, "is not set"}, "off": {0, "is not set"}, "fifteen-bytes--": {0, "15 bytes"}, "sixteen--bytes--": {1, ""},
		"sixteen--bytes-- another-of-them--": {2, ""}, "sixteen--bytes-- short": {0, "5 bytes"}, "changeme-changeme": {0, "still an example"},
	} {
		got, err := ReadSecrets(func(string) string { return text }, "API_TOKEN")
		if len(got) != want.n || (err == nil) != (want.says == "") || err != nil && !strings.Contains(err.Error(), want.says) {
			t.Errorf("%q: %d secrets, %v, want %+v", text, len(got), err, want)
		}
		if err != nil && errors.Is(err, ErrUnset) != (want.says == "is not set") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
