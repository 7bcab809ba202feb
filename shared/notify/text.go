package notify

import (
	"cmp"
	"strings"
	"time"
	"unicode"

	"swas-snapshot/shared/snapshot"
)

// timeForm is how a message shows a time: UTC, with its zone.
const timeForm = "2006-01-02 15:04 UTC"

// headlines is the first line of a message, of the target %TARGET%.
var headlines = map[snapshot.NotificationKind]string{
	snapshot.NotifyFailed:  "A snapshot of %TARGET% failed",
	snapshot.NotifyStale:   "No fresh snapshot of %TARGET%",
	snapshot.NotifyBlocked: "No free slot for a snapshot of %TARGET%",
	snapshot.NotifyDone:    "A snapshot of %TARGET% is done",
	snapshot.NotifyDeleted: "A snapshot of %TARGET% was deleted",
}

// message returns the lines of a notification: the headline, what happened, what to do, since when, and the IDs. No
// line begins with text from users.
func message(n snapshot.Notification, now time.Time) []string {
	target := cmp.Or(Plain(n.Target), Plain(n.DiskID), "a server")
	headline := cmp.Or(headlines[n.Kind], "Notification about %TARGET%")
	lines := []string{strings.ReplaceAll(headline, "%TARGET%", target)}
	if what := Plain(n.What); what != "" {
		lines = append(lines, "What happened: "+what)
	}
	if advice := Plain(n.Advice); advice != "" {
		lines = append(lines, "What to do: "+advice)
	}
	since := n.Since.UTC().Format(timeForm)
	if n.Since.IsZero() {
		since = "unknown, noticed " + now.UTC().Format(timeForm)
	}
	lines = append(lines, "Since: "+since)
	var ids []string
	for _, id := range []struct{ label, value string }{
		{"region ", n.RegionID}, {"disk ", n.DiskID}, {"snapshot ", n.SnapshotID}, {"name ", n.SnapshotName},
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

// harmless replaces what chat programs act on in any text: mentions and links.
var harmless = strings.NewReplacer("@", "＠", "://", "[:]//", "www.", "www[.]")

// Plain returns text in one line of at most 500 characters, without control, bidirectional and invisible ones, and with
// every @, :// and www. replaced, so that no chat program makes a mention or a disguised link of it. Each form also
// replaces what its own markup acts on.
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
