package snapshot

import (
	"context"
	"encoding/json"
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

// full3 fills the server of w: daily 3 h, daily 2 h and weekly 1 h old.
func full3(w *world) {
	w.fill(w.ours("daily", 3*time.Hour, Accomplished), w.ours("daily", 2*time.Hour, Accomplished), w.ours("weekly", time.Hour, Accomplished))
}

// ownSnapshot puts the snapshot of an order on the server, as a run that was cut off leaves it.
func ownSnapshot(w *world, o Order, status Status) Snapshot {
	j := w.begin(context.Background()).newTake(o)
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
		"nonce used":         {order: daily, faults: []fault{{code: CodeNonceUsed}}, outcome: OutcomeCreated, calls: []string{create, create}},
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
		CodeDiskNotFound, CodeNameUnsupported, CodeRemarkUnsupported, CodeRemarkDuplicate, CodeMismatch, CodeForbiddenRAM, CodeNoPermission,
		CodeKeyUnknown, CodeKeyNotFound, CodeBadSignature, CodeTokenExpired, CodeTokenMalformed, CodeTimeExpired, CodeNoCredentials,
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
		CodeDiskNotFound: "snapshots.yaml", CodeForbiddenRAM: "swas-open:CreateSnapshot", CodeNoPermission: "swas-open:CreateSnapshot",
		CodeKeyNotFound: "ALIBABA_CLOUD_ACCESS_KEY_ID", CodeBadSignature: "ALIBABA_CLOUD_ACCESS_KEY_SECRET", CodeTokenExpired: "ALIBABA_CLOUD_SECURITY_TOKEN",
		CodeMismatch: "new key", CodeNameUnsupported: "2 to 50", CodeRemarkDuplicate: "remark", CodeNoCredentials: "role",
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

func TestTakeRetriesUntilTheReserve(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]fault{"no answer": lostBefore, "throttled": throttled, "internal": {code: CodeInternalError}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.api.latency = 300 * time.Millisecond
			w.api.fault = always(create, wrong)
			end := w.clock.Now().Add(3 * time.Minute)
			got := w.Take(within(w.clock, 3*time.Minute), order("daily", "k"))
			if got.Outcome != OutcomeDeferred || code(got.Error) != wrong.code || !got.Error.Retryable {
				t.Errorf("got %q %v", got.Outcome, got.Error)
			}
			last := w.api.calls[len(w.api.calls)-1].at
			if n := len(w.api.calls); n < 4 || n > 60 {
				t.Errorf("%d calls in 3 minutes", n)
			}
			if last.Add(-w.api.latency).After(end.Add(-reserve)) {
				t.Errorf("the last call began %s before the deadline", end.Sub(last)+w.api.latency)
			}
			// The order was not lost: the next delivery does it.
			w.api.fault = nil
			if again := w.Take(within(w.clock, time.Minute), order("daily", "k")); again.Outcome != OutcomeCreated {
				t.Errorf("the next delivery got %q %v", again.Outcome, again.Error)
			}
		})
	}
}

// TestTakeBeginsNoCallTooLate: a slow list does not lead to another call after the time for calls has passed.
func TestTakeBeginsNoCallTooLate(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.api.latency = 30 * time.Second
	w.api.fault = scripted(create, fault{code: CodeEmptyAnswer})
	got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
	if got.Outcome != OutcomeDeferred {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
	wantCalls(t, w, create, list)
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]backoff{"retry": retryBackoff, "throttle": throttleBackoff, "busy": busyBackoff} {
		for attempt := range 70 {
			low, high := b.wait(attempt, 0), b.wait(attempt, 0.999999)
			if low != b.floor || high <= low || high > b.floor+b.ceiling {
				t.Errorf("%s, attempt %d: %s to %s", name, attempt, low, high)
			}
			if attempt > 0 && high < b.wait(attempt-1, 0.999999) {
				t.Errorf("%s, attempt %d: the interval shrinks", name, attempt)
			}
		}
	}
	if retryBackoff.floor != 0 {
		t.Error("a retry must have full jitter")
	}
}

// TestTakePace: our own limiter spreads calls, and a limited order is deferred when its time does not suffice.
func TestTakePace(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.Instance = NewInstance(2)
	w.api.takes = func() (time.Duration, bool) { return 0, false }
	for i := range 6 {
		w.api.snapshots = nil
		if got := w.Take(within(w.clock, 5*time.Minute), order("daily", string(rune('a'+i)))); got.Outcome != OutcomeCreated {
			t.Fatalf("order %d: %q %v", i, got.Outcome, got.Error)
		}
	}
	if passed := w.clock.Now().Sub(epoch); passed < 119*time.Second || passed > 121*time.Second {
		t.Errorf("6 calls at 2 a minute with a burst of 2 took %s", passed)
	}
	w.api.snapshots = nil
	got := w.Take(within(w.clock, 20*time.Second), order("daily", "z"))
	if got.Outcome != OutcomeDeferred || code(got.Error) != CodePaced || got.Error.Kind != KindPaced || !got.Error.Retryable {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
}

func TestLimiter(t *testing.T) {
	t.Parallel()
	for perMinute := 1; perMinute <= 61; perMinute++ {
		l := limiter{perMinute: perMinute}
		now := epoch
		taken := 0
		for now.Before(epoch.Add(10 * time.Minute)) {
			wait := l.take("a", now)
			if wait == 0 {
				taken++
			}
			now = now.Add(wait)
		}
		if most := 11 * perMinute; taken > most || taken < most-1 {
			t.Fatalf("%d a minute: %d calls in 10 minutes, want %d", perMinute, taken, most)
		}
	}
	l := limiter{perMinute: 1}
	if l.take("a", epoch) != 0 || l.take("b", epoch) != 0 || l.take("a", epoch.Add(-time.Hour)) == 0 {
		t.Error("actions have buckets of their own, and a clock that jumps back fills none")
	}
	l.drain("b", epoch.Add(time.Hour))
	if l.take("b", epoch.Add(time.Hour)) == 0 {
		t.Error("a drained bucket must be empty")
	}
	if none := (&limiter{}); none.take("a", epoch) != 0 {
		t.Error("0 must mean no limit")
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

func TestTakeEventAge(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		age, limit time.Duration
		code       string
	}{
		"at the default":     {DefaultMaxEventAge, 0, ""},
		"beyond the default": {DefaultMaxEventAge + 1, 0, CodeTooOld},
		"at the limit":       {time.Hour, time.Hour, ""},
		"beyond the limit":   {time.Hour + 1, time.Hour, CodeTooOld},
		"in the future":      {-time.Hour, time.Hour, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.Policy.MaxEventAge = c.limit
			o := order("daily", "k")
			o.Time = w.clock.Now().Add(-c.age)
			got := w.Take(within(w.clock, time.Minute), o)
			if code(got.Error) != c.code {
				t.Errorf("got %v", got.Error)
			}
			if c.code != "" && (len(w.api.calls) > 0 || got.Error.Retryable) {
				t.Errorf("a refused order made %v", w.actions())
			}
		})
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

// TestTakeFull: what a full server means, step by step.
func TestTakeFull(t *testing.T) {
	t.Parallel()
	t.Run("deletes the oldest of its role", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		oldest := w.api.snapshots[0].Snapshot
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		if len(got.Deleted) != 1 || got.Deleted[0].SnapshotID != oldest.ID || got.Deleted[0].Reason != "daily 3 of 2: over the count" {
			t.Errorf("deleted %+v", got.Deleted)
		}
	})
	t.Run("a victim that has vanished is deleted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = scripted(remove, fault{code: CodeSnapshotNotFound, effect: true})
		if got := w.Take(within(w.clock, time.Minute), order("daily", "k")); got.Outcome != OutcomeCreated || len(got.Deleted) != 1 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a deletion without an answer is repeated, of the same victim", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = scripted(remove, lostAfter)
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		wantCalls(t, w, create, list, disks, remove, remove, create)
		if got.Outcome != OutcomeCreated || w.api.calls[3].id != w.api.calls[4].id {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a deletion that is refused ends the order", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = always(remove, fault{code: CodeForbiddenRAM})
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		if code(got.Error) != CodeForbiddenRAM || !strings.Contains(got.Error.Message, "swas-open:DeleteSnapshot") || len(got.Deleted) > 0 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a deletion that is not through yet is waited for", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = func(action string, n int) fault {
			if action == create && n == 2 {
				return fault{code: CodeLimitExceed}
			}
			return fault{}
		}
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		wantCalls(t, w, create, list, disks, remove, create, list, create)
		if got.Outcome != OutcomeCreated || len(got.Deleted) != 1 || w.api.count[remove] != 1 {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a failed creation after a deletion is said loudly", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.fault = func(action string, n int) fault {
			if action == create && n > 1 {
				return fault{code: CodeInternalError}
			}
			return fault{}
		}
		got := w.Take(within(w.clock, time.Minute), order("daily", "k"))
		if got.Outcome != OutcomeDeferred || !strings.Contains(got.Error.Message, "was deleted to make room, and the new snapshot could not be taken") {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
		w.api.fault = nil
		if again := w.Take(within(w.clock, time.Minute), order("daily", "k")); again.Outcome != OutcomeCreated || len(again.Deleted) > 0 {
			t.Errorf("the next delivery: %q %v", again.Outcome, again.Deleted)
		}
	})
	t.Run("no deletion without the time to create", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		w.api.latency = 9 * time.Second
		got := w.Take(within(w.clock, 29500*time.Millisecond), order("daily", "k"))
		wantCalls(t, w, create, list, disks)
		if got.Outcome != OutcomeDeferred {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("a cancelled invocation finishes what it began", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
		full3(w)
		ctx, cancel := context.WithCancel(context.Background())
		w.api.onDelete = func(Snapshot, string) { cancel() }
		if got := w.Take(ctx, order("daily", "k")); got.Outcome != OutcomeCreated {
			t.Errorf("got %q %v", got.Outcome, got.Error)
		}
	})
	t.Run("one deletion for two orders of a server", func(t *testing.T) {
		t.Parallel()
		w := newWorld(Slots{"daily", 1})
		w.api.fault = scripted(remove, lostAfter)
		w.api.server(home, "db", true)
		w.Policy.Targets = []Target{{Name: "db", DiskID: "d-db", Keep: []Slots{{"daily", 1}}}, {Name: "data", DiskID: "d-dbdata", Keep: []Slots{{"daily", 1}}}}
		for i, disk := range []string{"d-db", "d-db", "d-dbdata"} {
			one := w.ours("daily", time.Duration(9-i)*time.Hour, Accomplished)
			one.DiskID = disk
			w.fill(one)
		}
		orders := []Order{{Target: "db", Role: "daily", Key: "k"}, {Target: "data", Role: "daily", Key: "k"}}
		got := w.TakeAll(within(w.clock, time.Minute), orders)
		if got[0].Outcome != OutcomeCreated || got[1].Outcome != OutcomeDeferred || code(got[1].Error) != CodeBlocked || !got[1].Error.Retryable {
			t.Errorf("got %q %q %v", got[0].Outcome, got[1].Outcome, got[1].Error)
		}
	})
}

func TestTakeAsksFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
	full3(w)
	o := order("daily", "k")
	o.AskFirst = true
	asked := w.Take(within(w.clock, time.Minute), o)
	if asked.Outcome != OutcomePlanned || asked.Victim == nil || asked.Error != nil || w.api.count[remove] > 0 {
		t.Fatalf("got %q %v", asked.Outcome, asked.Error)
	}
	o.Victim = "s-other"
	if got := w.Take(within(w.clock, time.Minute), o); got.Outcome != OutcomePlanned || w.api.count[remove] > 0 {
		t.Errorf("another victim was confirmed: got %q %v", got.Outcome, got.Error)
	}
	o.Victim = asked.Victim.SnapshotID
	got := w.Take(within(w.clock, time.Minute), o)
	if got.Outcome != OutcomeCreated || len(got.Deleted) != 1 || got.Deleted[0].SnapshotID != o.Victim {
		t.Errorf("got %q %v", got.Outcome, got.Error)
	}
	free := newWorld(Slots{"daily", 2})
	o = order("daily", "k")
	o.AskFirst = true
	if got := free.Take(within(free.clock, time.Minute), o); got.Outcome != OutcomeCreated {
		t.Errorf("nothing to ask: got %q %v", got.Outcome, got.Error)
	}
}

// TestOnePlan: dry run, plan and the blocked real run show the same plan, and none but the real run changes anything.
func TestOnePlan(t *testing.T) {
	t.Parallel()
	for name, role := range map[string]string{"blocked": "weekly", "victim": "daily"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(Slots{"daily", 2}, Slots{"weekly", 1})
			full3(w)
			before, _ := json.Marshal(w.api.state())
			o := order(role, "k")
			o.DryRun = true
			dry := w.Take(within(w.clock, time.Minute), o)
			plan, err := w.Plan(within(w.clock, time.Minute), "web-1", role)
			if dry.Outcome != OutcomePlanned || dry.Error != nil || err != nil {
				t.Fatalf("got %q %v, %v", dry.Outcome, dry.Error, err)
			}
			if after, _ := json.Marshal(w.api.state()); string(after) != string(before) || w.api.count[create]+w.api.count[remove] > 0 {
				t.Fatal("a plan changed something")
			}
			for i := range plan.Items { // a plan has no order, so it has no name for the new one
				if plan.Items[i].Action == ActionCreate {
					plan.Items[i].SnapshotName = dry.Plan[i].SnapshotName
				}
			}
			if !slices.Equal(plan.Items, dry.Plan) {
				t.Errorf("plan %+v\ndry run %+v", plan.Items, dry.Plan)
			}
			o.DryRun = false
			real := w.Take(within(w.clock, time.Minute), o)
			if name == "blocked" && (!slices.Equal(real.Plan, dry.Plan) || !strings.Contains(dry.Warning, plan.Blocked) || !strings.HasPrefix(real.Error.Message, plan.Blocked)) {
				t.Errorf("real run %+v\ndry run %+v", real.Plan, dry.Plan)
			}
			if name == "victim" {
				victim := slices.IndexFunc(dry.Plan, func(item PlanItem) bool { return item.Action == ActionDelete })
				if real.Deleted[0] != (Deleted{dry.Plan[victim].SnapshotID, dry.Plan[victim].SnapshotName, dry.Plan[victim].Reason}) || dry.Plan[0].SnapshotName != real.SnapshotName {
					t.Errorf("real run %+v\ndry run %+v", real, dry.Plan)
				}
			}
		})
	}
}

func TestDryRunForesees(t *testing.T) {
	t.Parallel()
	o := order("daily", "k")
	o.DryRun, o.MaxAge = true, time.Hour
	cases := map[string]struct {
		setup func(*world)
		want  string
	}{
		"replayed": {func(w *world) { ownSnapshot(w, o, Accomplished) }, "a real run would be replayed"},
		"reused":   {func(w *world) { w.fill(w.foreign(time.Minute, Accomplished)) }, "a real run would be reused"},
		"joined":   {func(w *world) { w.fill(w.ours("weekly", time.Minute, Progressing)) }, "a real run would be joined"},
		"waits":    {func(w *world) { w.fill(w.foreign(time.Minute, Progressing)) }, "a real run would wait"},
		"blocked": {func(w *world) {
			for range 3 {
				w.fill(w.foreign(2*time.Hour, Accomplished))
			}
		}, "a real run would be blocked"},
		"created": {func(*world) {}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			c.setup(w)
			got := w.Take(within(w.clock, time.Minute), o)
			if got.Outcome != OutcomePlanned || !strings.HasPrefix(got.Warning, c.want) || (c.want == "") != (got.Warning == "") {
				t.Errorf("got %q %q", got.Outcome, got.Warning)
			}
			wantCalls(t, w, list)
		})
	}
}

// TestTakeRefuses: what is wrong with an order is said before any call.
func TestTakeRefuses(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		order Order
		code  string
		text  string
	}{
		"unknown target, close": {Order{Target: "wep-1", Key: "k"}, CodeUnknownTarget, "did you mean web-1?"},
		"unknown target, far":   {Order{Target: "mailserver", Key: "k"}, CodeUnknownTarget, "name one of its targets"},
		"no target":             {Order{Key: "k"}, CodeInvalidOrder, "target: is missing"},
		"no key":                {Order{Target: "web-1"}, CodeInvalidOrder, "key: is missing"},
		"all at once":           {Order{Target: "web-1", SnapshotName: "x", ResourceGroupID: "x"}, CodeInvalidOrder, "key: is missing: give the ID of the event, the same at each retry; SnapshotName: has 1 characters: use 2 to 50; ResourceGroupId"},
		"one code of the API's": {Order{Target: "web-1", Key: "k", SnapshotName: "x"}, CodeNameUnsupported, "SnapshotName"},
		"disk of another form":  {Order{DiskID: "disk", Key: "k"}, CodeInvalidDisk, "DiskId"},
		"region of a raw disk":  {Order{DiskID: "d-1", RegionID: "X", Key: "k"}, CodeInvalidRegion, "RegionId"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			got := w.Take(within(w.clock, time.Minute), c.order)
			if code(got.Error) != c.code || !strings.Contains(got.Error.Message, c.text) || got.Error.Retryable {
				t.Errorf("got %v", got.Error)
			}
			wantCalls(t, w)
		})
	}
}

func TestTakeRawDisk(t *testing.T) {
	t.Parallel()
	w := newWorld(Slots{"daily", 1})
	got := w.Take(within(w.clock, time.Minute), Order{DiskID: diskID, Key: "k"})
	if got.Target != "web-1" || got.Role != RoleManual || got.Outcome != OutcomeCreated {
		t.Errorf("a disk of the policy: %+v", got)
	}
	w.api.server("cn-beijing", "raw", false)
	for range 3 {
		one := w.ours("manual", time.Hour, Accomplished)
		one.DiskID = "d-raw"
		w.fill(one)
	}
	got = w.Take(within(w.clock, time.Minute), Order{DiskID: "d-raw", RegionID: "cn-beijing", Key: "k"})
	if got.Target != "" || got.RegionID != "cn-beijing" || got.Outcome != OutcomeBlocked || w.api.count[remove] > 0 {
		t.Errorf("a disk beside the policy: %+v", got)
	}
}

func TestTakeByServer(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.api.server(home, "app", true)
	w.Policy.Targets = []Target{{Name: "app", InstanceID: "i-app"}, {Name: "gone", InstanceID: "i-gone"}}
	got := w.TakeAll(within(w.clock, time.Minute), []Order{
		{Target: "app", Key: "k"}, {Target: "gone", Key: "k"}, {Target: "app", Key: ""},
	})
	if got[0].Outcome != OutcomeCreated || got[0].DiskID != "d-app" || code(got[1].Error) != CodeDiskGone || code(got[2].Error) != CodeInvalidOrder {
		t.Errorf("got %+v", got)
	}
	wantCalls(t, w, disks, create)
	w.Take(within(w.clock, time.Minute), Order{Target: "app", Key: "l"})
	if n := w.api.count[disks]; n != 1 {
		t.Errorf("the system disk was looked up %d times", n)
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
