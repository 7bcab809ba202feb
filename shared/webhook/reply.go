package webhook

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// reply is an answer to a user, before it has the form of a chat: first the result, then what to do next, then the
// lines of a list, then the small print. Senders escape all of it.
type reply struct {
	lang    language
	done    bool // what was asked for is done: of use to the whole channel
	result  string
	next    string
	lines   []string
	small   []string
	request bool // small names a request
}

func (p reply) head() string {
	if p.next == "" {
		return p.result
	}
	return p.result + "\n" + p.next
}

// text is the whole reply as plain text.
func (p reply) text() string {
	parts := append([]string{p.head()}, p.lines...)
	if len(p.small) > 0 {
		parts = append(parts, strings.Join(p.small, " · "))
	}
	return strings.Join(parts, "\n")
}

// smallPrint adds what is known of a snapshot, a request and an error.
func (p *reply) smallPrint(snapshotID, requestID, code string) {
	for _, part := range []struct {
		phrase phrase
		value  string
	}{{say.snapshotID, snapshotID}, {say.code, code}, {say.requestID, requestID}} {
		if part.value != "" {
			p.small = append(p.small, part.phrase.in(p.lang, visible(part.value)))
		}
	}
	p.request = p.request || requestID != ""
}

// slots adds "2 of 3" to the small print, where it is known.
func (p *reply) slots(count *snapshot.SlotCount) {
	if count != nil {
		p.small = append(p.small, say.slots.in(p.lang, count.Used, count.Of))
	}
}

// identified adds the platform's ID of the request to the small print that names no request of the API.
func (p reply) identified(ctx context.Context) reply {
	if !p.request {
		p.smallPrint("", trigger.RequestID(ctx), "")
	}
	return p
}

// fail makes the reply that of an error.
func (p reply) fail(err *snapshot.Error) reply {
	f := failureOf(err)
	p.result = f.what.in(p.lang)
	switch {
	case f.again || err.Retryable:
		p.next = say.nextAgain.in(p.lang)
	case err.Kind == snapshot.KindConfig || err.Kind == snapshot.KindInternal:
		p.next = say.nextAsk.in(p.lang)
	default:
		p.next = say.nextHelp.in(p.lang)
	}
	p.smallPrint("", err.RequestID, err.Code)
	return p
}

// took returns the reply to an order.
func (v visit) took(r snapshot.Result) reply {
	p, name := v.reply, r.Target
	switch {
	case r.Outcome == snapshot.OutcomeDeferred && mayHaveBegun(r):
		p.result, p.next = say.started.in(p.lang, name), say.nextList.in(p.lang, name)
		p.smallPrint(r.SnapshotID, r.RequestID, r.Error.Code)
		return p
	case waitsForSweep(r):
		at := problem.NextSweep(v.now).In(cmp.Or(v.policy.Location, time.UTC)).Format("15:04 MST")
		p.result, p.next = say.notYet.in(p.lang, name), say.nextSweep.in(p.lang, at)
		p.lines = []string{failureOf(r.Error).what.in(p.lang)}
		if p.lang == en && r.Error.Advice == "" { // the core's own words, which it has in English alone
			p.lines = []string{visible(r.Error.Message)}
		}
		p.smallPrint("", r.RequestID, r.Error.Code)
		return p
	case r.Error != nil:
		p = p.fail(r.Error)
		p.lines = v.planLines(r.Plan)
		return p
	}
	outcome, known := map[snapshot.Outcome]phrase{
		snapshot.OutcomeCreated: say.created, snapshot.OutcomeReplayed: say.replayed,
		snapshot.OutcomeJoined: say.joined, snapshot.OutcomeReused: say.reused,
	}[r.Outcome]
	if !known {
		return p.fail(&snapshot.Error{Code: snapshot.CodeInternal, Kind: snapshot.KindInternal})
	}
	p.done = true
	p.result, p.next = outcome.in(p.lang, name), say.nextStatus.in(p.lang, visible(r.SnapshotID))
	if r.Status == snapshot.Accomplished {
		p.next = say.nextNothing.in(p.lang)
	}
	p.smallPrint(r.SnapshotID, r.RequestID, "")
	return p
}

// waitsForSweep reports whether an order was deferred because its slot or its disk is not free yet, not because time ran
// out or the API failed.
func waitsForSweep(r snapshot.Result) bool {
	if r.Outcome != snapshot.OutcomeDeferred {
		return false
	}
	switch r.Error.Code {
	case snapshot.CodeBlocked, snapshot.CodeLimitExceed, snapshot.CodeCreatingSnapshot:
		return true
	}
	return r.Error.Kind == snapshot.KindConflict && r.Error.Advice == ""
}

// mayHaveBegun reports whether a deferred order may be at work already: the call that takes the snapshot got no answer.
func mayHaveBegun(r snapshot.Result) bool {
	var last *snapshot.APIError
	return errors.As(r.Error, &last) && last.Action == actionCreateSnapshot &&
		(last.Code == snapshot.CodeNoAnswer || last.Code == snapshot.CodeEmptyAnswer)
}

// planLines shows a plan: one line a snapshot, in English with the reason, which the core has in English alone. A snapshot
// that the user may not see is an occupied slot.
func (v visit) planLines(plan []snapshot.PlanItem) []string {
	l := v.reply.lang
	lines := make([]string, len(plan))
	for i, item := range plan {
		if !v.sees(item) {
			lines[i] = say.occupied.in(l)
			continue
		}
		what := cmp.Or(item.SnapshotID, item.SnapshotName)
		lines[i] = strings.TrimSpace(say.planned[item.Action].in(l) + " " + visible(what))
		if l == en {
			lines[i] += ": " + visible(item.Reason)
		}
	}
	return lines
}

// listLines shows the snapshots of a listing.
func listLines(l language, listed []snapshot.Listed) []string {
	lines := make([]string, len(listed))
	for i, one := range listed {
		lines[i] = visible(strings.Join([]string{one.SnapshotID, one.SnapshotName, statusIn(l, one.Status), one.Progress, one.CreationTime}, " "))
		if one.Keep != "" {
			lines[i] += " (" + say.planned[snapshot.ActionKeep].in(l) + " " + visible(one.Keep) + ")"
		}
	}
	return lines
}

// statusIn shows the status of a snapshot; one that is not documented is shown as it is.
func statusIn(l language, status snapshot.Status) string {
	if p, known := say.statuses[status]; known {
		return p.in(l)
	}
	return visible(string(status))
}
