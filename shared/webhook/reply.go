package webhook

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/snapshot"
)

// reply is an answer to a user, before it has the form of a chat: first the result, then what to do next, then the
// lines of a list, then the footer. Senders escape all of it.
type reply struct {
	lang   language
	done   bool // what was asked for is done: of use to the whole channel
	result string
	next   string
	lines  []string

	// In the footer, as far as they are known.
	snapshotID string
	code       string // of an error
	slots      *snapshot.SlotCount
	requestID  string // of the API, or else of the platform
}

// say returns a phrase in the language of the reply.
func (p reply) say(one phrase, args ...any) string { return one.in(p.lang, args...) }

// head is the result and what to do next.
func (p reply) head() string { return p.result + "\n" + p.next }

// text is the whole reply as plain text.
func (p reply) text() string {
	parts := append([]string{p.head()}, p.lines...)
	if footer := p.footer(); footer != "" {
		parts = append(parts, footer)
	}
	return strings.Join(parts, "\n")
}

// footer is one line of small print.
func (p reply) footer() string {
	var parts []string
	add := func(one phrase, value string) {
		if value != "" {
			parts = append(parts, p.say(one, visible(value)))
		}
	}
	add(phrases.snapshotID, p.snapshotID)
	add(phrases.code, p.code)
	if p.slots != nil {
		parts = append(parts, p.say(phrases.slots, p.slots.Used, p.slots.Of))
	}
	add(phrases.requestID, p.requestID)
	return strings.Join(parts, " · ")
}

// paragraphs is the whole reply, each line escaped and a paragraph of its own: in Markdown a lone line break is a
// blank.
func (p reply) paragraphs(escape func(string) string) string {
	lines := strings.Split(p.text(), "\n")
	for i, line := range lines {
		lines[i] = escape(line)
	}
	return strings.Join(lines, "\n\n")
}

// fail makes the reply that of an error.
func (p reply) fail(err *snapshot.Error) reply {
	e := explanationOf(err)
	p.result = p.say(e.what)
	switch {
	case e.again || err.Retryable:
		p.next = p.say(phrases.nextAgain)
	case err.Kind == snapshot.KindConfig || err.Kind == snapshot.KindInternal:
		p.next = p.say(phrases.nextAsk)
	default:
		p.next = p.say(phrases.nextHelp)
	}
	p.requestID, p.code = cmp.Or(err.RequestID, p.requestID), err.Code
	return p
}

// list adds the snapshots of a listing.
func (p *reply) list(listed []snapshot.Listed) {
	for _, one := range listed {
		line := visible(strings.Join([]string{
			one.SnapshotID, one.SnapshotName, p.status(one.Status), one.Progress, one.CreationTime,
		}, " "))
		if one.Keep != "" {
			line += " (" + p.say(phrases.planned[snapshot.ActionKeep]) + " " + visible(one.Keep) + ")"
		}
		p.lines = append(p.lines, line)
	}
}

// status returns the status of a snapshot; one that is not documented is shown as it is.
func (p reply) status(status snapshot.Status) string {
	if known, ok := phrases.statuses[status]; ok {
		return p.say(known)
	}
	return visible(string(status))
}

// taken returns the reply to an order.
func (c chat) taken(r snapshot.Result) reply {
	p, name := c.reply(), r.Target
	p.snapshotID, p.slots, p.requestID = r.SnapshotID, r.Slots, r.RequestID
	if r.Error != nil {
		p.code = r.Error.Code
	}
	switch {
	case r.Outcome == snapshot.OutcomeDeferred && mayHaveBegun(r):
		p.result, p.next = p.say(phrases.started, name), p.say(phrases.nextList, name)
		return p
	case waitsForSweep(r):
		at := httpapi.NextSweep(c.now).In(cmp.Or(c.policy.Location, time.UTC)).Format("15:04 MST")
		p.result, p.next = p.say(phrases.notYet, name), p.say(phrases.nextSweep, at)
		p.lines = []string{p.say(explanationOf(r.Error).what)}
		if p.lang == en && r.Error.Advice == "" { // the core's own words, which it has in English alone
			p.lines = []string{visible(r.Error.Message)}
		}
		return p
	case r.Error != nil:
		p = p.fail(r.Error)
		p.lines = c.planLines(r.Plan)
		return p
	}
	outcome, known := phrases.outcomes[r.Outcome]
	if !known {
		return p.fail(&snapshot.Error{Code: snapshot.CodeInternal, Kind: snapshot.KindInternal})
	}
	p.done = true
	p.result, p.next = p.say(outcome, name), p.say(phrases.nextStatus, visible(r.SnapshotID))
	if r.Status == snapshot.Accomplished {
		p.next = p.say(phrases.nextNothing)
	}
	return p
}

// waitsForSweep reports whether an order was deferred because its slot or its disk is not free yet, not because time
// ran out or the API failed.
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

// mayHaveBegun reports whether a deferred order may be in progress already: the call that takes the snapshot got no
// answer.
func mayHaveBegun(r snapshot.Result) bool {
	var last *snapshot.APIError
	return errors.As(r.Error, &last) && last.Action == actionCreateSnapshot &&
		(last.Code == snapshot.CodeNoAnswer || last.Code == snapshot.CodeEmptyAnswer)
}

// planLines shows a plan: one line a snapshot, in English with the reason, which the core has in English alone. A
// snapshot that the user may not see is an occupied slot.
func (c chat) planLines(plan []snapshot.PlanItem) []string {
	p := c.reply()
	lines := make([]string, len(plan))
	for i, item := range plan {
		if !c.sees(item) {
			lines[i] = p.say(phrases.occupied)
			continue
		}
		name := cmp.Or(item.SnapshotID, item.SnapshotName)
		lines[i] = strings.TrimSpace(p.say(phrases.planned[item.Action]) + " " + visible(name))
		if p.lang == en {
			lines[i] += ": " + visible(item.Reason)
		}
	}
	return lines
}
