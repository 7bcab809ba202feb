package notify

import (
	"cmp"
	"strings"
	"time"
	"unicode"

	"swas-snapshot/shared/snapshot"
)

// timeForm is how people read a time: UTC, with its zone.
const timeForm = "2006-01-02 15:04 UTC"

// headlines say what happened to a target, %TARGET%, in a few words.
var headlines = map[snapshot.NotificationKind]string{
	snapshot.NotifyFailed:  "A snapshot of %TARGET% failed",
	snapshot.NotifyStale:   "No fresh snapshot of %TARGET%",
	snapshot.NotifyBlocked: "No free slot for a snapshot of %TARGET%",
	snapshot.NotifyDone:    "A snapshot of %TARGET% is done",
	snapshot.NotifyDeleted: "A snapshot of %TARGET% was deleted",
}

// wording tells a fact in lines of plain text: which server, what happened, what to do, since when, and the IDs. A line
// never begins with what comes from people.
func wording(fact snapshot.Notification, now time.Time) []string {
	target := cmp.Or(Plain(fact.Target), Plain(fact.DiskID), "a server")
	headline := cmp.Or(headlines[fact.Kind], "News of %TARGET%")
	lines := []string{strings.ReplaceAll(headline, "%TARGET%", target)}
	if what := Plain(fact.What); what != "" {
		lines = append(lines, "What happened: "+what)
	}
	if mend := Plain(fact.Advice); mend != "" {
		lines = append(lines, "What to do: "+mend)
	}
	since := fact.Since.UTC().Format(timeForm)
	if fact.Since.IsZero() {
		since = "unknown, noticed " + now.UTC().Format(timeForm)
	}
	lines = append(lines, "Since: "+since)
	var ids []string
	for _, id := range []struct{ label, value string }{
		{"region ", fact.RegionID}, {"disk ", fact.DiskID}, {"snapshot ", fact.SnapshotID}, {"name ", fact.SnapshotName},
	} {
		if value := Plain(id.value); value != "" {
			ids = append(ids, id.label+value)
		}
	}
	if len(ids) > 0 {
		lines = append(lines, "Where: "+strings.Join(ids, ", "))
	}
	return lines
}

// plainMax is the number of characters that [Plain] leaves of a text.
const plainMax = 500

// harmless takes the meaning from what chat programs act on in any text: mentions and links.
var harmless = strings.NewReplacer("@", "＠", "://", "[:]//", "www.", "www[.]")

// Plain returns text in one line of at most 500 characters, without control, bidirectional and invisible ones, and with
// every @, :// and www. replaced, so that no chat program makes a mention or a disguised link of it. What a program's own
// markup acts on beside these, each form replaces itself.
func Plain(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	text = harmless.Replace(strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > plainMax {
		text = string(runes[:plainMax-1]) + "…"
	}
	return text
}
