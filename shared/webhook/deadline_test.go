package webhook

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"swas-snapshot/shared/snapshot"
)

// stuck is a core whose calls ignore their time: each reports that it has begun, and ends when it is released.
type stuck struct {
	begun   chan struct{}
	release chan struct{}
}

func (s stuck) wait() {
	s.begun <- struct{}{}
	<-s.release
}

func (s stuck) TakeAll(context.Context, []snapshot.Order) (r []snapshot.Result) { s.wait(); return }
func (s stuck) List(context.Context, string) (l snapshot.Listing, err error)    { s.wait(); return }
func (s stuck) Plan(context.Context, string) (p snapshot.Plan, err error)       { s.wait(); return }
func (s stuck) Find(context.Context, string) (one snapshot.Snapshot, t snapshot.Target, err error) {
	s.wait()
	return
}
func (s stuck) Pin(context.Context, string, string, func(snapshot.Target) error) (p snapshot.Pinned, err error) {
	s.wait()
	return
}

// doStuck sends a delivery whose time ends while the core is at work, and returns the answer.
func (b *bench) doStuck(t *testing.T, d delivery) *httptest.ResponseRecorder {
	t.Helper()
	s := stuck{begun: make(chan struct{}, 1), release: make(chan struct{})}
	defer close(s.release)
	options := b.options
	options.Core = s
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-s.begun
		cancel()
	}()
	w := httptest.NewRecorder()
	New(options).ServeHTTP(w, d.request().WithContext(ctx))
	return w
}

// The answer is written in time, whatever the core still does, and says what goes on.
func TestChatsInTime(t *testing.T) {
	t.Parallel()
	inEachChat(t, func(t *testing.T, b *bench, _ string, in talk) {
		for text, want := range map[string]string{
			"take web-1": "is started, but", "list web-1": "did not answer in time",
			"plan web-1": "did not answer in time",
			"status s-1": "did not answer in time", "keep s-1": "did not answer in time",
		} {
			if answer := in.read(t, b.doStuck(t, in.say(text, "1"))); !strings.Contains(answer, want) {
				t.Errorf("%q gets %q, want %q", text, answer, want)
			}
		}
	})
}

// A machine is told that it may repeat the delivery; GitLab, that nothing is wrong.
func TestMachinesInTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		d      delivery
		status int
	}{
		"GitHub": {githubSigned("deployment", githubDeployment), http.StatusServiceUnavailable},
		"two":    {githubSigned("push", githubPush), http.StatusServiceUnavailable},
		"order":  {standardSigned("standard", standardSecret, "msg_1", standardOrder), http.StatusServiceUnavailable},
		"Gitee":  {giteeSigned("Push Hook", giteePush), http.StatusServiceUnavailable},
		"GitLab": {gitlabSigned(gitlabDeployment), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newBench(t, allSecrets()).doStuck(t, test.d)
			if w.Code != test.status || !strings.Contains(w.Body.String(), underWay) ||
				strings.Contains(w.Body.String(), `"outcome":""`) {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			if list := strings.Contains(w.Body.String(), `"results":[{`); list != (name == "GitLab" || name == "two") {
				t.Errorf("answer is %s", w.Body)
			}
			if again := w.Header().Get("Retry-After") != ""; again != (test.status != http.StatusOK) {
				t.Errorf("Retry-After is %q", w.Header().Get("Retry-After"))
			}
		})
	}
}

// Started is what has begun: a call that only looks has begun nothing.
func TestNothingBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, allSecrets())
		b.account.fail["CreateSnapshot"] = snapshot.CodeLimitExceed
		b.account.fail["ListSnapshots"] = snapshot.CodeNoAnswer
		if answer := b.tell(t, talks()["slack"], "web-1", "1"); strings.Contains(answer, "started") ||
			!strings.Contains(answer, "did not answer in time") {
			t.Errorf("answer is %q", answer)
		}
	})
}

// broken is a core with a defect.
type broken struct{ Core }

func (broken) TakeAll(context.Context, []snapshot.Order) []snapshot.Result { panic("a defect") }

// A panic of the core reaches the handler of the request, as without goroutines.
func TestPanic(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	b.options.Core = broken{}
	b.handler = New(b.options)
	defer func() {
		if got := recover(); got != "a defect" || !strings.Contains(b.log.String(), "panicked") {
			t.Errorf("recovered %v, the log is %s", got, b.log)
		}
	}()
	b.do(slackCommand("web-1", "1"))
}
