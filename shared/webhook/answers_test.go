package webhook

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// through sends a delivery as Function Compute does, and returns the body of the answer.
func (b *bench) through(t *testing.T, d delivery) string {
	t.Helper()
	headers := map[string]string{}
	for name := range d.header {
		headers[name] = d.header.Get(name)
	}
	event := toJSON(map[string]any{
		"version": "v1", "rawPath": d.path, "headers": headers, "body": d.body,
		"requestContext": map[string]any{"requestId": "1-platform", "http": map[string]string{"method": d.method}},
	})
	answer, err := trigger.ServeHTTP(context.Background(), []byte(event), b.handler, httpapi.WriteStatus)
	var got struct{ Body string }
	if err != nil || json.Unmarshal(answer, &got) != nil {
		t.Fatalf("no answer: %v: %s", err, answer)
	}
	return got.Body
}

// The small print of every answer names a request, and the slots where they were counted.
func TestSmallPrint(t *testing.T) {
	t.Parallel()
	full := func(b *bench) { b.account.fill() }
	blocked := func(b *bench) {
		b.script(scripted{take: func(snapshot.Order) snapshot.Result {
			return snapshot.Result{
				Outcome: snapshot.OutcomeBlocked, Slots: &snapshot.SlotCount{Used: 3, Of: 3}, RequestID: "req-full",
				Error: &snapshot.Error{Code: snapshot.CodeBlocked, Kind: snapshot.KindConflict, RequestID: "req-full"},
			}
		}})
	}
	planless := func(b *bench) {
		b.script(scripted{plan: func(string) (snapshot.Plan, error) {
			return snapshot.Plan{},
				context.DeadlineExceeded
		}})
	}
	failing := func(action string) func(*bench) {
		return func(b *bench) { b.account.fill(); b.account.fail[action] = snapshot.CodeNoAnswer }
	}
	for name, test := range map[string]struct {
		prepare func(*bench)
		text    string
		small   []string
	}{
		"taken":   {func(*bench) {}, "web-1", []string{"snapshot s-1000", "slots 1 of 3", "request req-created"}},
		"no plan": {planless, "web-1", []string{"snapshot s-1000", "request req-created"}},
		"blocked": {blocked, "web-1", []string{"code " + snapshot.CodeBlocked, "slots 3 of 3", "request req-full"}},
		"started": {failing("CreateSnapshot"), "web-1",
			[]string{"code " + snapshot.CodeNoAnswer, "request req-failed"}},
		"a list":   {full, "list web-1", []string{"slots 3 of 3", "request 1-platform"}},
		"a plan":   {full, "plan web-1", []string{"slots 3 of 3", "request 1-platform"}},
		"a status": {full, "status s-old1", []string{"snapshot s-old1", "slots 3 of 3", "request 1-platform"}},
		"a pin":    {full, "keep s-old1", []string{"snapshot s-old1", "slots 3 of 3", "request 1-platform"}},
		"help":     {full, "help", []string{"request 1-platform"}},
		"an error": {failing("ListSnapshots"), "list web-1",
			[]string{"code " + snapshot.CodeNoAnswer, "request req-failed"}},
		"denied": {full, "nothing-like-it", []string{"request 1-platform"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, allSecrets())
				test.prepare(b)
				answer := b.through(t, slackCommand(test.text, "1"))
				for _, want := range test.small {
					if !strings.Contains(answer, want) {
						t.Errorf("answer is %s, want %q", answer, want)
					}
				}
			})
		})
	}
	if answer := newBench(t, allSecrets()).through(t, slackSigned(mediaForm, "text=web-1")); !strings.Contains(answer,
		"request 1-platform") {
		t.Errorf("an unreadable message gets %s", answer)
	}
}

// A Chinese answer holds no English but commands, names and codes.
func TestChineseAnswers(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"help": true, "status": true, "list": true, "plan": true, "keep": true, "id": true}
	for _, text := range []string{"快照 web-1", "计划 web-1", "列表 web-1", "状态 s-old1", "保留 s-old1", "保留 s-old3 2026-12-01",
		"帮助"} {
		b := newBench(t, allSecrets())
		b.account.fill()
		answer := b.tell(t, talks()["wecom"], text, "1")
		for _, word := range strings.FieldsFunc(answer, func(r rune) bool {
			return r > unicode.MaxASCII || !unicode.IsLetter(r) && !strings.ContainsRune("-:0123456789", r)
		}) {
			english := strings.IndexFunc(word,
				func(r rune) bool { return unicode.IsDigit(r) || r == '-' || unicode.IsUpper(r) }) < 0
			if english && !known[word] && len(word) > 1 && word != "web" {
				t.Errorf("%q is answered %q: %q is English", text, answer, word)
			}
		}
	}
	b := newBench(t, allSecrets())
	answer := b.do(slackCommandBy("U3", "快照 web-1", "1")).Body.String()
	if !strings.Contains(answer, "（创建）") {
		t.Errorf("who may not take gets %s", answer)
	}
}

// Help shows what this user may see.
func TestHelpNamesOwnTargets(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	b.options.Policy.Allow = b.options.Policy.Allow[:1:1]
	b.options.Policy.Allow[0].Targets = []string{"db-1"}
	b.handler = New(b.options)
	if answer := b.tell(t, talks()["slack"], "help", "1"); strings.Contains(answer, "web-1") ||
		!strings.Contains(answer, "plan db-1") {
		t.Errorf("help is %q", answer)
	}
}

// The core gets the time of a message as the sender has it, and refuses what lies too far off.
func TestMessageTime(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-time.Hour, 0, 10 * time.Minute} {
		b := newBench(t, allSecrets())
		b.do(wecomXML(strings.Replace(wecomText("web-1", "1"), "<CreateTime>"+seconds(now),
			"<CreateTime>"+seconds(now.Add(ahead)), 1)))
		if len(b.orders) != 1 || !b.orders[0].Time.Equal(now.Add(ahead).Truncate(time.Second)) {
			t.Errorf("%s ahead: orders are %+v", ahead, b.orders)
		}
	}
}

// An authentic message that cannot be read is answered in the sender's own form.
func TestUnreadableMessages(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]delivery{
		"slack":    slackSigned(mediaForm, "%zz"),
		"dingtalk": dingSigned(`{"msgtype":"text","msgId":7}`),
		"feishu": feishuSigned(strings.Replace(feishuMessage("web-1", "1"), `"message_id"`,
			`"x":1,"X":2,"message_id"`, 1)),
		"wecom": wecomXML("<xml><a>"),
		"teams": teamsSigned(strings.Replace(teamsBody("web-1", "1", now), `"id":"1"`, `"id":7`, 1)),
	} {
		w := newBench(t, allSecrets()).do(d)
		if w.Code != 200 {
			t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
			continue
		}
		text := w.Body.String()
		if name != "wecom" { // its reply has no address: the message could not be read
			text = talks()[name].read(t, w)
		}
		if name != "wecom" && !strings.Contains(text, snapshot.CodeMalformed) {
			t.Errorf("%s: answer is %q", name, text)
		}
	}
}
