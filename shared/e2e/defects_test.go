package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// Each test of this file is about one defect that commit 32d28b1 shows from outside.

// TestShippedPolicy gives an order under the policy of the repository, and then lets nights pass: each takes its daily,
// and nothing is ever blocked. Before, the order occupied its slot for ever, and from then on no daily was taken.
func TestShippedPolicy(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(filepath.Join("..", "..", "snapshots.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloudAt(t, night.Add(-9*time.Hour))
		sweeper := c.deploy(t, deployment{platform: platform, name: timer, policy: string(shipped)})
		taker := c.deploy(t, deployment{platform: platform, name: "http", policy: string(shipped)})
		sweep := func(deferred bool) {
			t.Helper()
			sweeper.Kill() // nothing depends on what a process remembers
			for _, one := range sweeper.sweep(c).results {
				if one.Error != nil || (one.Outcome == snapshot.OutcomeDeferred) != deferred {
					t.Errorf("%s: %+v", c.now(), one)
				}
			}
		}
		wantStatus(t, taker.call(http.MethodPost, "/snapshots", keyed("first"), `{"target":"web-1","role":"deploy"}`), http.StatusAccepted)
		sweep(true) // the daily of last night is due, and waits for the order
		c.pass(20 * time.Minute)
		sweep(false)
		for n := range 4 {
			c.clock.Set(night.AddDate(0, 0, n))
			sweep(false)
			c.pass(20 * time.Minute)
			sweep(false)
			if got := c.roles(); got["daily"] != 1 || got["deploy"] != 1 || len(got) != 2 {
				t.Errorf("after night %d there are %v, want one daily and one deploy", n, got)
			}
			if newest := c.Snapshots()[0]; roleOf(newest) != "daily" || newest.CreationTime.Before(night.AddDate(0, 0, n)) {
				t.Errorf("the newest after night %d is %s of %s", n, newest.Name, newest.CreationTime)
			}
		}
	})
}

// TestSweepAndOrderAtOnce lets a sweep and an order meet on a full server, at each point where one can overtake the
// other. Before, each of the two deleted a snapshot, and one was taken.
func TestSweepAndOrderAtOnce(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]simulator.Fault{
		"before the first list":     {Key: sweepKey, Action: "ListSnapshots"},
		"before the second list":    {Key: sweepKey, Action: "ListSnapshots", Skip: 1},
		"after the disks":           {Key: sweepKey, Action: "ListDisks"},
		"after the deletion":        {Key: sweepKey, Action: "DeleteSnapshot"},
		"after the sweep's create":  {Key: sweepKey, Action: "CreateSnapshot"},
		"after the order's create":  {Key: takeKey, Action: "CreateSnapshot"},
		"after the order's list":    {Key: takeKey, Action: "ListSnapshots"},
		"without being held at all": {Action: "none"},
	} {
		hold.Delay = time.Hour
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
				held := newGate()
				c := newCloudAt(t, night, func(config *simulator.Config) { config.Sleep = held.hold })
				c.add("s-daily", "daily", simulator.Accomplished, night.AddDate(0, 0, -1))
				c.add("s-old", "deploy", simulator.Accomplished, night.AddDate(0, 0, -3))
				c.add("s-new", "deploy", simulator.Accomplished, night.AddDate(0, 0, -2))
				sweeper := c.deploy(t, deployment{platform: platform, name: timer, policy: scheduled})
				taker := c.deploy(t, deployment{platform: platform, name: event, policy: scheduled})

				c.Fault(hold)
				var swept, taken answered
				first, second := func() { swept = sweeper.sweep(c) }, func() { taken = read(t, taker.invoke([]byte(goodOrder))) }
				if hold.Key == takeKey {
					first, second = second, first
				}
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					first()
				}()
				if hold.Key != "" {
					held.wait(t)
				}
				second()
				close(held.open)
				<-ended

				c.wantDeleted(t, "s-old")
				for _, one := range swept.results {
					if one.Error != nil {
						t.Errorf("the sweep failed: %+v", one)
					}
				}
				order := taken.only(t)
				if order.Outcome == snapshot.OutcomeDeferred {
					wantError(t, order, order.Error.Code)
					if !order.Error.Retryable {
						t.Errorf("the order will not be repeated: %v", order.Error)
					}
				} else if order.Outcome != snapshot.OutcomeCreated && order.Outcome != snapshot.OutcomeJoined {
					t.Errorf("the order got %+v", order)
				}
				c.settle(t, sweeper, taker, goodOrder)
				c.wantSnapshots(t, 2)
			})
		})
	}
}

// settle lets sweeps and the retries of an order go on until the order is done and nothing is surplus.
func (c *cloud) settle(t *testing.T, sweeper, taker *function, order string) {
	t.Helper()
	for range 4 {
		c.pass(20 * time.Minute)
		for _, one := range sweeper.sweep(c).results {
			if one.Error != nil {
				t.Errorf("a later sweep failed: %+v", one)
			}
		}
		if one := read(t, taker.invoke([]byte(order))).only(t); one.Error != nil && one.Outcome != snapshot.OutcomeDeferred {
			t.Errorf("a later delivery of the order failed: %+v", one)
		}
	}
	if got := c.roles(); got["daily"] != 1 || got["deploy"] != 1 {
		t.Errorf("in the end there are %v, want one daily and one deploy", got)
	}
}

// TestPinJustBeforeDeletion pins the surplus snapshot, or deletes the one that makes it surplus, while the calls of the
// deletion are slow or throttled. Before, the deletion went by the list from before that.
func TestPinJustBeforeDeletion(t *testing.T) {
	t.Parallel()
	moments := map[string]simulator.Fault{
		"a slow list of disks":    {Key: sweepKey, Action: "ListDisks"},
		"a slow first list":       {Key: sweepKey, Action: "ListSnapshots"},
		"a throttled deletion":    {Key: sweepKey, Action: "DeleteSnapshot", Answer: simulator.AnswerError, Code: "Throttling.User"},
		"a throttled second list": {Key: sweepKey, Action: "ListSnapshots", Skip: 1, Answer: simulator.AnswerError, Code: "Throttling.User"},
	}
	actions := map[string]func(*testing.T, *cloud, *function){
		"a pin": func(t *testing.T, _ *cloud, f *function) {
			wantStatus(t, f.call(http.MethodPost, "/snapshots/s-old/keep", bearer("Content-Type", "application/json"), ""), http.StatusOK)
		},
		"a deletion of the newer one": func(_ *testing.T, c *cloud, _ *function) { c.gone("s-new") },
	}
	for moment, fault := range moments {
		fault.Delay = time.Hour
		for what, act := range actions {
			t.Run(what+" during "+moment, func(t *testing.T) {
				t.Parallel()
				onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
					held := newGate()
					c := newCloud(t, func(config *simulator.Config) { config.Sleep = held.hold })
					c.add("s-old", "daily", simulator.Accomplished, c.now().Add(-48*time.Hour))
					c.add("s-new", "daily", simulator.Accomplished, c.now().Add(-24*time.Hour))
					sweeper := c.deploy(t, deployment{platform: platform, name: timer})
					taker := c.deploy(t, deployment{platform: platform, name: "http"})
					c.Fault(fault)
					ended := make(chan answered)
					go func() { ended <- sweeper.sweep(c) }()
					held.wait(t)
					act(t, c, taker)
					close(held.open)
					for _, one := range (<-ended).results {
						if one.Error != nil {
							t.Errorf("the sweep failed: %+v", one)
						}
					}
					c.wantDeleted(t)
					if !slices.Contains(c.ids(), "s-old") {
						t.Errorf("s-old is gone: %v", c.ids())
					}
				})
			})
		}
	}
}

// TestStolenSecrets orders without end with the API token and the webhook's secret: each order that is done costs one
// older snapshot of the role of the secret's rule, and nothing else. Before, three orders removed the whole history.
func TestStolenSecrets(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret))
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		for name, pinned := range map[string]bool{"unpinned": false, "pinned": true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := newCloudAt(t, night)
				c.add("s-daily", "daily", simulator.Accomplished, night.Add(-time.Minute))
				var pin []simulator.Tag
				if pinned {
					pin = []simulator.Tag{{Key: snapshot.TagKeep, Value: "forever"}}
				}
				c.add("s-deploy", "deploy", simulator.Accomplished, night.AddDate(0, 0, -1), pin...)
				sweeper := c.deploy(t, deployment{platform: platform, name: timer, policy: scheduled})
				taker := c.deploy(t, deployment{platform: platform, name: "http", policy: scheduled, env: []string{"WEBHOOK_SECRET=" + secret}})
				done := 0
				for n := range 8 {
					for role, status := range map[string]int{"daily": http.StatusForbidden, "weekly": http.StatusForbidden} {
						wantStatus(t, taker.call(http.MethodPost, "/snapshots", keyed(fmt.Sprint(role, n)), fmt.Sprintf(`{"target":"web-1","role":%q}`, role)), status)
					}
					wantStatus(t, taker.call(http.MethodDelete, "/snapshots/s-daily", bearer(), ""), http.StatusMethodNotAllowed)
					var w *httptest.ResponseRecorder
					if n%2 == 0 {
						w = taker.call(http.MethodPost, "/snapshots", keyed(fmt.Sprint("build-", n)), httpOrder)
					} else {
						w = taker.call(http.MethodPost, "/hooks/standard", signed(hookSecret, fmt.Sprint("msg-", n), c.now(), httpOrder), httpOrder)
					}
					if w.Code == http.StatusAccepted {
						done++
					} else if w.Code != http.StatusConflict && w.Code != http.StatusServiceUnavailable {
						t.Errorf("order %d got %d: %s", n, w.Code, w.Body)
					}
					c.pass(20 * time.Minute)
					sweeper.sweep(c)
				}
				for _, one := range c.deleted {
					if roleOf(one) != "deploy" || one.ID == "s-deploy" && pinned {
						t.Errorf("%s was deleted", one.Name)
					}
				}
				if want := map[bool]int{false: 8, true: 1}[pinned]; done != want {
					t.Errorf("%d orders were done, want %d", done, want)
				}
				if ids := c.ids(); !slices.Contains(ids, "s-daily") || pinned && !slices.Contains(ids, "s-deploy") {
					t.Errorf("only %v are left", ids)
				}
			})
		}
	})
}

// TestPipelineEvents shows that the end of a run takes nothing, that a late redelivery gets the newer snapshot, and that
// each push of A, B, A has a snapshot of its own.
func TestPipelineEvents(t *testing.T) {
	t.Parallel()
	const secret = "a-webhook-secret-of-github"
	rules := strings.Replace(scheduled, "allow:\n", "allow:\n"+
		"  - {from: github, repository: acme/shop, on: workflow_run, refs: [refs/heads/main], targets: [web-1], role: deploy}\n"+
		"  - {from: github, repository: acme/shop, on: push, refs: [refs/heads/main], targets: [web-1], role: deploy}\n", 1)
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloudAt(t, night)
		c.add("s-daily", "daily", simulator.Accomplished, night.Add(-time.Minute))
		sweeper := c.deploy(t, deployment{platform: platform, name: timer, policy: rules})
		taker := c.deploy(t, deployment{platform: platform, name: "http", policy: rules, env: []string{"GITHUB_WEBHOOK_SECRET=" + secret}})
		send := func(kind, body, says string) {
			t.Helper()
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(body))
			w := taker.call(http.MethodPost, "/hooks/github", headers("Content-Type", "application/json", "X-GitHub-Event", kind,
				"X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil))), body)
			if w.Code >= 300 || !strings.Contains(w.Body.String(), says) {
				t.Errorf("%s: the answer does not say %s: %d %s", kind, says, w.Code, w.Body)
			}
		}
		const repository = `"repository":{"id":7,"full_name":"acme/shop"%s},"sender":{"login":"dev"}`
		run := func(action string, id int, at time.Time) string {
			return fmt.Sprintf(`{"action":%q,"workflow_run":{"id":%d,"run_attempt":1,"event":"push","head_branch":"main","head_sha":"0123abcd","path":".github/workflows/deploy.yml",`+
				`"run_started_at":%q,"head_repository":{"id":7,"full_name":"acme/shop"}},`+repository+`}`, action, id, at.UTC().Format(time.RFC3339), "")
		}
		rest := func() {
			t.Helper()
			c.pass(20 * time.Minute)
			sweeper.sweep(c)
			taker.Kill()
			c.ForgetTokens()
			c.called()
		}

		first := run("requested", 1, c.now())
		send("workflow_run", first, "created")
		rest()
		send("workflow_run", strings.Replace(first, "requested", "completed", 1), "only requested runs are used")
		c.wantCalls(t, map[string]int{})
		send("workflow_run", run("requested", 2, c.now()), "created")
		rest()
		send("workflow_run", first, "reused") // its own snapshot is gone
		c.wantCalls(t, oneList)

		const a, b = "aaaa", "bbbb"
		c.mu.Lock()
		before := len(c.deleted)
		c.mu.Unlock()
		for n, commits := range [][2]string{{"0000", a}, {a, b}, {b, a}} {
			send("push", fmt.Sprintf(`{"ref":"refs/heads/main","before":%q,"after":%q,`+repository+`}`, commits[0], commits[1],
				fmt.Sprintf(`,"pushed_at":%d`, c.now().Unix())), "created")
			rest()
			c.mu.Lock()
			if got := len(c.deleted) - before; got != n+1 {
				t.Errorf("after push %d there were %d deletions, want one for each push", n, got)
			}
			c.mu.Unlock()
		}
	})
}

// TestOnlyDaily shows that the only daily stays while there is a surplus deploy, and until the next daily is
// accomplished. Before, it was deleted for the next one.
func TestOnlyDaily(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloudAt(t, night)
		c.add("s-daily", "daily", simulator.Accomplished, night.AddDate(0, 0, -3)) // older than all others
		c.add("s-old", "deploy", simulator.Accomplished, night.AddDate(0, 0, -2))
		c.add("s-new", "deploy", simulator.Accomplished, night.AddDate(0, 0, -1))
		f := c.deploy(t, deployment{platform: platform, name: timer, policy: scheduled})
		got := f.sweep(c)
		wantOutcome(t, got.results[0], snapshot.OutcomeCreated)
		c.wantDeleted(t, "s-old")
		c.pass(5 * time.Minute)
		f.sweep(c)
		c.wantDeleted(t, "s-old")
		c.FailNext("")
		c.pass(10 * time.Minute)
		f.sweep(c)
		c.wantDeleted(t, "s-old", "s-daily")
	})
}

// TestNotificationsOfManyProcesses lets a role be blocked for a day, with a new process for each sweep and the two
// platforms in turn: a notification is sent when it begins, and at midnight. Before, each process sent one.
func TestNotificationsOfManyProcesses(t *testing.T) {
	t.Parallel()
	robot := newRobot(t)
	c := newCloudAt(t, time.Date(2026, 1, 30, 18, 40, 5, 0, time.UTC))
	for n := range 3 {
		c.AddSnapshot(simulator.Snapshot{ID: fmt.Sprint("s-foreign", n), DiskID: disk, CreationTime: night.AddDate(0, 0, -2)})
	}
	rules := strings.Replace(scheduled, "daily: 0 3 * * *", "daily: 0 3 31 1 *", 1) + robot.rule("blocked, failed, stale")
	var all []*function
	for _, platform := range testbed.Platforms {
		all = append(all, c.deploy(t, deployment{platform: platform, name: timer, policy: rules}))
	}
	sweeps := func(until time.Time) (heard []said) {
		for ; c.now().Before(until); c.pass(10 * time.Minute) {
			f := all[0]
			all[0], all[1] = all[1], all[0]
			f.Kill()
			f.sweep(c)
			heard = append(heard, robot.heard()...)
		}
		return heard
	}
	begin := time.Date(2026, 1, 30, 19, 0, 0, 0, time.UTC) // 03:00 in Shanghai
	if got := sweeps(begin); len(got) > 0 {
		t.Errorf("before the due time these were sent: %+v", got) // daily of a year ago is due, and was at the last midnight
	}
	if got := sweeps(begin.Add(2 * time.Hour)); len(got) != 1 || got[0].Kind != "blocked" {
		t.Errorf("in the first hours these were sent, want one that daily is blocked: %+v", got)
	}
	midnight := time.Date(2026, 1, 31, 16, 0, 0, 0, time.UTC)
	c.clock.Set(midnight.Add(-time.Hour + 5*time.Second))
	if got := sweeps(midnight.Add(time.Hour)); len(got) != 1 || got[0].Kind != "blocked" {
		t.Errorf("around midnight these were sent, want one that daily is blocked: %+v", got)
	}
}
