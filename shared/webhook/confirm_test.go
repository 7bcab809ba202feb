package webhook

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

var codeInText = regexp.MustCompile(`confirm ([0-9A-Z]{4})\b`)

// Taking that would delete says so first, and nothing goes before the code comes back.
func TestConfirmByCode(t *testing.T) {
	t.Parallel()
	inEachChat(t, func(t *testing.T, b *bench, _ string, in talk) {
		b.account.fill()
		question := b.tell(t, in, "web-1", "1")
		if ids := strings.Join(b.account.ids(), " "); ids != "s-old1 s-old2 s-old3" {
			t.Fatalf("snapshots are %s before anything is confirmed", ids)
		}
		found := codeInText.FindStringSubmatch(question)
		if found == nil || !strings.Contains(question, "s-old1") {
			t.Fatalf("question is %q, want the victim and a code", question)
		}
		if wrong := b.tell(t, in, "confirm ZZZZ", "2"); strings.Contains(wrong, "s-1") {
			t.Errorf("a wrong code gets %q", wrong)
		}
		if answer := b.tell(t, in, "confirm "+strings.ToLower(found[1]), "3"); !strings.Contains(answer, "s-1002") {
			t.Errorf("the code gets %q, want the new snapshot", answer)
		}
		if ids := strings.Join(b.account.ids(), " "); ids != "s-old2 s-old3 s-1002" {
			t.Errorf("snapshots are %s, want s-old1 replaced", ids)
		}
		b.tell(t, in, "confirm "+found[1], "4")
		b.tell(t, in, "确认 "+found[1], "5")
		if ids := strings.Join(b.account.ids(), " "); ids != "s-old2 s-old3 s-1002" {
			t.Errorf("snapshots are %s after the code was sent again", ids)
		}
	})
}

// A code is one person's, one target's, one victim's, and five minutes'.
func TestCodeIsBound(t *testing.T) {
	t.Parallel()
	ask := func(t *testing.T) (*bench, string) {
		b := newBench(t, allSecrets())
		b.account.fill()
		found := codeInText.FindStringSubmatch(b.tell(t, talks()["slack"], "web-1", "1"))
		if found == nil {
			t.Fatal("no code")
		}
		return b, found[1]
	}
	intact := func(t *testing.T, b *bench) {
		t.Helper()
		if ids := strings.Join(b.account.ids(), " "); !strings.HasPrefix(ids, "s-old1 ") {
			t.Errorf("snapshots are %s, want s-old1 kept", ids)
		}
	}
	t.Run("to the person", func(t *testing.T) {
		t.Parallel()
		b, code := ask(t)
		b.do(slackCommandBy("U2", "confirm "+code, "2"))
		intact(t, b)
	})
	t.Run("to the victim", func(t *testing.T) {
		t.Parallel()
		b, code := ask(t)
		b.tell(t, talks()["slack"], "keep s-old1", "2") // now s-old2 would go
		b.tell(t, talks()["slack"], "confirm "+code, "3")
		intact(t, b)
		if len(b.account.ids()) != 3 {
			t.Errorf("snapshots are %v, want nothing deleted", b.account.ids())
		}
	})
	t.Run("to five minutes", func(t *testing.T) {
		t.Parallel()
		c := confirmation{sender: "slack", tenant: "T1", actor: "U1", target: "web-1", victim: "s-old1", issued: now.Truncate(confirmStep)}
		keys := confirmKeys([]string{slackSecret})
		code := c.code(keys[0])
		for age, want := range map[time.Duration]int{0: 1, 5 * time.Minute: 1, 5*time.Minute + 9*time.Second: 1, 5*time.Minute + 10*time.Second: 0, time.Hour: 0, -time.Minute: 0} {
			good := 0
			for _, candidate := range c.askedWith(keys, code, c.issued.Add(age)) {
				if candidate.confirms(keys, code) {
					good++
				}
			}
			if good != want {
				t.Errorf("after %s the code is good %d times, want %d", age, good, want)
			}
			who := confirmation{sender: "slack", tenant: "T1", actor: "U1"}
			opened, own := openValue(keys, buttonConfirm, c.value(keys[0], buttonConfirm), who)
			if good := own && opened.goodAt(c.issued.Add(age)); good != (want == 1) {
				t.Errorf("after %s the button is good: %t", age, good)
			}
		}
	})
	t.Run("to the right", func(t *testing.T) {
		t.Parallel()
		b, _ := ask(t)
		b.do(slackCommandBy("U3", "web-1", "2")) // may only list
		if len(b.orders) != 1 {
			t.Errorf("%d orders, want that of U1 alone", len(b.orders))
		}
	})
}

// The fields that a confirmation binds, each changed once.
func TestConfirmationBindsEverything(t *testing.T) {
	t.Parallel()
	key := confirmKeys([]string{slackSecret})[0]
	base := confirmation{"slack", "T1", "U1", "web-1", "s-1", now.Truncate(confirmStep)}
	others := map[string]confirmation{
		"sender": base, "tenant": base, "actor": base, "target": base, "victim": base, "issued": base, "border": base,
	}
	change := map[string]func(*confirmation){
		"sender": func(c *confirmation) { c.sender = "teams" }, "tenant": func(c *confirmation) { c.tenant = "T2" },
		"actor": func(c *confirmation) { c.actor = "U2" }, "target": func(c *confirmation) { c.target = "web-2" },
		"victim": func(c *confirmation) { c.victim = "s-2" }, "issued": func(c *confirmation) { c.issued = c.issued.Add(confirmStep) },
		"border": func(c *confirmation) { c.tenant, c.actor = "T1U", "1" },
	}
	for name, c := range others {
		change[name](&c)
		if c.valueMAC(key, buttonConfirm) == base.valueMAC(key, buttonConfirm) {
			t.Errorf("another %s has the same button", name)
		}
		if c.code(key) == base.code(key) {
			t.Errorf("another %s has the same code", name)
		}
		if name != "border" && name != "sender" && name != "tenant" && name != "target" && c.orderKey() == base.orderKey() {
			t.Errorf("another %s has the same order key", name) // sender, tenant and target stand in the token itself
		}
	}
}

func slackButtons(t *testing.T, body []byte) map[string]string {
	t.Helper()
	var answer struct {
		Blocks []struct {
			Elements []struct {
				ActionID string `json:"action_id"`
				Value    string `json:"value"`
			} `json:"elements"`
		} `json:"blocks"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	buttons := map[string]string{}
	for _, block := range answer.Blocks {
		for _, e := range block.Elements {
			if e.ActionID != "" {
				buttons[e.ActionID] = e.Value
			}
		}
	}
	return buttons
}

// A click confirms; a second one, a forged one, somebody else's and a cancelled one do nothing more.
func TestSlackButtons(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	b.account.fill()
	buttons := slackButtons(t, b.do(slackCommand("web-1", "1")).Body.Bytes())
	value := buttons[actionConfirm]
	if _, cancel := buttons[actionCancel]; value == "" || !cancel {
		t.Fatalf("buttons are %v", buttons)
	}
	steps := []struct {
		name, user, action, value, want string
	}{
		{"cancelled", "U1", actionCancel, buttons[actionCancel], "s-old1 s-old2 s-old3"},
		{"somebody else", "U2", actionConfirm, value, "s-old1 s-old2 s-old3"},
		{"another victim", "U1", actionConfirm, strings.Replace(value, "s-old1", "s-old2", 1), "s-old1 s-old2 s-old3"},
		{"another target", "U1", actionConfirm, strings.Replace(value, "web-1", "db-1", 1), "s-old1 s-old2 s-old3"},
		{"no HMAC", "U1", actionConfirm, value[:strings.LastIndex(value, ".")+1], "s-old1 s-old2 s-old3"},
		{"garbage", "U1", actionConfirm, "x", "s-old1 s-old2 s-old3"},
		{"another button", "U1", "other", value, "s-old1 s-old2 s-old3"},
		{"confirmed", "U1", actionConfirm, value, "s-old2 s-old3 s-1002"},
		{"clicked twice", "U1", actionConfirm, value, "s-old2 s-old3 s-1002"},
	}
	for _, step := range steps {
		w := b.do(slackPress(step.user, step.action, step.value))
		if w.Code != http.StatusOK {
			t.Errorf("%s: status %d", step.name, w.Code)
		}
		if ids := strings.Join(b.account.ids(), " "); ids != step.want {
			t.Errorf("%s: snapshots are %s, want %s", step.name, ids, step.want)
		}
	}
	if len(b.late.urls) != len(steps)-1 { // the button that is not ours is not answered
		t.Errorf("%d late answers, want %d", len(b.late.urls), len(steps)-1)
	}
	if last := b.late.bodies[len(b.late.bodies)-1]; !strings.Contains(last, `"replace_original":true`) || strings.Contains(last, `"button"`) {
		t.Errorf("late answer is %s, want the buttons gone", last)
	}
}

func TestFeishuButtons(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	b.account.fill()
	w := b.do(feishuSigned(feishuMessage("web-1", "1")))
	found := regexp.MustCompile(`"confirm":"([^"]+)"`).FindStringSubmatch(w.Body.String())
	if found == nil {
		t.Fatalf("no button in %s", w.Body)
	}
	question := w.Body.String()
	w = b.do(feishuSigned(feishuPress(map[string]any{"confirm": found[1] + "0"})))
	if !strings.Contains(w.Body.String(), `"type":"error"`) || len(b.account.ids()) != 3 || b.account.ids()[0] != "s-old1" {
		t.Errorf("a forged button gets %s, snapshots are %v", w.Body, b.account.ids())
	}
	cancel := regexp.MustCompile(`"cancel":"([^"]+)"`).FindStringSubmatch(question)
	if cancel == nil {
		t.Fatalf("no cancel button in %s", question)
	}
	for name, value := range map[string]map[string]any{
		"a confirmation": {"confirm": found[1]}, "a cancellation": {"cancel": cancel[1]}, "a bare cancellation": {"cancel": true}, "the other button": {"cancel": found[1]},
	} {
		by := "ou_2"
		if name == "the other button" {
			by = "ou_1"
		}
		w := b.do(feishuSigned(strings.Replace(feishuPress(value), `"ou_1"`, `"`+by+`"`, 1)))
		if !strings.Contains(w.Body.String(), `"type":"error"`) || strings.Contains(w.Body.String(), `"card"`) {
			t.Errorf("%s by somebody else gets %s, want a toast alone", name, w.Body)
		}
		stranger := b.do(feishuSigned(strings.Replace(feishuPress(value), `"tk1"`, `"tk9"`, 2)))
		if strings.Contains(stranger.Body.String(), `"card"`) {
			t.Errorf("%s by a stranger gets %s, want a toast alone", name, stranger.Body)
		}
	}
	w = b.do(feishuSigned(feishuPress(map[string]any{"cancel": cancel[1]})))
	if !strings.Contains(w.Body.String(), "已搁置") {
		t.Errorf("cancelling gets %s", w.Body)
	}
	for range 2 {
		w = b.do(feishuSigned(feishuPress(map[string]any{"confirm": found[1]})))
		if !strings.Contains(w.Body.String(), `"toast":{`) || !strings.Contains(w.Body.String(), `"type":"success"`) {
			t.Errorf("the button gets %s", w.Body)
		}
	}
	if ids := strings.Join(b.account.ids(), " "); ids != "s-old2 s-old3 s-1002" {
		t.Errorf("snapshots are %s", ids)
	}
}

// Confirmations hang on what nobody but the sender knows, and never on an ID.
func TestConfirmationsHangOnSecrets(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		secrets := allSecrets()
		keys := kind.signingOf(secrets)
		s, err := kind.open(secrets)
		if err != nil {
			t.Fatal(err)
		}
		if _, chat := s.(chatSender); chat != (len(keys) > 0) {
			t.Errorf("%s has the keys %v", kind.name, keys)
		}
		for _, key := range keys {
			if key == corpID {
				t.Errorf("%s confirms by its corp ID", kind.name)
			}
		}
		delete(secrets, envFeishuEncrypt)
		if kind.name == "feishu" && kind.signingOf(secrets)[0] != feishuToken {
			t.Error("Feishu without an encrypt key does not confirm by its token")
		}
	}
	b := newBench(t, allSecrets())
	b.account.fill()
	forged := confirmation{sender: "dingtalk", tenant: "corp1", actor: "staff1", target: "web-1", victim: "s-old1", issued: now.Truncate(confirmStep)}
	b.tell(t, talks()["dingtalk"], "confirm "+forged.code(confirmKeys([]string{corpID})[0]), "1")
	if ids := strings.Join(b.account.ids(), " "); ids != "s-old1 s-old2 s-old3" {
		t.Errorf("snapshots are %s after a forged code", ids)
	}
}

// Somebody from outside of a DingTalk corporation has no staff ID: what one asks, another cannot confirm.
func TestConfirmFromOutside(t *testing.T) {
	t.Parallel()
	message := func(sender, text, id string) delivery {
		return dingSigned(toJSON(map[string]any{
			"msgtype": "text", "text": map[string]string{"content": " " + text}, "msgId": id, "conversationId": "cid1",
			"senderStaffId": "", "senderId": sender, "senderCorpId": "corp1",
		}))
	}
	b := newBench(t, allSecrets())
	for i := range b.config.Policy.Allow {
		b.config.Policy.Allow[i].Actors = nil
	}
	b.handler = New(b.config)
	b.account.fill()
	code := codeInText.FindStringSubmatch(b.do(message("$:one", "web-1", "1")).Body.String())
	if code == nil {
		t.Fatal("there is no question")
	}
	b.do(message("$:two", "confirm "+code[1], "2"))
	if ids := strings.Join(b.account.ids(), " "); !strings.HasPrefix(ids, "s-old1 ") {
		t.Errorf("another one confirmed: snapshots are %s", ids)
	}
	b.do(message("$:one", "confirm "+code[1], "3"))
	if ids := strings.Join(b.account.ids(), " "); strings.HasPrefix(ids, "s-old1 ") {
		t.Errorf("his own confirmation is not taken: snapshots are %s", ids)
	}
	if got := b.do(message("", "list", "4")).Body.String(); strings.Contains(got, "web-1") {
		t.Errorf("nobody gets %s", got)
	}
}
