package webhook

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// reply is an answer to a person, before it has the form of a chat: first the result, then what to do next, then the
// lines of a list, then the small print. Senders escape all of it.
type reply struct {
	lang    language
	done    bool // what was asked for is done: worth telling the channel
	pending bool // time ran out; the same ask again goes on
	aside   bool // after a click: said beside the question, whose buttons stay
	result  string
	next    string
	lines   []string
	small   []string
	request bool // small names a request
	offer   *offer
}

// offer is a deletion to be confirmed by button or code: what the two buttons carry, and the code.
type offer struct{ value, cancel, code string }

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

// took makes the reply that of an order.
func (p reply) took(r snapshot.Result) reply {
	name := r.Target
	for _, gone := range r.Deleted {
		p.lines = append(p.lines, say.deleted.in(p.lang, visible(gone.SnapshotID), visible(gone.SnapshotName)))
	}
	switch {
	case r.Outcome == snapshot.OutcomeDeferred && mayHaveBegun(r):
		p.pending = true
		p.result, p.next = say.started.in(p.lang, name), say.nextList.in(p.lang, name)
		p.smallPrint(r.SnapshotID, r.RequestID, r.Error.Code)
		return p
	case r.Error != nil:
		p = p.fail(r.Error)
		p.lines = append(p.lines, planLines(p.lang, r.Plan)...)
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

// mayHaveBegun tells whether a deferred order may be at work already: the call that takes the snapshot got no answer.
func mayHaveBegun(r snapshot.Result) bool {
	var last *snapshot.APIError
	return errors.As(r.Error, &last) && last.Action == actionCreateSnapshot &&
		(last.Code == snapshot.CodeNoAnswer || last.Code == snapshot.CodeEmptyAnswer)
}

// planLines shows a plan: one line a snapshot, in English with the reason, which the core has in English alone.
func planLines(l language, plan []snapshot.PlanItem) []string {
	lines := make([]string, len(plan))
	for i, item := range plan {
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

// statusIn shows the status of a snapshot; one that nobody foresaw is shown as it is.
func statusIn(l language, status snapshot.Status) string {
	if p, known := say.statuses[status]; known {
		return p.in(l)
	}
	return visible(string(status))
}
