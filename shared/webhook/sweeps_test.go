package webhook

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
)

// taken is the answer to an order whose snapshot is being taken.
func taken(snapshot.Order) snapshot.Result {
	return snapshot.Result{Outcome: snapshot.OutcomeCreated, SnapshotID: "s-new", Status: snapshot.Progressing,
		RequestID: "req-1"}
}

// goes is the line of a plan that deletes a snapshot of a target.
func goes(id, target string) snapshot.PlanItem {
	return snapshot.PlanItem{SnapshotID: id, SnapshotName: "manual-" + target + "-20261123T2000-aaaaaaa2",
		Action: snapshot.ActionDelete, Reason: "over the count", Target: target}
}

// The answer to an order names what the next sweeps delete, at most two of what the user may see, and how to keep it.
func TestWhatSweepsDelete(t *testing.T) {
	t.Parallel()
	const line = "the next sweeps delete %s (manual-%s-20261123T2000-aaaaaaa2); to keep it: keep %[1]s"
	keep := goes("s-1", "web-1")
	keep.Action = snapshot.ActionKeep
	for name, test := range map[string]struct {
		user  string
		items []snapshot.PlanItem
		later []snapshot.PlanItem
		want  []string
	}{
		"nothing": {user: "U1"},
		"kept": {user: "U1",
			items: []snapshot.PlanItem{keep, {SnapshotName: "manual-web-1-aaaaaaa2", Action: snapshot.ActionCreate}}},
		"the next sweep": {"U1", []snapshot.PlanItem{goes("s-1", "web-1")}, nil,
			[]string{fmt.Sprintf(line, "s-1", "web-1")}},
		"a later sweep": {"U1", []snapshot.PlanItem{keep}, []snapshot.PlanItem{goes("s-1", "web-1")},
			[]string{fmt.Sprintf(line, "s-1", "web-1")}},
		"named twice": {"U1", []snapshot.PlanItem{goes("s-1", "web-1")},
			[]snapshot.PlanItem{goes("s-1", "web-1")}, []string{fmt.Sprintf(line, "s-1", "web-1")}},
		"at most two": {"U1", []snapshot.PlanItem{goes("s-1", "web-1")},
			[]snapshot.PlanItem{goes("s-2", "db-1"), goes("s-3", "web-1")}, []string{fmt.Sprintf(line, "s-1", "web-1"),
				fmt.Sprintf(line, "s-2", "db-1")}},
		"of a hidden target": {"U1", []snapshot.PlanItem{goes("s-1", "hidden-1")},
			[]snapshot.PlanItem{goes("s-2", "web-1")}, []string{fmt.Sprintf(line, "s-2", "web-1")}},
		"of no target": {"U1",
			[]snapshot.PlanItem{{SnapshotID: "s-1", SnapshotName: "mine", Action: snapshot.ActionDelete}}, nil, nil},
		"without action keep": {"U4", []snapshot.PlanItem{goes("s-1", "web-1")}, nil,
			[]string{"the next sweeps delete s-1 (manual-web-1-20261123T2000-aaaaaaa2); " +
				"to keep it, ask an operator to pin it"}},
		"action keep of another target": {"U4", []snapshot.PlanItem{goes("s-1", "db-1")}, nil,
			[]string{fmt.Sprintf(line, "s-1", "db-1")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			b.script(scripted{take: taken, plan: func(target string) (snapshot.Plan, error) {
				return snapshot.Plan{Target: target, Items: test.items, Later: test.later, Used: 2, Of: 3}, nil
			}})
			var lines []string
			answer := talks()["slack"].read(t, b.do(slackCommandBy(test.user, "take web-1", "1")))
			for _, one := range strings.Split(answer, "\n") {
				if strings.Contains(one, "sweep") {
					lines = append(lines, one)
				}
			}
			if !slices.Equal(lines, test.want) || !strings.Contains(answer, "slots 2 of 3") ||
				!strings.Contains(answer, "s-new") {
				t.Errorf("answer is %q, want %q", answer, test.want)
			}
		})
	}
	inEachChat(t, func(t *testing.T, b *bench, _ string, in talk) {
		b.script(scripted{take: taken, plan: func(string) (snapshot.Plan, error) {
			return snapshot.Plan{Items: []snapshot.PlanItem{goes("s-1", "web-1")}, Used: 3, Of: 3}, nil
		}})
		for text, want := range map[string]string{"take web-1": "to keep it: keep s-1",
			"快照 web-1": "后续清理将删除 s-1（manual"} {
			if answer := strings.ReplaceAll(b.tell(t, in, text, text), `\`, ""); !strings.Contains(answer, want) {
				t.Errorf("%q gets %q, want %q", text, answer, want)
			}
		}
	})
}

// What was joined, reused or done before is followed by the same; what failed is not.
func TestWhatSweepsDeleteByOutcome(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[snapshot.Outcome]bool{
		snapshot.OutcomeCreated: true, snapshot.OutcomeJoined: true, snapshot.OutcomeReused: true,
		snapshot.OutcomeReplayed: true,
		snapshot.OutcomeBlocked:  false, snapshot.OutcomeDeferred: false, "": false,
	} {
		b := newBench(t, allSecrets())
		planned := false
		b.script(scripted{
			take: func(snapshot.Order) snapshot.Result {
				r := snapshot.Result{Outcome: outcome, SnapshotID: "s-new"}
				if !want {
					r.Error = &snapshot.Error{Code: snapshot.CodeBlocked, Kind: snapshot.KindConflict}
				}
				return r
			},
			plan: func(string) (snapshot.Plan, error) { planned = true; return snapshot.Plan{}, nil },
		})
		b.tell(t, talks()["teams"], "web-1", "1")
		if planned != want {
			t.Errorf("%s: planned is %t", outcome, planned)
		}
	}
}

// A deferred order says that nothing was taken, why, and when to send the command again.
func TestDeferredOrders(t *testing.T) {
	t.Parallel()
	own := &snapshot.Error{Code: snapshot.CodeBlocked, Kind: snapshot.KindConflict, Retryable: true,
		Message: "web-1 uses 3 of 3 slots, the next sweep at 06:10 UTC makes one free"}
	busy := snapshot.AsError(&snapshot.APIError{Action: "CreateSnapshot", Code: snapshot.CodeCreatingSnapshot,
		Message: "upstream words"})
	for name, test := range map[string]struct {
		err  *snapshot.Error
		text string
		want []string
	}{
		"English": {own, "take web-1", []string{"No snapshot of web-1 was taken yet.",
			"The next sweep is at 06:10 UTC: send the command again then.", own.Message, "code SlotsFull"}},
		"Chinese": {own, "快照 web-1", []string{"尚未为 web-1 创建快照。", "下次清理时间为 06:10 UTC：请届时重新发送命令。", "没有空闲名额：未创建快照。"}},
		"busy": {busy, "take web-1", []string{"No snapshot of web-1 was taken yet.", "at 06:10 UTC",
			"Another snapshot of this disk is being taken."}},
		"throttled": {&snapshot.Error{Code: snapshot.CodeThrottling, Kind: snapshot.KindThrottled, Retryable: true,
			Message: "upstream words"}, "take web-1",
			[]string{"Too many calls in a minute.", "Send it again in a few minutes."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			b.script(scripted{take: func(snapshot.Order) snapshot.Result {
				return snapshot.Result{Outcome: snapshot.OutcomeDeferred, Error: test.err}
			}})
			answer := b.tell(t, talks()["slack"], test.text, "1")
			for _, want := range test.want {
				if !strings.Contains(answer, want) {
					t.Errorf("answer is %q, want %q", answer, want)
				}
			}
			if strings.Contains(answer, "upstream words") {
				t.Errorf("answer is %q", answer)
			}
		})
	}
	b := newBench(t, allSecrets())
	b.options.Policy.Location = time.FixedZone("CST", 8*60*60)
	b.script(scripted{take: func(snapshot.Order) snapshot.Result {
		return snapshot.Result{Outcome: snapshot.OutcomeDeferred, Error: own}
	}})
	if answer := b.tell(t, talks()["slack"], "web-1", "1"); !strings.Contains(answer, "14:10 CST") {
		t.Errorf("answer is %q, want the time of the policy's zone", answer)
	}
}
