package webhook

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"swas-snapshot/shared/snapshot"
)

func swap(text string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(text) }

// hub and lab are events with pairs of texts in the body replaced.
func hub(event, body string, pairs ...string) delivery {
	return githubSigned(event, swap(body, pairs...))
}
func lab(body string, pairs ...string) delivery { return gitlabSigned(swap(body, pairs...)) }

// Which events take a snapshot, with what identity.
func TestPipelines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		d       delivery
		key     string
		targets string
	}{
		"GitHub deployment": {githubSigned("deployment", githubDeployment), "deployment:2:42", "web-1"},
		"GitHub push": {githubSigned("push", githubPush), "push:15:refs/heads/main:4:00aa:8:0123abcd",
			"web-1 db-1"},
		"GitHub run":              {githubSigned("workflow_run", githubRunText), "run:1:9:1:2", "web-1"},
		"GitLab pipeline created": {lab(gitlabPipeline, `"pending"`, `"created"`), "pipeline:2:31", "web-1"},
		"GitLab pipeline running": {lab(gitlabPipeline, `"pending"`, `"running"`), "pipeline:2:31", "web-1"},
		"GitLab deployment":       {gitlabSigned(gitlabDeployment), "deployment:2:15", "web-1"},
		"GitLab pipeline":         {gitlabSigned(gitlabPipeline), "pipeline:2:31", "web-1"},
		"GitLab push": {gitlabSigned(gitlabPush), "push:15:refs/heads/main:4:00aa:8:0123abcd",
			"web-1"},
		"Gitee push": {giteeSigned("Push Hook", giteePush),
			"push:15:refs/heads/main:4:00aa:8:0123abcd", "web-1"},
		"GitHub deployment of Actions": {hub("deployment", githubDeployment, `"repository"`,
			`"workflow_run":{"id":1,"event":"push"},"repository"`), "deployment:2:42", "web-1"},
		"GitHub deployment of a branch": {hub("deployment", githubDeployment, `"main"`, `"refs/heads/main"`),
			"deployment:2:42", "web-1"},
		"GitHub deployment of a tag": {hub("deployment", githubDeployment, `"main"`, `"refs/tags/main-1"`),
			"deployment:2:42", "web-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			w := b.do(test.d)
			if w.Code != http.StatusAccepted {
				t.Fatalf("status %d: %s", w.Code, w.Body)
			}
			var targets []string
			for _, o := range b.orders {
				targets = append(targets, o.Target)
				if o.Key != test.key || o.Role != snapshot.RoleDeploy || o.ExplicitKey || o.DefaultRole != "" {
					t.Errorf("order is %+v, want key %s", o, test.key)
				}
				if !o.Paced || !o.Unread || o.Repeated {
					t.Errorf("order is %+v, want it paced and unread", o)
				}
				reason := strings.ToLower(o.Reason)
				for _, want := range []string{"acme/shop", "main", "0123abcd"} {
					if !strings.Contains(reason, want) {
						t.Errorf("reason is %q, want %s in it", reason, want)
					}
				}
				sha := snapshot.Tag{Key: "sha", Value: "0123abcd"}
				if len(o.Tags) != 3 || o.Tags[0].Key != "repository" || o.Tags[2] != sha {
					t.Errorf("tags are %+v", o.Tags)
				}
			}
			if got := strings.Join(targets, " "); got != test.targets {
				t.Errorf("targets are %s, want %s", got, test.targets)
			}
		})
	}
}

// Which events are ignored, with what reason.
func TestIgnoredPipelines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		d   delivery
		why string // part of the reason
	}{
		"GitHub run in progress": {hub("workflow_run", githubRunText, "requested", "in_progress"),
			"only requested runs"},
		"GitHub run of another workflow": {hub("workflow_run", githubRunText, "deploy.yml", "lint.yml"), "no rule"},
		"GitHub run completed": {hub("workflow_run", githubRunText, "requested", "completed",
			`"conclusion":null`, `"conclusion":"success"`), "only requested runs"},
		"GitLab pipeline success": {lab(gitlabPipeline, `"pending"`, `"success"`),
			"only created, pending and running"},
		"GitLab pipeline canceled": {lab(gitlabPipeline, `"pending"`, `"canceled"`),
			"only created, pending and running"},
		"GitLab pipeline retried": {lab(gitlabPipeline, `"pending"`, `"running"`, `"finished_at":null`,
			`"finished_at":"2026-11-24 05:59:30 UTC"`), "started before"},
		"GitLab pipeline goes on": {lab(gitlabPipeline, `"pending"`, `"running"`, `"duration":null`,
			`"duration":63`), "started before"},
		"GitLab deployment created": {lab(gitlabDeployment, `"running"`, `"created"`), "running"},
		"GitLab deployment blocked": {lab(gitlabDeployment, `"running"`, `"blocked"`), "running"},
		"GitLab deployment failed":  {lab(gitlabDeployment, `"running"`, `"failed"`), "running"},
		"GitHub ping":               {githubSigned("ping", `{"zen":"x"}`), "ping"},
		"GitHub issue":              {githubSigned("issues", `{}`), "issues"},
		"GitHub event with markup":  {githubSigned("<!channel>", `{}`), "·"},
		"GitHub other environment": {hub("deployment", githubDeployment, "production", "staging"),
			"staging"},
		"GitHub look-alike env": {hub("deployment", githubDeployment, `"production"`, `"Production"`),
			"no rule"},
		"GitHub env with blank": {hub("deployment", githubDeployment, `"production"`, `"production "`),
			"no rule"},
		"GitHub Cyrillic env": {hub("deployment", githubDeployment, `"production"`,
			`"pr`+"\u043e"+`duction"`), "no rule"},
		"GitHub other repository": {hub("deployment", githubDeployment, "acme/shop", "acme/shop2"),
			"no rule"},
		"GitHub deleted deployment": {hub("deployment", githubDeployment, "created\"", "deleted\""),
			"created"},
		"GitHub deployment of a fork": {hub("deployment", githubDeployment, `"repository"`,
			`"workflow_run":{"id":1,"event":"push","head_repository":{"id":8,"full_name":"mallory/shop"}},
"repository"`), "fork"},
		"GitHub deployment by a pull request": {hub("deployment", githubDeployment, `"repository"`,
			`"workflow_run":{"id":1,"event":"pull_request_target"},"repository"`), "pull request"},
		"GitHub deployment of a merge ref": {hub("deployment", githubDeployment, `"main"`, `"refs/pull/5/merge"`),
			"neither"},
		"GitHub deployment of a short ref": {hub("deployment", githubDeployment, `"main"`, `"pull/5/head"`),
			"neither"},
		"GitLab deployment of a merge ref": {lab(gitlabDeployment, `"main"`, `"refs/merge-requests/5/head"`),
			"neither"},
		"GitLab deployment of a short ref": {lab(gitlabDeployment, `"main"`, `"merge-requests/5/head"`), "neither"},
		"GitHub merge queue": {hub("workflow_run", githubRunText, `"push"`, `"merge_group"`),
			"merge queue"},
		"GitHub comment": {hub("workflow_run", githubRunText, `"push"`, `"issue_comment"`),
			"comment"},
		"GitHub run of a fork": {hub("workflow_run", githubRunText,
			`"head_repository":{"id":7,"full_name":"acme/shop"}`,
			`"head_repository":{"id":8,"full_name":"mallory/shop"}`), "fork"},
		"GitHub run without home": {hub("workflow_run", githubRunText,
			`"head_repository":{"id":7,"full_name":"acme/shop"}`, `"head_repository":null`), "fork"},
		"GitHub run with a false name": {hub("workflow_run", githubRunText, `"head_repository":{"id":7`,
			`"head_repository":{"id":8`), "fork"},
		"GitHub pull request": {hub("workflow_run", githubRunText, `"push"`, `"pull_request"`),
			"pull request"},
		"GitHub pull request target": {hub("workflow_run", githubRunText, `"push"`, `"pull_request_target"`),
			"pull request"},
		"GitHub other branch": {hub("workflow_run", githubRunText, `"main"`, `"main2"`), "no rule"},
		"GitHub no branch":    {hub("workflow_run", githubRunText, `"main"`, `null`), "no branch"},
		"GitHub deleted branch": {hub("push", githubPush, `"deleted":false`, `"deleted":true`),
			"deleted"},
		"GitHub zero commit": {hub("push", githubPush, `"after":"0123abcd"`, `"after":"0000000000"`),
			"deleted"},
		"GitHub tag of the same name": {hub("push", githubPush, "refs/heads/main", "refs/tags/main"),
			"no rule"},
		"GitHub look-alike ref": {hub("push", githubPush, "refs/heads/main",
			"refs/heads/refs/heads/main"), "no rule"},
		"GitHub longer ref": {hub("push", githubPush, "refs/heads/main", "refs/heads/main/x"),
			"no rule"},
		"GitLab finished deployment": {lab(gitlabDeployment, `"running"`, `"success"`), "running"},
		"GitLab other environment":   {lab(gitlabDeployment, "production", "review/x"), "no rule"},
		"GitLab merge request": {lab(gitlabPipeline, `"merge_request":null`, `"merge_request":{"id":1}`),
			"merge request"},
		"GitLab merge request source": {lab(gitlabPipeline, `"source":"push"`,
			`"source":"merge_request_event"`), "merge request"},
		"GitLab merge ref": {lab(gitlabPipeline, `"ref":"main"`,
			`"ref":"refs/merge-requests/1/head"`), "neither"},
		"GitLab tag of the same name": {lab(gitlabPipeline, `"tag":false`, `"tag":true`), "no rule"},
		"GitLab failed pipeline": {lab(gitlabPipeline, `"pending"`, `"failed"`),
			"only created, pending and running"},
		"GitLab deleted branch": {lab(gitlabPush, `"after":"0123abcd"`, `"after":"0000000000"`),
			"deleted"},
		"GitLab note":         {gitlabSigned(`{"object_kind":"note","project":"a text"}`), "note"},
		"Gitee merge request": {giteeSigned("Merge Request Hook", giteePush), "Merge Request Hook"},
		"Gitee deleted branch": {giteeSigned("Push Hook",
			swap(giteePush, `"after":"0123abcd"`, `"after":"0123abcd","deleted":true`)), "deleted"},
		"Gitee other ref": {giteeSigned("Push Hook",
			swap(giteePush, "refs/heads/main", "refs/heads/maim")), "no rule"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			w := b.do(test.d)
			var answer struct{ Ignored string }
			err := json.Unmarshal(w.Body.Bytes(), &answer)
			if err != nil || w.Code != http.StatusOK || !strings.Contains(answer.Ignored, test.why) {
				t.Errorf("status %d, %s, want ignored for %q", w.Code, w.Body, test.why)
			}
			if len(b.orders) > 0 || b.account.calls > 0 {
				t.Errorf("an ignored event reached the core: %+v", b.orders)
			}
		})
	}
}

// Deliveries that mean one event: again, ten at once, hooks of organisation and repository, the states of a run.
func TestOneEventOneSnapshot(t *testing.T) {
	t.Parallel()
	organisation := swap(githubDeployment, `"sender"`, `"organization":{"login":"acme","id":3},"sender"`)
	for name, deliveries := range map[string][]delivery{
		"GitHub deployment": {githubSigned("deployment", githubDeployment), githubSigned("deployment", organisation)},
		"GitHub run": {githubSigned("workflow_run", githubRunText),
			githubSigned("workflow_run", swap(githubRunText, "requested", "completed"))},
		"GitLab pipeline": {
			gitlabSigned(swap(gitlabPipeline, `"pending"`,
				`"created"`)), gitlabSigned(gitlabPipeline),
			gitlabSigned(swap(gitlabPipeline, `"pending"`, `"running"`)),
		},
		"GitLab deployment": {gitlabSigned(gitlabDeployment),
			gitlabSigned(swap(gitlabDeployment, `"user":{"username":"ana"}`, `"user":{"username":"ana","id":1}`))},
		"Gitee push": {giteeSigned("Push Hook", giteePush),
			giteeSigned("Push Hook", swap(giteePush, `"hook_id":1`, `"hook_id":2`))},
		"Standard Webhooks": {standardSigned("standard", standardSecret, "msg_1", standardOrder)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			var all sync.WaitGroup
			for range 10 {
				for _, d := range deliveries {
					all.Go(func() { b.do(d.clone()) })
				}
			}
			all.Wait()
			if ids := b.account.ids(); len(ids) != 1 {
				t.Errorf("snapshots are %v, want one", ids)
			}
		})
	}
}

// GitLab gives up on a hook that fails: what no retry can help, and what goes on, is answered 200, with the
// error.
func TestGitLabIsForgiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for code, want := range map[string]int{snapshot.CodeDiskNotFound: http.StatusOK,
			snapshot.CodeNoAnswer: http.StatusOK, snapshot.CodeForbiddenRAM: http.StatusOK} {
			b := newBench(t, allSecrets())
			b.account.fail["CreateSnapshot"] = code
			w := b.do(gitlabSigned(gitlabDeployment))
			if w.Code != want || !strings.Contains(w.Body.String(), code) ||
				strings.Contains(w.Body.String(), "upstream words") {
				t.Errorf("%s gets %d, want %d: %s", code, w.Code, want, w.Body)
			}
		}
		if w := newBench(t, allSecrets()).do(gitlabSigned(`{"object_kind":"push"}`)); w.Code != http.StatusOK ||
			!strings.Contains(w.Body.String(), snapshot.CodeMalformed) {
			t.Errorf("a push without project gets %d: %s", w.Code, w.Body)
		}
	})
}

func problemOf(t *testing.T, w *httptest.ResponseRecorder) (status int, code string) {
	t.Helper()
	var document struct {
		Type, Title, Detail, Code string
		Status                    int
		Retryable                 *bool
	}
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatalf("no problem document: %v: %s", err, w.Body)
	}
	if w.Header().Get("Content-Type") != "application/problem+json" || document.Type != "about:blank" ||
		document.Title == "" || document.Detail == "" || document.Retryable == nil || document.Status != w.Code {
		t.Errorf("problem document is %s", w.Body)
	}
	return w.Code, document.Code
}

func TestStandardOrders(t *testing.T) {
	t.Parallel()
	send := func(b *bench, id, body string) *httptest.ResponseRecorder {
		return b.do(standardSigned("standard", standardSecret, id, body))
	}
	t.Run("taken", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, allSecrets())
		w := send(b, "msg_1", standardOrder)
		var result snapshot.Result
		if err := json.Unmarshal(w.Body.Bytes(), &result); err != nil || w.Code != http.StatusAccepted ||
			result.Outcome != snapshot.OutcomeCreated {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if w.Header().Get("Location") != "/snapshots/"+result.SnapshotID || w.Header().Get("Retry-After") == "" {
			t.Errorf("headers are %v", w.Header())
		}
		if o := b.orders[0]; o.Key != "msg_1" || !o.ExplicitKey || o.Sender != "standard" || o.Tenant != "" ||
			o.Role != "deploy" || o.Reason != "release 42" {
			t.Errorf("order is %+v", o)
		}
		if o := b.orders[0]; !o.Repeated || o.Unread || !o.Time.IsZero() {
			t.Errorf("order is %+v", o)
		}
		b.account.snapshots[0].Status = snapshot.Accomplished
		if w := send(b, "msg_2", `{"target":"web-1","role":"deploy","maxAge":"1h"}`); w.Code != http.StatusOK ||
			!strings.Contains(w.Body.String(), `"reused"`) {
			t.Errorf("a fresh one: status %d: %s", w.Code, w.Body)
		}
		if w := send(b, "msg_3", `{"target":"web-1","role":"deploy","dryRun":true}`); w.Code != http.StatusOK ||
			!strings.Contains(w.Body.String(), `"planned"`) {
			t.Errorf("dry run: status %d: %s", w.Code, w.Body)
		}
	})
	t.Run("key in the body", func(t *testing.T) {
		t.Parallel()
		b := newBench(t, allSecrets())
		send(b, "msg_1", `{"target":"web-1","role":"deploy","key":"build-7","time":"2026-11-24T05:59:00Z"}`)
		send(b, "msg_2", `{"target":"web-1","role":"deploy","key":"build-7","time":"2026-11-24T05:59:00Z"}`)
		if len(b.account.ids()) != 1 || b.orders[1].Key != "build-7" ||
			!b.orders[1].Time.Equal(time.Date(2026, 11, 24, 5, 59, 0, 0, time.UTC)) {
			t.Errorf("snapshots are %v", b.account.ids())
		}
		if w := send(b, "msg_3", `{"target":"db-1","key":"build-7"}`); w.Code == http.StatusAccepted {
			t.Errorf("the key on another disk is obeyed: %s", w.Body)
		}
	})
	for name, test := range map[string]struct {
		body string
		fail string
		want int
		code string
	}{
		"no JSON":       {body: `web-1`, want: 400, code: snapshot.CodeMalformed},
		"unknown field": {body: `{"target":"web-1","disk":"d-1"}`, want: 400, code: snapshot.CodeMalformed},
		"doubled field": {body: `{"target":"web-1","Target":"db-1"}`, want: 400, code: snapshot.CodeMalformed},
		"no time":       {body: `{"target":"web-1","time":"soon"}`, want: 400, code: snapshot.CodeMalformed},
		"raw disk":      {body: `{"DiskId":"d-bp18kjxg9ebrhsgi0001"}`, want: 400, code: snapshot.CodeMalformed},
		"deep": {body: strings.Repeat("[", 40) + strings.Repeat("]", 40), want: 400,
			code: snapshot.CodeMalformed},
		"unknown target": {body: `{"target":"web-9"}`, want: 404, code: snapshot.CodeUnknownTarget},
		"hidden target":  {body: `{"target":"hidden-1"}`, want: 403, code: snapshot.CodeNotAllowed},
		"other role":     {body: `{"target":"db-1","role":"daily"}`, want: 403, code: snapshot.CodeNotAllowed},
		"bad role":       {body: `{"target":"web-1","role":"1"}`, want: 422, code: snapshot.CodeInvalidOrder},
		"no permission": {body: standardOrder, fail: snapshot.CodeForbiddenRAM, want: 500,
			code: snapshot.CodeForbiddenRAM},
		"busy disk": {body: standardOrder, fail: snapshot.CodeIncorrectStatus, want: 503,
			code: snapshot.CodeIncorrectStatus},
		"throttled": {body: standardOrder, fail: "Throttling.User", want: 503, code: "Throttling.User"},
		"no answer": {body: standardOrder, fail: snapshot.CodeNoAnswer, want: 503, code: snapshot.CodeNoAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, allSecrets())
				b.account.fail["CreateSnapshot"] = test.fail
				status, code := problemOf(t, send(b, "msg_1", test.body))
				if status != test.want || code != test.code {
					t.Errorf("status %d, code %s, want %d, %s", status, code, test.want, test.code)
				}
			})
		})
	}
	t.Run("blocked and deferred", func(t *testing.T) {
		t.Parallel()
		full := snapshot.Error{Code: snapshot.CodeBlocked, Kind: snapshot.KindConflict, Message: "full"}
		waits := full
		waits.Retryable = true
		for outcome, err := range map[snapshot.Outcome]*snapshot.Error{snapshot.OutcomeBlocked: &full,
			snapshot.OutcomeDeferred: &waits} {
			b := newBench(t, allSecrets())
			b.script(scripted{take: func(snapshot.Order) snapshot.Result {
				return snapshot.Result{Target: "web-1", Outcome: outcome, Error: err,
					Plan: []snapshot.PlanItem{{SnapshotID: "s-old1", Action: snapshot.ActionKeep, Target: "web-1"}}}
			}})
			want, wait := 409, ""
			if outcome == snapshot.OutcomeDeferred {
				want, wait = 503, "597"
			}
			w := send(b, "msg_1", standardOrder)
			if status, code := problemOf(t, w); status != want || code != snapshot.CodeBlocked ||
				w.Header().Get("Retry-After") != wait || !strings.Contains(w.Body.String(), "s-old1") {
				t.Errorf("%s: status %d, code %s, %v: %s", outcome, status, code, w.Header(), w.Body)
			}
		}
	})
}

// A branch that is pushed back to an earlier commit is another event than the first push of that commit.
func TestRollbackByPush(t *testing.T) {
	t.Parallel()
	for name, push := range map[string]func(before, after string) delivery{
		"GitHub": func(before, after string) delivery {
			return githubSigned("push", swap(githubPush, "00aa", before, "0123abcd", after))
		},
		"GitLab": func(before, after string) delivery {
			return gitlabSigned(swap(gitlabPush, "00aa", before, "0123abcd", after))
		},
		"Gitee": func(before, after string) delivery {
			return giteeSigned("Push Hook", swap(giteePush, "00aa", before, "0123abcd", after))
		},
	} {
		b := newBench(t, allSecrets())
		keys := map[string]bool{}
		for _, d := range []delivery{push("0000", "aaaa"), push("aaaa", "bbbb"), push("bbbb", "aaaa"),
			push("bbbb", "aaaa")} {
			b.do(d)
		}
		for _, order := range b.orders {
			keys[order.Target+order.Key] = true
		}
		if targets := len(b.orders) / 4; len(keys) != 3*targets || targets == 0 {
			t.Errorf("%s: keys are %v, want three a target", name, keys)
		}
		b = newBench(t, allSecrets())
		if w := b.do(swapBody(push("aaaa", "bbbb"), `"before":"aaaa"`, `"before":""`)); len(b.orders) > 0 ||
			w.Code == http.StatusAccepted {
			t.Errorf("%s: a push without the commit before gets %d, %+v", name, w.Code, b.orders)
		}
	}
}

// swapBody changes the body of a delivery of GitHub, GitLab or Gitee and signs it again.
func swapBody(d delivery, pairs ...string) delivery {
	body := swap(d.body, pairs...)
	switch strings.TrimPrefix(d.path, prefix) {
	case "github":
		return githubSigned("push", body)
	case "gitlab":
		return gitlabSigned(body)
	}
	return giteeSigned("Push Hook", body)
}

// The time of a push has one of two forms. The core gets it as it is, and refuses what is too old.
func TestPushTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pushedAt string
		status   int
		time     time.Time
	}{
		"seconds": {`1795499940`, http.StatusAccepted, time.Unix(1795499940, 0)},
		"RFC 3339": {`"2026-11-24T05:59:00Z"`, http.StatusAccepted,
			time.Date(2026, 11, 24, 5, 59, 0, 0, time.UTC)},
		"old": {`"2026-11-22T05:59:00Z"`, http.StatusUnprocessableEntity,
			time.Date(2026, 11, 22, 5, 59, 0, 0, time.UTC)},
		"a little ahead": {`"2026-11-24T06:04:00Z"`, http.StatusAccepted,
			time.Date(2026, 11, 24, 6, 4, 0, 0, time.UTC)},
		"null":             {`null`, http.StatusAccepted, time.Time{}},
		"something else":   {`{"at":1}`, http.StatusAccepted, time.Time{}},
		"a negative count": {`-5`, http.StatusAccepted, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			w := b.do(githubSigned("push",
				swap(githubPush, `"full_name"`, `"pushed_at":`+test.pushedAt+`,"full_name"`)))
			if w.Code != test.status || len(b.orders) == 0 || !b.orders[0].Time.Equal(test.time) {
				t.Errorf("status %d, orders %+v, want %d and %s", w.Code, b.orders, test.status, test.time)
			}
		})
	}
}
