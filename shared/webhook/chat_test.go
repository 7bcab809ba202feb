package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
)

// talk is how the tests speak in one chat: how a person says something there, and how the text of an answer is read.
type talk struct {
	say  func(text, id string) delivery
	read func(testing.TB, *httptest.ResponseRecorder) string
}

func talks() map[string]talk {
	inJSON := func(into any, pick func() string) func(testing.TB, *httptest.ResponseRecorder) string {
		return func(tb testing.TB, w *httptest.ResponseRecorder) string {
			tb.Helper()
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				tb.Fatalf("answer is not JSON: %v: %s", err, w.Body)
			}
			return pick()
		}
	}
	var slackAnswer, teamsAnswer struct{ Text string }
	var dingAnswer struct{ Markdown struct{ Title, Text string } }
	var feishuAnswer struct {
		Card struct {
			Header   struct{ Title struct{ Content string } }
			Elements []struct {
				Text     struct{ Content string }
				Elements []struct{ Content string }
			}
		}
	}
	return map[string]talk{
		"slack":    {slackCommand, inJSON(&slackAnswer, func() string { return slackAnswer.Text })},
		"dingtalk": {dingMessage, inJSON(&dingAnswer, func() string { return strings.ReplaceAll(dingAnswer.Markdown.Text, "\n\n", "\n") })},
		"teams":    {teamsMessage, inJSON(&teamsAnswer, func() string { return strings.ReplaceAll(teamsAnswer.Text, "\n\n", "\n") })},
		"wecom": {wecomMessage, func(tb testing.TB, w *httptest.ResponseRecorder) string {
			tb.Helper()
			return openWeComReply(tb, w.Body.String())
		}},
		"feishu": {
			func(text, id string) delivery { return feishuSigned(feishuMessage(text, id)) },
			inJSON(&feishuAnswer, func() string {
				lines := []string{feishuAnswer.Card.Header.Title.Content}
				for _, e := range feishuAnswer.Card.Elements {
					if e.Text.Content != "" {
						lines = append(lines, e.Text.Content)
					}
					for _, note := range e.Elements {
						lines = append(lines, note.Content)
					}
				}
				feishuAnswer.Card.Elements = nil
				return strings.Join(lines, "\n")
			}),
		},
	}
}

func (b *bench) tell(t *testing.T, in talk, text, id string) string {
	t.Helper()
	w := b.do(in.say(text, id))
	if w.Code != http.StatusOK {
		t.Fatalf("%q gets status %d, want 200 always: %s", text, w.Code, w.Body)
	}
	answer := in.read(t, w)
	if len(strings.Split(answer, "\n")) < 2 {
		t.Errorf("%q gets %q, want the result and what to do next", text, answer)
	}
	return answer
}

// Every chat understands every command, in its own form.
func TestCommands(t *testing.T) {
	t.Parallel()
	for name, in := range talks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			b.account.fill()
			b.account.snapshots = b.account.snapshots[:2]
			for i, step := range []struct{ text, want string }{
				{"list web-1", "2 (of|/) 3"},
				{"plan web-1", "s-old1"},
				{"WEB-1 before the upgrade", "s-1002"},
				{"status s-1002", "progressing"},
				{"list", "web-1"},
				{"keep s-old1", "s-old1"},
				{"keep s-old2 2026-12-01", "2026-12-01"},
				{"keep s-old2 2020-01-01", "InvalidOrder"},
				{"keep s-none", "list"},
				{"status s-none", "list"},
				{"status <!channel>", "list"},
				{"help", "plan"},
				{"帮助", "计划"},
				{"列表 web-1", "名额"},
				{"", "help"},
				{"wbe-1", "web-1"},
				{"nothing-like-it", "list"},
				{"hidden-1", "list"},
				{strings.Repeat("x", 501), "500"},
			} {
				answer := b.tell(t, in, step.text, fmt.Sprintf("id-%d", i))
				if !regexp.MustCompile(step.want).MatchString(answer) {
					t.Errorf("%q gets %q, want %q in it", step.text, answer, step.want)
				}
			}
			if pin, _ := b.account.snapshots[0].Tag(snapshot.TagKeep); pin != "forever" {
				t.Errorf("s-old1 is pinned %q, want forever", pin)
			}
			if ids := b.account.ids(); len(ids) != 3 {
				t.Errorf("snapshots are %v, want exactly one more than 2", ids)
			}
			last := b.orders[len(b.orders)-1]
			if last.Target != "web-1" || last.Role != snapshot.RoleManual || last.Reason != "before the upgrade" || !last.AskFirst || !last.Paced || last.Sender != name {
				t.Errorf("order is %+v", last)
			}
		})
	}
}

// A message that is delivered again, or ten times at once, means one snapshot.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	for name, in := range talks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() { b.do(in.say("web-1", "same")) })
			}
			all.Wait()
			b.tell(t, in, "web-1", "same")
			if ids := b.account.ids(); len(ids) != 1 {
				t.Errorf("snapshots are %v, want one", ids)
			}
		})
	}
}

var codeInText = regexp.MustCompile(`confirm ([0-9A-Z]{4})\b`)

// Taking that would delete says so first, and nothing goes before the code comes back.
func TestConfirmByCode(t *testing.T) {
	t.Parallel()
	for name, in := range talks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
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
		for age, want := range map[time.Duration]int{0: 1, 4*time.Minute + 49*time.Second: 1, 5 * time.Minute: 0, time.Hour: 0, -time.Minute: 0} {
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
			if _, ok := openValue(keys, c.value(keys[0]), who, c.issued.Add(age)); ok != (want == 1) {
				t.Errorf("after %s the button is good: %t", age, ok)
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
		if c.valueMAC(key) == base.valueMAC(key) {
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
		{"cancelled", "U1", actionCancel, "", "s-old1 s-old2 s-old3"},
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
	w = b.do(feishuSigned(feishuPress(map[string]any{"confirm": found[1] + "0"})))
	if !strings.Contains(w.Body.String(), `"type":"error"`) || len(b.account.ids()) != 3 || b.account.ids()[0] != "s-old1" {
		t.Errorf("a forged button gets %s, snapshots are %v", w.Body, b.account.ids())
	}
	w = b.do(feishuSigned(feishuPress(map[string]any{"cancel": true})))
	if !strings.Contains(w.Body.String(), "已取消") {
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

// slow is a core that takes all the time it gets.
type slow struct {
	Core
	left chan time.Duration
}

func (s slow) Take(ctx context.Context, o snapshot.Order) snapshot.Result {
	deadline, _ := ctx.Deadline()
	s.left <- time.Until(deadline)
	return snapshot.Result{Target: o.Target, Outcome: snapshot.OutcomeDeferred, Error: &snapshot.Error{Code: snapshot.CodeNoTime, Kind: snapshot.KindTimeout, Retryable: true}}
}

// The core gets less time than the sender gives us, and the person hears that it goes on.
func TestBudget(t *testing.T) {
	t.Parallel()
	for name, in := range talks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			left := make(chan time.Duration, 1)
			b.config.Core = func(context.Context) (Core, error) { return slow{left: left}, nil }
			b.handler = New(b.config)
			answer := b.tell(t, in, "web-1", "1")
			limit := map[string]time.Duration{"teams": 4 * time.Second, "wecom": 4 * time.Second}[name]
			if limit == 0 {
				limit = 2300 * time.Millisecond
			}
			if got := <-left; got <= 0 || got >= limit {
				t.Errorf("the core gets %s, want less than %s", got, limit)
			}
			if !strings.Contains(answer, "list web-1") || !strings.Contains(answer, "status") {
				t.Errorf("answer is %q, want that it is started and how to ask", answer)
			}
		})
	}
}

// What the API says reaches people through the catalogue alone.
func TestFailures(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		snapshot.CodeForbiddenRAM: "not set up", snapshot.CodeDiskNotFound: "does not exist", snapshot.CodeBadSignature: "not set up",
		snapshot.CodeIncorrectStatus: "forbids a snapshot now", snapshot.CodeNoAnswer: "started", "SomethingNew": "failed to answer properly",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			b.account.fail["CreateSnapshot"] = code
			answer := b.tell(t, talks()["slack"], "web-1", "1")
			if strings.Contains(answer, "upstream words") || !strings.Contains(answer, want) || !strings.Contains(answer, code) {
				t.Errorf("answer is %q, want %q and the code", answer, want)
			}
		})
	}
	t.Run("blocked", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, allSecrets())
		b.account.fill()
		for i := range b.account.snapshots {
			b.account.snapshots[i].Tags = nil
		}
		if answer := b.tell(t, talks()["dingtalk"], "web-1", "1"); !strings.Contains(answer, "名额") || !strings.Contains(answer, "s-old2") {
			t.Errorf("answer is %q, want the plan", answer)
		}
	})
	t.Run("no core", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, allSecrets())
		b.config.Core = func(context.Context) (Core, error) {
			return nil, &snapshot.Error{Code: snapshot.CodeNoCredentials, Kind: snapshot.KindConfig, Message: "set a role"}
		}
		b.handler = New(b.config)
		if answer := b.tell(t, talks()["teams"], "web-1", "1"); !strings.Contains(answer, snapshot.CodeNoCredentials) {
			t.Errorf("answer is %q", answer)
		}
		if w := b.do(githubSigned("deployment", githubDeployment)); w.Code != http.StatusInternalServerError {
			t.Errorf("a machine gets status %d", w.Code)
		}
	})
}

// Who is not named in the policy learns nothing and does nothing.
func TestStrangers(t *testing.T) {
	t.Parallel()
	outsider := func(old, with string, d delivery) delivery {
		d.body = strings.Replace(d.body, old, with, 1)
		return d
	}
	for name, d := range map[string]delivery{
		"slack person":    slackCommandBy("U9", "web-1", "1"),
		"slack channel":   slackSigned(mediaForm, "team_id=T1&channel_id=C9&user_id=U1&text=web-1&trigger_id=1"),
		"slack team":      slackSigned(mediaForm, "team_id=T9&channel_id=C1&user_id=U1&text=web-1&trigger_id=1"),
		"slack button":    slackPress("U9", actionConfirm, "x"),
		"dingtalk person": dingMessageBy("staff9", "web-1", "1"),
		"dingtalk corp":   outsider(`"senderCorpId":"corp1"`, `"senderCorpId":"corp9"`, dingMessage("web-1", "1")),
		"dingtalk guest":  outsider(`"senderCorpId":"corp1"`, `"senderCorpId":""`, dingMessage("web-1", "1")),
		"dingtalk group":  outsider(`"conversationId":"cid1"`, `"conversationId":"cid9"`, dingMessage("web-1", "1")),
		"feishu tenant":   feishuSigned(strings.Replace(feishuMessage("web-1", "1"), `"tk1"`, `"tk9"`, 1)),
		"wecom person":    wecomXML(strings.Replace(wecomText("web-1", "1"), "zhang", "li", 1)),
		"teams tenant":    teamsSigned(strings.Replace(teamsBody("web-1", "1", now), "tenant1", "tenant9", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			w := b.do(d)
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if len(b.orders) > 0 || b.account.calls > 0 {
				t.Error("a stranger reached the core")
			}
			if strings.Contains(w.Body.String(), "db-1") {
				t.Errorf("a stranger reads of targets: %s", w.Body)
			}
		})
	}
}
