package snapshot_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

const (
	create = "CreateSnapshot"
	list   = "ListSnapshots"
	disks  = "ListDisks"
	remove = "DeleteSnapshot"
	tag    = "TagResources"
)

// takeBy does an order by a service, with a time to its deadline.
func takeBy(s *snapshot.Service, o snapshot.Order, left time.Duration) snapshot.Result {
	ctx, cancel := context.WithTimeout(context.Background(), left)
	defer cancel()
	return s.Take(ctx, o)
}

// code returns the code of a result's error, or "".
func code(r snapshot.Result) string {
	if r.Error == nil {
		return ""
	}
	return r.Error.Code
}

func (a *account) wantCalls(want ...string) {
	a.t.Helper()
	if got := a.calls(); !slices.Equal(got, want) {
		a.t.Errorf("calls: got %v, want %v", got, want)
	}
}

func (a *account) wantIDs(want ...string) {
	a.t.Helper()
	slices.Sort(want)
	if got := a.ids(); !slices.Equal(got, want) {
		a.t.Errorf("snapshots: got %v, want %v", got, want)
	}
}

// addOwn plants the snapshot of an order on d-1, as a process that ended early leaves it.
func (a *account) addOwn(o snapshot.Order, old time.Duration, change ...func(*simulator.Snapshot)) {
	request, _ := snapshot.Identity(a.policy, o, snapshot.Target{Name: "web-1", RegionID: region, DiskID: "d-1"})
	a.add("own", o.Role, old, append([]func(*simulator.Snapshot){func(one *simulator.Snapshot) {
		one.Name, one.Tags = request.SnapshotName, nil
		for _, t := range request.Tags {
			one.Tags = append(one.Tags, simulator.Tag(t))
		}
	}}, change...)...)
}

// refusal is a fault of one call.
func refusal(action, code string) simulator.Fault {
	return simulator.Fault{Action: action, Answer: simulator.AnswerError, Code: code}
}

func lost(action string, effect bool) simulator.Fault {
	return simulator.Fault{Action: action, Answer: simulator.AnswerLost, Effect: effect}
}

func forever(f simulator.Fault) simulator.Fault {
	f.Count = simulator.Forever
	return f
}

// TestTakeAnswers has a row for each answer of CreateSnapshot: what Take makes of it, and with which calls.
func TestTakeAnswers(t *testing.T) {
	t.Parallel()
	deploy := order("deploy", "k")
	keep := []snapshot.Slots{slots("daily", 1, daily), slots("deploy", 1)}
	type row struct {
		setup     func(*account)
		faults    []simulator.Fault
		time      time.Duration // to the deadline; 0: 15 seconds
		outcome   snapshot.Outcome
		code      string
		retryable bool
		calls     []string
		text      string // part of the error's message or the warning
	}
	full := func(change ...func(*simulator.Snapshot)) func(*account) {
		return func(a *account) {
			a.add("s-1", "daily", 3*time.Hour, change...)
			a.add("s-2", "daily", 2*time.Hour, change...)
			a.add("s-3", "deploy", time.Hour, change...)
		}
	}
	cases := map[string]row{
		"success": {outcome: snapshot.OutcomeCreated, calls: []string{create}},
		"no answer, with effect": {faults: []simulator.Fault{lost(create, true)},
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"no answer, without effect": {faults: []simulator.Fault{lost(create, false)},
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"no answer for long, without effect": {faults: []simulator.Fault{forever(lost(create, false))}, time: 4 * time.Second,
			outcome: snapshot.OutcomeDeferred, code: snapshot.CodeNoAnswer, retryable: true, calls: []string{create, create,
				create, create}},
		"InternalError": {faults: []simulator.Fault{refusal(create, "InternalError")},
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"ServiceUnavailable": {faults: []simulator.Fault{refusal(create, "ServiceUnavailable")},
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"nonce used": {faults: []simulator.Fault{refusal(create, "SignatureNonceUsed")},
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"Throttling": {faults: []simulator.Fault{refusal(create, "Throttling")},
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"Throttling.User": {faults: []simulator.Fault{refusal(create, "Throttling.User")},
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"Throttling for long": {faults: []simulator.Fault{forever(refusal(create, "Throttling.User"))},
			outcome: snapshot.OutcomeDeferred,
			code:    "Throttling.User", retryable: true, calls: []string{create, create, create}},
		"Duplicate, our own": {setup: func(a *account) { a.addOwn(deploy, time.Hour) }, outcome: snapshot.OutcomeReplayed,
			calls: []string{create, list}},
		"Duplicate, our own that failed": {setup: func(a *account) { a.addOwn(deploy, time.Hour, failed) },
			outcome: snapshot.OutcomeReplayed,
			calls:   []string{create, list}, text: "with a new key"},
		"Duplicate, our own with other parameters": {setup: func(a *account) {
			a.addOwn(deploy, time.Hour, func(one *simulator.Snapshot) { one.Tags[1].Value = "deploy/api/another/5i5fgz" })
		}, code: snapshot.CodeMismatch, calls: []string{create, list}},
		"Duplicate, our own whose tags the API hides": {setup: func(a *account) { a.addOwn(deploy, time.Hour, foreign) },
			outcome: snapshot.OutcomeReplayed,
			calls:   []string{create, list}, text: "the API shows no tags of own"},
		"Duplicate, of another disk": {setup: func(a *account) { a.addOwn(deploy, time.Hour, foreign, onDisk("d-2")) },
			code: snapshot.CodeNameDuplicate, calls: []string{create, list}},
		"Duplicate, not listed yet": {faults: []simulator.Fault{refusal(create, snapshot.CodeNameDuplicate)},
			outcome: snapshot.OutcomeCreated,
			calls:   []string{create, list, create}},
		"Duplicate, not listed for long": {faults: []simulator.Fault{forever(refusal(create, snapshot.CodeNameDuplicate))},
			time:    3 * time.Second,
			outcome: snapshot.OutcomeDeferred, code: snapshot.CodeNameDuplicate, retryable: true, calls: []string{create, list,
				create, list, create, list}},
		"CreatingSnapshot, our own": {setup: func(a *account) { a.addOwn(deploy, time.Minute, running) },
			faults: []simulator.Fault{refusal(create, snapshot.CodeCreatingSnapshot)}, outcome: snapshot.OutcomeReplayed,
			calls: []string{create, list}},
		"CreatingSnapshot, another of ours": {setup: func(a *account) { a.add("s-1", "daily", time.Minute, running) },
			outcome: snapshot.OutcomeJoined, calls: []string{create, list, tag}},
		"CreatingSnapshot, foreign": {setup: func(a *account) { a.add("s-1", "daily", time.Minute, running, foreign) },
			outcome: snapshot.OutcomeDeferred, code: snapshot.CodeCreatingSnapshot, retryable: true, calls: []string{create,
				list}, text: "is not ours"},
		"CreatingSnapshot, stuck": {setup: func(a *account) {
			a.StallNext("d-1")
			a.take(order("daily", "host"))
			a.calls()
			time.Sleep(2 * time.Hour)
		}, outcome: snapshot.OutcomeDeferred, code: snapshot.CodeCreatingSnapshot, retryable: true, calls: []string{create,
			list}, text: "more than 2h"},
		"CreatingSnapshot, not listed": {faults: []simulator.Fault{forever(refusal(create, snapshot.CodeCreatingSnapshot))},
			outcome: snapshot.OutcomeDeferred, code: snapshot.CodeCreatingSnapshot, retryable: true, calls: []string{create,
				list}},
		"IncorrectStatus": {faults: []simulator.Fault{refusal(create, snapshot.CodeIncorrectStatus)}, time: time.Minute,
			outcome: snapshot.OutcomeCreated, calls: []string{create, create}},
		"IncorrectStatus for long": {faults: []simulator.Fault{forever(refusal(create, snapshot.CodeIncorrectStatus))},
			outcome: snapshot.OutcomeDeferred, code: snapshot.CodeIncorrectStatus, retryable: true, calls: []string{create}},
		"LimitExceed, our own there": {setup: func(a *account) { a.addOwn(deploy, time.Minute) },
			faults:  []simulator.Fault{refusal(create, snapshot.CodeLimitExceed)},
			outcome: snapshot.OutcomeReplayed, calls: []string{create, list}},
		"LimitExceed, one of ours in progress": {setup: func(a *account) {
			a.add("s-1", "daily", 3*time.Hour)
			a.add("s-2", "daily", 2*time.Hour)
			a.add("s-3", "daily", time.Minute, running)
		}, faults: []simulator.Fault{refusal(create, snapshot.CodeLimitExceed)}, outcome: snapshot.OutcomeJoined,
			calls: []string{create, list, tag}},
		"LimitExceed, surplus there": {setup: full(), outcome: snapshot.OutcomeDeferred, code: snapshot.CodeBlocked,
			retryable: true,
			calls:     []string{create, list},
			text:      "the sweeps free one: repeat the same order after the next sweep, at 2000-01-10 00:10 UTC"},
		"LimitExceed, one in progress makes one surplus": {setup: func(a *account) {
			a.add("s-1", "deploy", 3*time.Hour)
			a.add("s-2", "daily", 2*time.Hour)
			a.add("s-3", "daily", 19*time.Minute, running, onDisk("d-1"))
		}, faults: []simulator.Fault{refusal(create, snapshot.CodeLimitExceed)}, outcome: snapshot.OutcomeJoined,
			calls: []string{create, list, tag}},
		"LimitExceed, all pinned": {setup: full(pinned), outcome: snapshot.OutcomeBlocked, code: snapshot.CodeBlocked,
			calls: []string{create, list}, text: "s-3 (deploy, pinned for ever)"},
		"LimitExceed, all foreign": {setup: full(foreign), outcome: snapshot.OutcomeBlocked, code: snapshot.CodeBlocked,
			calls: []string{create, list}, text: "s-3 (not ours)"},
		"LimitExceed, the due role takes what comes free": {setup: func(a *account) {
			a.add("s-1", "deploy", 3*day)
			a.add("s-2", "deploy", 2*day, pinned)
			a.add("s-3", "daily", 2*day, pinned)
		}, outcome: snapshot.OutcomeBlocked, code: snapshot.CodeBlocked, calls: []string{create, list}},
		"LimitExceed, the list shows a free slot": {faults: []simulator.Fault{refusal(create, snapshot.CodeLimitExceed)},
			outcome: snapshot.OutcomeDeferred,
			code:    snapshot.CodeBlocked, retryable: true, calls: []string{create, list},
			text: "although the list shows one (0 of 3 used)"},
		"Mismatch, our own": {setup: func(a *account) { a.addOwn(deploy, time.Hour) },
			faults:  []simulator.Fault{refusal(create, snapshot.CodeMismatch)},
			outcome: snapshot.OutcomeReplayed, calls: []string{create, list}},
		"Mismatch, joined": {setup: func(a *account) {
			a.add("s-1", "daily", time.Minute, running)
			a.take(deploy)
			a.calls()
		}, faults: []simulator.Fault{refusal(create, snapshot.CodeMismatch)}, outcome: snapshot.OutcomeReplayed,
			calls: []string{create, list}},
		"Mismatch, nothing of ours": {faults: []simulator.Fault{refusal(create, snapshot.CodeMismatch)},
			code: snapshot.CodeMismatch, calls: []string{create, list}},
		"list lost": {setup: full(), faults: []simulator.Fault{lost(list, false)}, outcome: snapshot.OutcomeDeferred,
			code:      snapshot.CodeBlocked,
			retryable: true, calls: []string{create, list, list}},
		"list forbidden": {setup: full(), faults: []simulator.Fault{refusal(list, "NoPermission")}, code: "NoPermission",
			calls: []string{create, list}, text: "swas-open:ListSnapshots"},
		"deadline over": {time: -time.Second, outcome: snapshot.OutcomeDeferred, code: snapshot.CodeNoTime, retryable: true},
	}
	for _, final := range []string{
		"InvalidDiskId.NotFound", snapshot.CodeNameUnsupported, snapshot.CodeRemarkDuplicate, "Forbidden.RAM", "NoPermission",
		"InvalidAccessKeyId.NotFound",
		"SignatureDoesNotMatch", "InvalidSecurityToken.Expired", "InvalidTimeStamp.Expired", "RegionIdNotMatchHost",
		"InvalidParam", "MissingDiskId", "SomethingNew",
	} {
		cases["final "+final] = row{faults: []simulator.Fault{refusal(create, final)}, code: final, calls: []string{create}}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newAccount(t, web(keep...))
				if c.setup != nil {
					c.setup(a)
				}
				for _, f := range c.faults {
					a.Fault(f)
				}
				if c.time == 0 {
					c.time = 15 * time.Second
				}
				end := time.Now().Add(c.time)
				got := takeBy(a.service(), deploy, c.time)
				if got.Outcome != c.outcome || code(got) != c.code {
					t.Errorf("got %q %v, want %q %q", got.Outcome, got.Error, c.outcome, c.code)
				}
				text := got.Warning
				if got.Error != nil {
					text = got.Error.Message
					if got.Error.Retryable != c.retryable {
						t.Errorf("retryable: got %v", got.Error.Retryable)
					}
				}
				if !strings.Contains(text, c.text) {
					t.Errorf("got %q, want %q", text, c.text)
				}
				if good := got.Error == nil; good != (got.SnapshotID != "") ||
					(got.Plan != nil) != (got.Outcome == snapshot.OutcomeBlocked) {
					t.Errorf("snapshot %q, plan %v with error %v", got.SnapshotID, got.Plan, got.Error)
				}
				if got.Target != "web-1" || got.Role != "deploy" || got.RegionID != region || got.DiskID != "d-1" {
					t.Errorf("the result does not say what it is about: %+v", got)
				}
				if c.time > 0 && time.Now().After(end) {
					t.Error("the answer comes after the deadline")
				}
				a.wantCalls(c.calls...)
			})
		})
	}
}
