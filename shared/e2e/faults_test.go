package e2e

import (
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// mishap is something that goes wrong with the API while an order is taken.
type mishap struct {
	fault   simulator.Fault          // of CreateSnapshot
	before  func(*testing.T, *cloud) // or a state of the account beforehand
	timeout time.Duration            // of the function; default a minute

	outcome   snapshot.Outcome
	code      string // of the error; "": the order is done
	late      bool   // the time may be over just before the last call, which is another code
	retryable bool
	calls     map[string]int // nil: not counted
	snapshots int
}

// brief is the time-out of functions that shall run out of time: 2 s, of which 400 ms are kept for the answer.
const brief = 2 * time.Second

var mishaps = map[string]mishap{
	"answer lost after the effect":  {fault: simulator.Fault{Answer: simulator.AnswerLost, Effect: true}, outcome: "created", calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"answer lost before the effect": {fault: simulator.Fault{Answer: simulator.AnswerLost}, outcome: "created", calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"connection cut":                {fault: simulator.Fault{Answer: simulator.AnswerCut, Effect: true}, outcome: "created", calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"InternalError":                 {fault: simulator.Fault{Answer: simulator.AnswerError}, outcome: "created", calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"InternalError after the effect": {fault: simulator.Fault{Answer: simulator.AnswerError, Effect: true}, outcome: "created",
		calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"ServiceUnavailable":    {fault: simulator.Fault{Answer: simulator.AnswerError, Code: "ServiceUnavailable"}, outcome: "created", calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"the page of a gateway": {fault: simulator.Fault{Answer: simulator.AnswerHTML, Effect: true}, outcome: "created", calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"success without proof, with effect": {fault: simulator.Fault{Answer: simulator.AnswerObject, Effect: true}, outcome: "created",
		calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"success without proof, without effect": {fault: simulator.Fault{Answer: simulator.AnswerEmpty}, outcome: "created",
		calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},
	"success that is no JSON": {fault: simulator.Fault{Answer: simulator.AnswerGarbage, Effect: true}, outcome: "created",
		calls: map[string]int{"CreateSnapshot": 2}, snapshots: 1},

	"throttling storm": {fault: simulator.Fault{Answer: simulator.AnswerError, Code: "Throttling.User", Count: simulator.Forever}, timeout: brief,
		outcome: "deferred", code: "Throttling.User", retryable: true},
	"InternalError for ever": {fault: simulator.Fault{Answer: simulator.AnswerError, Count: simulator.Forever}, timeout: brief,
		outcome: "deferred", code: "InternalError", retryable: true},
	"slow beyond the deadline": {fault: simulator.Fault{Delay: time.Hour, Count: simulator.Forever}, timeout: brief,
		outcome: "deferred", code: "NoAnswer", late: true, retryable: true, snapshots: 1},
	"IncorrectStatus": {fault: simulator.Fault{Answer: simulator.AnswerError, Code: "IncorrectStatus", Count: simulator.Forever}, timeout: brief,
		outcome: "deferred", code: "IncorrectStatus", retryable: true},

	"a foreign snapshot in progress": {timeout: brief, before: func(_ *testing.T, c *cloud) {
		c.AddSnapshot(simulator.Snapshot{DiskID: disk, Status: simulator.Progressing})
	}, outcome: "deferred", code: "IncorrectDiskStatus.CreatingSnapshot", retryable: true, snapshots: 1},
	"our own snapshot in progress": {before: func(t *testing.T, c *cloud) {
		read(t, c.deploy(t, deployment{platform: runtimeapi.FC, name: "timer"}).invoke(fixture(t, "timer-fc.json")))
		c.called()
	}, outcome: "joined", calls: oneJoined, snapshots: 1},
	"a full server": {before: func(_ *testing.T, c *cloud) {
		for range 3 {
			c.AddSnapshot(simulator.Snapshot{DiskID: disk})
		}
	}, outcome: "blocked", code: "SlotsFull", calls: map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1}, snapshots: 3},

	"InvalidSnapshotName.ValueNotSupported": final("InvalidSnapshotName.ValueNotSupported"),
	"InvalidRemark.ValueNotSupported":       final("InvalidRemark.ValueNotSupported"),
	"InvalidRemark.Duplicate":               final("InvalidRemark.Duplicate"),
	"IdempotentParameterMismatch": {
		fault: simulator.Fault{Answer: simulator.AnswerError, Code: "IdempotentParameterMismatch", Count: simulator.Forever},
		code:  "IdempotentParameterMismatch", calls: map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1}, // the list may show its own token
	},
	"InvalidDiskId.NotFound":       final("InvalidDiskId.NotFound"),
	"Forbidden.RAM":                final("Forbidden.RAM"),
	"NoPermission":                 final("NoPermission"),
	"SignatureDoesNotMatch":        final("SignatureDoesNotMatch"),
	"InvalidAccessKeyId.NotFound":  final("InvalidAccessKeyId.NotFound"),
	"InvalidSecurityToken.Expired": final("InvalidSecurityToken.Expired"),
	"an unknown code":              final("Surprise.Answer"),
}

// final is a refusal that no repetition helps: one call, one error under the API's own code.
func final(code string) mishap {
	return mishap{
		fault: simulator.Fault{Answer: simulator.AnswerError, Code: code, Count: simulator.Forever},
		code:  code, calls: oneCall,
	}
}

// TestMishaps takes an order while something goes wrong. Afterwards, when nothing does any more, the same order is
// delivered again: there is never a second snapshot for it.
func TestMishaps(t *testing.T) {
	t.Parallel()
	for name, m := range mishaps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
				held := newGate()
				c := newCloud(t, func(c *simulator.Config) { c.Sleep = held.hold })
				if m.before != nil {
					m.before(t, c)
				}
				if m.before == nil {
					fault := m.fault
					fault.Action = "CreateSnapshot"
					c.Fault(fault)
				}
				f := c.deploy(t, deployment{platform: platform, name: "event", timeout: m.timeout})
				answer := f.invoke(fixture(t, "event-order.json"))
				if answer.TimedOut || answer.Crashed {
					t.Fatalf("the function did not answer: %s", answer.Payload)
				}
				m.check(t, c, read(t, answer).only(t))

				if m.before != nil {
					return // what hinders it is still there
				}
				c.ClearFaults()
				close(held.open)
				again := read(t, f.invoke(fixture(t, "event-order.json"))).only(t)
				c.wantSnapshots(t, 1)
				if again.Error != nil || again.SnapshotID != c.Snapshots()[0].ID {
					t.Errorf("delivered again, the order got %+v, want the snapshot %s", again, c.Snapshots()[0].ID)
				}
			})
		})
	}
}

func (m mishap) check(t *testing.T, c *cloud, got snapshot.Result) {
	t.Helper()
	if got.Outcome != m.outcome {
		t.Errorf("the outcome is %q, want %q", got.Outcome, m.outcome)
	}
	if m.code == "" && got.Error != nil {
		t.Errorf("the order failed: %v", got.Error)
	}
	if m.code != "" {
		if m.late && got.Error != nil && got.Error.Code == snapshot.CodeNoTime {
			m.code = snapshot.CodeNoTime
		}
		wantError(t, got, m.code)
		if got.Error.Retryable != m.retryable {
			t.Errorf("retryable is %t, want %t: %v", got.Error.Retryable, m.retryable, got.Error)
		}
	}
	if m.outcome == snapshot.OutcomeBlocked && len(got.Plan) != 3 {
		t.Errorf("the plan has %d lines, want one for each of 3 snapshots: %+v", len(got.Plan), got.Plan)
	}
	if m.calls != nil {
		c.wantCalls(t, m.calls)
	}
	c.wantSnapshots(t, m.snapshots)
}
