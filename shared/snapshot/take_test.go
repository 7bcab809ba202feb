package snapshot

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	create = "CreateSnapshot"
	list   = "ListSnapshots"
	disks  = "ListDisks"
	remove = "DeleteSnapshot"
)

// ownSnapshot puts the snapshot of an order on the server, as a run that was cut off leaves it.
func ownSnapshot(w *world, o Order, status Status) Snapshot {
	r, _ := w.begin(context.Background())
	j := r.newTake(o)
	j.target, _ = w.Policy.Target(o.Target)
	j.target.RegionID = home
	j.build()
	return w.api.put(Snapshot{Name: j.request.SnapshotName, DiskID: diskID, Status: status, CreationTime: w.clock.Now().Add(-time.Minute), Tags: j.request.Tags})
}

// TestTakeAnswers has one row for each answer of the API: what Take makes of it, and at the cost of which calls.
func TestTakeAnswers(t *testing.T) {
	t.Parallel()
	daily := order("daily", "k")
	cases := map[string]struct {
		keep      []Slots
		setup     func(*world)
		faults    []fault // of CreateSnapshot
		order     Order
		time      time.Duration // to the deadline; 0: a minute
		outcome   Outcome
		code      string
		retryable bool
		calls     []string
	}{
		"success": {order: daily, outcome: OutcomeCreated, calls: []string{create}},
		"success without ID, with effect": {
			order: daily, faults: []fault{emptyAfter}, outcome: OutcomeReplayed, calls: []string{create, list}},
		"success without ID, without effect": {
			order: daily, faults: []fault{{code: CodeEmptyAnswer}}, outcome: OutcomeCreated, calls: []string{create, list, create}},
		"no answer, with effect": {
			order: daily, faults: []fault{lostAfter}, outcome: OutcomeCreated, calls: []string{create, create}},
		"no answer, without effect": {
			order: daily, faults: []fault{lostBefore, lostBefore}, outcome: OutcomeCreated, calls: []string{create, create, create}},
		"InternalError":      {order: daily, faults: []fault{{code: CodeInternalError}}, outcome: OutcomeCreated, calls: []string{create, create}},
		"ServiceUnavailable": {order: daily, faults: []fault{{code: CodeUnavailable}}, outcome: OutcomeCreated, calls: []string{create, create}},
		"nonce used":         {order: daily, faults: []fault{{code: codeNonceUsed}}, outcome: OutcomeCreated, calls: []string{create, create}},
		"Throttling":         {order: daily, faults: []fault{{code: "Throttling"}}, outcome: OutcomeCreated, calls: []string{create, create}},
		"Throttling.User":    {order: daily, faults: []fault{throttled}, outcome: OutcomeCreated, calls: []string{create, create}},
		"Throttling.Api":     {order: daily, faults: []fault{{code: "Throttling.Api"}}, outcome: OutcomeCreated, calls: []string{create, create}},
		"Duplicate, our own": {
			order: daily, faults: []fault{{code: CodeNameDuplicate}}, setup: func(w *world) { ownSnapshot(w, daily, Accomplished) },
			outcome: OutcomeReplayed, calls: []string{create, list}},
		"Duplicate, our own that failed": {
			order: daily, setup: func(w *world) { ownSnapshot(w, daily, Failed) }, outcome: OutcomeReplayed, calls: []string{create, list}},
		"Duplicate, other parameters": {
			order: daily, setup: func(w *world) {
				one := ownSnapshot(w, daily, Accomplished)
				one.Tags[len(one.Tags)-1].Value = "daily/api/another"
			},
			code: CodeMismatch, calls: []string{create, list}},
		"Duplicate, foreign": {
			order: daily, setup: func(w *world) {
				one := ownSnapshot(w, daily, Accomplished)
				clear(one.Tags)
			},
			code: CodeNameDuplicate, calls: []string{create, list}},
		"Duplicate, a name of the caller's, not listed": {
			order: Order{Target: "web-1", Sender: "api", Key: "k", SnapshotName: "mine"}, faults: []fault{{code: CodeNameDuplicate}},
			code: CodeNameDuplicate, calls: []string{create, list}},
		"Duplicate, a name of ours, not yet listed": {
			order: daily, faults: []fault{{code: CodeNameDuplicate}}, outcome: OutcomeCreated, calls: []string{create, list, create}},
		"CreatingSnapshot, our own": {
			order: daily, faults: []fault{{code: CodeCreatingSnapshot}}, setup: func(w *world) { ownSnapshot(w, daily, Progressing) },
			outcome: OutcomeReplayed, calls: []string{create, list}},
		"CreatingSnapshot, another of ours": {
			order: daily, setup: func(w *world) { w.fill(w.ours("weekly", time.Minute, Progressing)) },
			outcome: OutcomeJoined, calls: []string{create, list}},
		"CreatingSnapshot, foreign, then done": {
			order: daily, setup: func(w *world) { w.fill(w.foreign(19*time.Minute+50*time.Second, Progressing)) }, time: 5 * time.Minute,
			outcome: OutcomeCreated, calls: []string{create, list, create}},
		"CreatingSnapshot, foreign, for long": {
			order: daily, setup: func(w *world) { w.fill(w.foreign(0, Progressing)) }, time: 15 * time.Second,
			outcome: OutcomeDeferred, code: CodeCreatingSnapshot, retryable: true, calls: []string{create, list}},
		"IncorrectStatus, then not": {
			order: daily, faults: []fault{{code: CodeIncorrectStatus}}, outcome: OutcomeCreated, calls: []string{create, create}},
		"IncorrectStatus for long": {
			order: daily, faults: slices.Repeat([]fault{{code: CodeIncorrectStatus}}, 9), time: 12 * time.Second,
			outcome: OutcomeDeferred, code: CodeIncorrectStatus, retryable: true, calls: []string{create}},
		"SnapshotLimitExceed, our own there": {
			order: daily, faults: []fault{{code: CodeLimitExceed}}, setup: func(w *world) { ownSnapshot(w, daily, Accomplished) },
			outcome: OutcomeReplayed, calls: []string{create, list}},
		"SnapshotLimitExceed, our own there and full": {
			keep: []Slots{{"daily", 1}}, order: daily, faults: []fault{{code: CodeLimitExceed}}, setup: func(w *world) {
				w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished))
				ownSnapshot(w, daily, Accomplished)
			}, outcome: OutcomeReplayed, calls: []string{create, list}},
		"SnapshotLimitExceed, own in progress": {
			keep: []Slots{{"daily", 2}}, order: daily, faults: []fault{{code: CodeLimitExceed}}, setup: func(w *world) {
				w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("weekly", time.Minute, Progressing))
			}, outcome: OutcomeJoined, calls: []string{create, list}},
		"SnapshotLimitExceed, victim": {
			keep: []Slots{{"daily", 2}, {"weekly", 1}}, order: daily, setup: full3,
			outcome: OutcomeCreated, calls: []string{create, list, disks, remove, create}},
		"SnapshotLimitExceed, no victim": {
			keep: []Slots{{"daily", 2}, {"weekly", 1}}, order: order("weekly", "k"), setup: full3,
			outcome: OutcomeBlocked, code: CodeBlocked, calls: []string{create, list}},
		"SnapshotLimitExceed, no keep": {
			order: daily, setup: full3, outcome: OutcomeBlocked, code: CodeBlocked, calls: []string{create, list}},
		"deadline over": {
			order: daily, time: -time.Second, outcome: OutcomeDeferred, code: CodeNoTime, retryable: true},
		"deadline within the reserve": {
			order: daily, time: time.Nanosecond, outcome: OutcomeCreated, calls: []string{create}},
	}
	for _, final := range []string{
		CodeDiskNotFound, CodeNameUnsupported, CodeRemarkUnsupported, CodeRemarkDuplicate, CodeMismatch, CodeForbiddenRAM, codeNoPermission,
		codeKeyUnknown, "InvalidAccessKeyId.NotFound", CodeBadSignature, codeTokenExpired, codeTokenMalformed, codeTimeExpired, CodeNoCredentials,
		"MissingDiskId", "InvalidParameter", "SomethingNew", "",
	} {
		c := cases["success"]
		c.faults, c.outcome, c.code = []fault{{code: final}}, "", final
		if final == "" {
			final, c.faults, c.code = "no code", []fault{{code: "?"}}, "?"
		}
		cases["final "+final] = c
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(c.keep...)
			if c.setup != nil {
				c.setup(w)
			}
			w.api.fault = scripted(create, c.faults...)
			if c.time == 0 {
				c.time = time.Minute
			}
			end := w.clock.Now().Add(c.time)
			got := w.Take(within(w.clock, c.time), c.order)
			if got.Outcome != c.outcome || code(got.Error) != c.code {
				t.Errorf("got %q %v, want %q %q", got.Outcome, got.Error, c.outcome, c.code)
			}
			if got.Error != nil && got.Error.Retryable != c.retryable {
				t.Errorf("retryable: got %v", got.Error.Retryable)
			}
			if good := got.Error == nil; good != (got.SnapshotID != "") {
				t.Errorf("snapshot %q with error %v", got.SnapshotID, got.Error)
			}
			wantCalls(t, w, c.calls...)
			for _, call := range w.api.calls {
				if c.time > 10*time.Second && call.at.After(end.Add(-reserve)) {
					t.Errorf("%s was called %s before the deadline", call.action, end.Sub(call.at))
				}
			}
			if got.Target != "web-1" || got.Role == "" {
				t.Errorf("the result does not say whose it is: %+v", got)
			}
		})
	}
}

// TestFinalCodesMend: the message of each final code says what to mend.
func TestFinalCodesMend(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		CodeDiskNotFound: "snapshots.yaml", CodeForbiddenRAM: "swas-open:CreateSnapshot", codeNoPermission: "swas-open:CreateSnapshot",
		"InvalidAccessKeyId.NotFound": "ALIBABA_CLOUD_ACCESS_KEY_ID", CodeBadSignature: "ALIBABA_CLOUD_ACCESS_KEY_SECRET", codeTokenExpired: "ALIBABA_CLOUD_SECURITY_TOKEN",
		CodeMismatch: "new key", CodeNameUnsupported: "2 to 50", CodeRemarkDuplicate: "remark",
	}
	if err := AsError(&APIError{Action: create, Code: CodeNoCredentials, Message: "none: run aliyun configure"}); err.Message != "CreateSnapshot: none: run aliyun configure" {
		t.Errorf("mended twice: %q", err.Message)
	}
	for code, mend := range cases {
		err := AsError(&APIError{Action: create, Code: code, Message: "No."})
		if !strings.Contains(err.Message, mend) || !strings.HasPrefix(err.Message, "CreateSnapshot: No: ") {
			t.Errorf("%s: %q does not name %q", code, err.Message, mend)
		}
		if strings.Contains(err.Public(), "No.") || !strings.Contains(err.Public(), mend) {
			t.Errorf("%s: public text %q", code, err.Public())
		}
	}
}

// TestTakeRedelivery: the same order again, in this process, in another, or once the API has forgotten the token.
func TestTakeRedelivery(t *testing.T) {
	t.Parallel()
	at := epoch.Add(-time.Minute)
	for name, o := range map[string]Order{"with time": {Target: "web-1", Role: "daily", Sender: "timer", Key: "k", Time: at}, "without time": order("deploy", "k")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			first := w.Take(within(w.clock, time.Minute), o)
			wantCalls(t, w, create)
			again := w.Take(within(w.clock, time.Minute), o)
			wantCalls(t, w, create)
			if again.Outcome != OutcomeReplayed || again.SnapshotID != first.SnapshotID {
				t.Errorf("same process: %q %s", again.Outcome, again.SnapshotID)
			}
			w.restart()
			if got := w.Take(within(w.clock, time.Minute), o); got.Outcome != OutcomeCreated || got.SnapshotID != first.SnapshotID {
				t.Errorf("other process: %q %s", got.Outcome, got.SnapshotID)
			}
			clear(w.api.tokens)
			for _, later := range []time.Duration{0, time.Hour} { // in progress, then done
				w.restart()
				w.clock.advance(later)
				if got := w.Take(within(w.clock, time.Minute), o); got.Outcome != OutcomeReplayed || got.SnapshotID != first.SnapshotID {
					t.Errorf("forgotten token: %q %s %v", got.Outcome, got.SnapshotID, got.Error)
				}
			}
			if n := len(w.api.snapshots); n != 1 {
				t.Errorf("%d snapshots", n)
			}
		})
	}
}

func TestTakeForgetsAfterAWhile(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Take(within(w.clock, time.Minute), order("daily", "k"))
	w.clock.advance(recentAge)
	w.Take(within(w.clock, time.Minute), order("daily", "k"))
	wantCalls(t, w, create, create)
	for i := range 2 * recentMax {
		token := SlotKey("daily", epoch.Add(time.Duration(i)*time.Minute))
		lead, _, _, _ := w.Instance.claim(token, "f", w.clock.Now())
		w.Instance.land(token, lead, Result{SnapshotID: "s"}, w.clock.Now())
		w.Instance.firstTime(token)
	}
	if n := len(w.Instance.recent); n > recentMax || len(w.Instance.order) != n || len(w.Instance.told) > toldMax {
		t.Errorf("an instance remembers %d results, %d tokens", n, len(w.Instance.order))
	}
}

func TestTakeExplicitKey(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.api.server(home, "db", false)
	w.Policy.Targets = append(w.Policy.Targets, Target{Name: "db-1", DiskID: "d-db"})
	o := order("daily", "k")
	o.ExplicitKey = true
	w.Take(within(w.clock, time.Minute), o)
	o.Target = "db-1"
	for _, where := range []string{"same process", "other process"} {
		if got := w.Take(within(w.clock, time.Minute), o); code(got.Error) != CodeMismatch || got.Error.Kind != KindInvalid {
			t.Errorf("%s: got %q %v", where, got.Outcome, got.Error)
		}
		w.restart()
	}
	o.Target, o.Role = "web-1", "weekly"
	if got := w.Take(within(w.clock, time.Minute), o); code(got.Error) != CodeMismatch {
		t.Errorf("other role: got %q %v", got.Outcome, got.Error)
	}
	if n := len(w.api.snapshots); n != 1 {
		t.Errorf("%d snapshots", n)
	}
}

func TestTakeInstead(t *testing.T) {
	t.Parallel()
	maxAge := func(age time.Duration) Order { o := order("daily", "k"); o.MaxAge = age; return o }
	paced := order("manual", "k")
	paced.Paced = true
	cases := map[string]struct {
		setup    func(*world)
		interval time.Duration
		order    Order
		outcome  Outcome
		calls    []string
	}{
		"maxAge, younger":             {func(w *world) { w.fill(w.ours("daily", time.Hour-1, Accomplished)) }, 0, maxAge(time.Hour), OutcomeReused, []string{list}},
		"maxAge, foreign and younger": {func(w *world) { w.fill(w.foreign(time.Minute, Accomplished)) }, 0, maxAge(time.Hour), OutcomeReused, []string{list}},
		"maxAge, as old":              {func(w *world) { w.fill(w.ours("daily", time.Hour, Accomplished)) }, 0, maxAge(time.Hour), OutcomeCreated, []string{list, create}},
		"maxAge, failed":              {func(w *world) { w.fill(w.ours("daily", time.Minute, Failed)) }, 0, maxAge(time.Hour), OutcomeCreated, []string{list, create}},
		"maxAge, in progress":         {func(w *world) { w.fill(w.ours("daily", time.Minute, Progressing)) }, 0, maxAge(time.Hour), OutcomeJoined, []string{list}},
		"maxAge, of another disk": {func(w *world) {
			w.api.server(home, "db", false)
			one := w.foreign(time.Minute, Accomplished)
			one.DiskID = "d-db"
			w.fill(one)
		}, 0, maxAge(time.Hour), OutcomeCreated, []string{list, create}},
		"maxAge, our own in progress": {func(w *world) { ownSnapshot(w, maxAge(1), Progressing) }, 0, maxAge(1), OutcomeReplayed, []string{list}},
		"maxAge, none":                {func(*world) {}, 0, maxAge(time.Hour), OutcomeCreated, []string{list, create}},
		"paced, younger":              {func(w *world) { w.fill(w.ours("daily", time.Minute-1, Accomplished)) }, time.Minute, paced, OutcomeReused, []string{list}},
		"paced, in progress":          {func(w *world) { w.fill(w.foreign(time.Second, Progressing)) }, time.Minute, paced, OutcomeReused, []string{list}},
		"paced, as old":               {func(w *world) { w.fill(w.ours("daily", time.Minute, Accomplished)) }, time.Minute, paced, OutcomeCreated, []string{list, create}},
		"paced, failed":               {func(w *world) { w.fill(w.ours("daily", time.Second, Failed)) }, time.Minute, paced, OutcomeCreated, []string{list, create}},
		"paced, no interval":          {func(w *world) { w.fill(w.ours("daily", time.Second, Accomplished)) }, 0, paced, OutcomeCreated, []string{create}},
		"not paced":                   {func(w *world) { w.fill(w.ours("daily", time.Second, Accomplished)) }, time.Hour, order("manual", "k"), OutcomeCreated, []string{create}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.Policy.Targets[0].MinInterval = c.interval
			c.setup(w)
			got := w.Take(within(w.clock, time.Minute), c.order)
			if got.Outcome != c.outcome || got.Error != nil || got.SnapshotID == "" {
				t.Errorf("got %q %v", got.Outcome, got.Error)
			}
			wantCalls(t, w, c.calls...)
		})
	}
}

// TestTakeAllHoldsNobodyUp: a busy disk and a dead region wait by themselves.
func TestTakeAllHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Policy.Targets[0].Keep = nil
	var orders []Order
	for _, name := range []string{"busy", "dead", "one", "two"} {
		where := home
		if name == "dead" {
			where = "cn-beijing"
		}
		w.api.server(where, name, false)
		w.Policy.Targets = append(w.Policy.Targets, Target{Name: name, DiskID: "d-" + name, RegionID: where})
		orders = append(orders, Order{Target: name, Key: "k"})
	}
	w.fill(Snapshot{DiskID: "d-busy", Status: Progressing, CreationTime: w.clock.Now()})
	dead := deadDisk{w.api, "d-dead"}
	w.API = dead
	results := w.TakeAll(within(w.clock, 90*time.Second), orders)
	for i, want := range []Outcome{OutcomeDeferred, OutcomeDeferred, OutcomeCreated, OutcomeCreated} {
		if results[i].Outcome != want || results[i].Target != orders[i].Target {
			t.Errorf("%s: got %q %v, want %q", orders[i].Target, results[i].Outcome, results[i].Error, want)
		}
	}
	for _, call := range w.api.calls {
		if (call.id == "d-one" || call.id == "d-two") && call.at != epoch {
			t.Errorf("%s had to wait for %s", call.id, call.at.Sub(epoch))
		}
	}
}

// deadDisk is an API that never answers for one disk.
type deadDisk struct {
	API
	disk string
}

func (d deadDisk) CreateSnapshot(ctx context.Context, request Request) (Created, error) {
	if request.DiskID == d.disk {
		return Created{}, &APIError{Action: create, Code: CodeNoAnswer}
	}
	return d.API.CreateSnapshot(ctx, request)
}
