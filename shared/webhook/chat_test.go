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
	"testing/synctest"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// talk is how the tests speak in one chat: how a user sends a message there, and how the text of an answer is read.
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
		"slack": {slackCommand, inJSON(&slackAnswer, func() string { return slackAnswer.Text })},
		"dingtalk": {dingMessage, inJSON(&dingAnswer,
			func() string { return strings.ReplaceAll(dingAnswer.Markdown.Text, "\n\n", "\n") })},
		"teams": {teamsMessage, inJSON(&teamsAnswer,
			func() string { return strings.ReplaceAll(teamsAnswer.Text, "\n\n", "\n") })},
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

// inEachChat runs a test in every chat, with a bench of its own.
func inEachChat(t *testing.T, test func(t *testing.T, b *bench, sender string, in talk)) {
	t.Helper()
	for name, in := range talks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBench(t, allSecrets()), name, in)
		})
	}
}

// Every chat understands every command, in its own form.
func TestCommands(t *testing.T) {
	t.Parallel()
	inEachChat(t, func(t *testing.T, b *bench, sender string, in talk) {
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
		if last.Target != "web-1" || last.Role != snapshot.RoleManual || last.DefaultRole != snapshot.RoleManual ||
			last.Reason != "before the upgrade" ||
			!last.Paced || last.Unread || last.Repeated || last.Sender != sender {
			t.Errorf("order is %+v", last)
		}
	})
}

// A message that is delivered again, or ten times at once, means one snapshot.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	inEachChat(t, func(t *testing.T, b *bench, _ string, in talk) {
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

// slow is a core that takes all the time it gets.
type slow struct {
	Core
	left chan time.Duration
}

func (s slow) TakeAll(ctx context.Context, orders []snapshot.Order) []snapshot.Result {
	deadline, _ := ctx.Deadline()
	s.left <- time.Until(deadline)
	return []snapshot.Result{{
		Target: orders[0].Target, Outcome: snapshot.OutcomeDeferred,
		Error: &snapshot.Error{Code: snapshot.CodeNoTime, Kind: snapshot.KindTimeout, Retryable: true},
	}}
}

// timed is a ResponseWriter that keeps by when the answer must be written.
type timed struct {
	*httptest.ResponseRecorder
	writeBy time.Time
}

func (w *timed) SetWriteDeadline(by time.Time) error {
	w.writeBy = by
	return nil
}

// The core gets less time than the sender gives us, and what the server does before the answer is written is limited,
// too.
func TestBudget(t *testing.T) {
	t.Parallel()
	inEachChat(t, func(t *testing.T, b *bench, sender string, in talk) {
		left := make(chan time.Duration, 1)
		b.options.Core = slow{left: left}
		b.handler = New(b.options)
		start, w := time.Now(), &timed{httptest.NewRecorder(), time.Time{}}
		b.handler.ServeHTTP(w, in.say("web-1", "1").request())
		answer := in.read(t, w.ResponseRecorder)
		limit := map[string]time.Duration{"teams": 4 * time.Second, "wecom": 4 * time.Second}[sender]
		if limit == 0 {
			limit = 2300 * time.Millisecond
		}
		if got := <-left; got <= 0 || got >= limit {
			t.Errorf("the core gets %s, want less than %s", got, limit)
		}
		if w.writeBy.Before(start) || w.writeBy.After(time.Now().Add(limit)) {
			t.Errorf("the answer is due %s after the request, want at most %s", w.writeBy.Sub(start), limit)
		}
		if strings.Contains(answer, "list web-1") || !strings.Contains(answer, snapshot.CodeNoTime) {
			t.Errorf("answer is %q, want that nothing is started", answer)
		}
	})
}

// What the API says reaches users through the catalogue alone.
func TestFailures(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		snapshot.CodeForbiddenRAM: "not set up", snapshot.CodeDiskNotFound: "does not exist",
		snapshot.CodeBadSignature:    "not set up",
		snapshot.CodeIncorrectStatus: "forbids a snapshot now", snapshot.CodeNoAnswer: "started",
		"SomethingNew": "failed to answer properly",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, allSecrets())
				b.account.fail["CreateSnapshot"] = code
				answer := b.tell(t, talks()["slack"], "web-1", "1")
				if strings.Contains(answer, "upstream words") || !strings.Contains(answer, want) ||
					!strings.Contains(answer, code) {
					t.Errorf("answer is %q, want %q and the code", answer, want)
				}
			})
		})
	}
	t.Run("blocked", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, allSecrets())
		b.script(scripted{take: func(snapshot.Order) snapshot.Result {
			return snapshot.Result{
				Outcome: snapshot.OutcomeBlocked, Error: &snapshot.Error{Code: snapshot.CodeBlocked,
					Kind: snapshot.KindConflict, Message: "full"},
				Plan: []snapshot.PlanItem{
					{SnapshotID: "s-own", SnapshotName: "manual-web-1-20261123T2000-aaaaaaa2",
						Action: snapshot.ActionKeep, Reason: "pinned", Target: "web-1"},
					{SnapshotID: "s-hidden", SnapshotName: "manual-hidden-1-20261123T2000-aaaaaaa3",
						Action: snapshot.ActionKeep, Reason: "the last one", Target: "hidden-1"},
				},
			}
		}})
		answer := b.tell(t, talks()["slack"], "web-1", "1")
		if !strings.Contains(answer, "No slot is free") ||
			!strings.Contains(answer, "keep s-own: pinned\nan occupied slot\n") || strings.Contains(answer, "hidden") {
			t.Errorf("answer is %q, want the plan, and nothing of a hidden target", answer)
		}
	})
}

// A user whom the policy does not name learns nothing and does nothing.
func TestUsersWithoutRule(t *testing.T) {
	t.Parallel()
	outsider := func(old, with string, d delivery) delivery {
		d.body = strings.Replace(d.body, old, with, 1)
		return d
	}
	for name, d := range map[string]delivery{
		"slack user":     slackCommandBy("U9", "web-1", "1"),
		"slack channel":  slackSigned(mediaForm, "team_id=T1&channel_id=C9&user_id=U1&text=web-1&trigger_id=1"),
		"slack team":     slackSigned(mediaForm, "team_id=T9&channel_id=C1&user_id=U1&text=web-1&trigger_id=1"),
		"dingtalk user":  dingMessageBy("staff9", "web-1", "1"),
		"dingtalk corp":  outsider(`"senderCorpId":"corp1"`, `"senderCorpId":"corp9"`, dingMessage("web-1", "1")),
		"dingtalk guest": outsider(`"senderCorpId":"corp1"`, `"senderCorpId":""`, dingMessage("web-1", "1")),
		"dingtalk group": outsider(`"conversationId":"cid1"`, `"conversationId":"cid9"`, dingMessage("web-1", "1")),
		"feishu tenant":  feishuSigned(strings.Replace(feishuMessage("web-1", "1"), `"tk1"`, `"tk9"`, 1)),
		"wecom user":     wecomXML(strings.Replace(wecomText("web-1", "1"), "zhang", "li", 1)),
		"teams tenant":   teamsSigned(strings.Replace(teamsBody("web-1", "1", now), "tenant1", "tenant9", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			w := b.do(d)
			if w.Code != http.StatusOK {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			if len(b.orders) > 0 || b.account.calls > 0 {
				t.Error("a user without a rule reached the core")
			}
			if strings.Contains(w.Body.String(), "db-1") {
				t.Errorf("a user without a rule reads of targets: %s", w.Body)
			}
		})
	}
}

// A snapshot of a target that the user may not see looks like none at all, and stays unpinned.
func TestHiddenSnapshots(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	b.account.fill()
	b.account.snapshots[0].DiskID = "d-bp18kjxg9ebrhsgi0003"
	in := talks()["slack"]
	for _, command := range []string{"status ", "keep "} {
		hidden, none := b.tell(t, in, command+"s-old1", "1"), b.tell(t, in, command+"s-none", "2")
		if hidden != none {
			t.Errorf("%sa hidden snapshot gets %q, one that does not exist %q", command, hidden, none)
		}
	}
	b.do(slackCommandBy("U3", "keep s-old2", "3")) // may only list
	for _, one := range b.account.snapshots {
		if pin, pinned := one.Tag(snapshot.TagKeep); pinned {
			t.Errorf("%s is pinned %s", one.ID, pin)
		}
	}
}

// The core learns who pins, for the log.
func TestWhoPins(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	b.account.fill()
	b.tell(t, talks()["slack"], "keep s-old1", "1")
	if want := (policy.Caller{From: "slack", Actor: "U1"}); b.pinner != want {
		t.Errorf("pinned by %+v, want %+v", b.pinner, want)
	}
}
