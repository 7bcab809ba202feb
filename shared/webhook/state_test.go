package webhook

import (
	"strings"
	"testing"
)

func TestStates(t *testing.T) {
	t.Parallel()
	states := map[string]State{}
	for _, one := range States(Secrets{envGitHub: {"0123456789abcdef"}, envGitee: {"short"}, envWeComToken: {"0123456789abcdef"}}) {
		states[one.Sender] = one
	}
	if len(states) != len(kinds) {
		t.Errorf("there are %d senders, want %d", len(states), len(kinds))
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
