package snapshot

import (
	"fmt"
	"strings"
	"time"
)

// The rules by which a sweep deletes are two tables. A snapshot of ours is deleted only for a reason of the first table,
// and only if no row of the second protects it.

// deletionReasons is every reason to delete a snapshot of ours, the strongest first. Each returns its text, or "".
// The third reason, replacement, stands in replacement: it depends on what is due.
var deletionReasons = []struct {
	name   string
	reason func(*situation, Target, Snapshot) string
}{
	{"failed", func(_ *situation, _ Target, one Snapshot) string {
		if one.Status != Failed {
			return ""
		}
		return "failed: it cannot restore anything"
	}},
	{"surplus", surplus},
	{"unkept role", unkept},
}

// surplus: the role is in keep, and as many newer ones exist. Pinned ones count as newer, for they hold the role's
// slots. The newest of a role is never surplus: without it the role would be due again, and be taken once an hour.
func surplus(s *situation, target Target, one Snapshot) string {
	slots, named := target.slots(one.role())
	if !named || !one.Good() {
		return ""
	}
	newer, isNewest := 0, true
	for _, other := range s.byDisk[one.DiskID] {
		if other.ID == one.ID || !other.Good() || other.role() != slots.Role {
			continue
		}
		isNewer := newestFirst(other, one) < 0
		isNewest = isNewest && !isNewer
		if isNewer || s.pinned(other) {
			newer++
		}
	}
	if newer < slots.Count || isNewest {
		return ""
	}
	return fmt.Sprintf("surplus: keep of %s is %s %d, and %d newer or pinned ones exist", target.Name, slots.Role, slots.Count, newer)
}

// unkeptAge is how long a snapshot stays whose role keep does not name.
const unkeptAge = 7 * 24 * time.Hour

// unkept: keep does not name the role, such as after a change of the policy. The snapshot stays for 7 days, and as long
// as it is the only one.
func unkept(s *situation, target Target, one Snapshot) string {
	role := one.role()
	if _, named := target.slots(role); named || len(target.Keep) == 0 || role == "" || !one.Good() || s.now.Sub(one.CreationTime) < unkeptAge {
		return ""
	}
	if !s.others(one, func(other Snapshot) bool { return true }) {
		return ""
	}
	return fmt.Sprintf("surplus: keep of %s does not name role %s, and it is older than 7 days", target.Name, role)
}

// others reports whether another accomplished snapshot of ours of the same disk matches.
func (s *situation) others(one Snapshot, match func(Snapshot) bool) bool {
	for _, other := range s.byDisk[one.DiskID] {
		if other.ID != one.ID && other.ours() && other.Good() && match(other) {
			return true
		}
	}
	return false
}

// protections is every reason never to delete a snapshot of ours, whatever speaks for it. Each returns its text, or "".
var protections = []struct {
	name   string
	reason func(*situation, Snapshot) string
}{
	{"no target", func(s *situation, one Snapshot) string {
		if _, ok := s.target(one); ok {
			return ""
		}
		return "no target of the policy has its disk"
	}},
	{"no keep", func(s *situation, one Snapshot) string {
		if target, ok := s.target(one); !ok || len(target.Keep) > 0 {
			return ""
		} else {
			return "the policy has no keep for " + target.Name
		}
	}},
	{"shared disk", func(s *situation, one Snapshot) string {
		if names := s.shared[one.DiskID]; names != nil {
			return "the targets " + strings.Join(names, " and ") + " name the same disk"
		}
		return ""
	}},
	{"in progress", func(_ *situation, one Snapshot) string {
		if one.InProgress() {
			return strings.TrimSpace("in progress " + one.Progress)
		}
		return ""
	}},
	{"unknown status", func(_ *situation, one Snapshot) string {
		if one.InProgress() || one.Good() || one.Status == Failed {
			return ""
		}
		return "its status " + Quote(string(one.Status)) + " is unknown"
	}},
	{"no date", func(_ *situation, one Snapshot) string {
		if one.CreationTime.IsZero() {
			return "its creation time is unknown"
		}
		return ""
	}},
	{"pinned", func(s *situation, one Snapshot) string { return pinReason(one, s.now) }},
	{"last accomplished", func(s *situation, one Snapshot) string {
		if one.Good() && !s.others(one, func(Snapshot) bool { return true }) {
			return "the last accomplished one of its disk"
		}
		return ""
	}},
	{"disk gone", func(s *situation, one Snapshot) string {
		if _, ok := s.disks[one.DiskID]; s.disksKnown && !ok {
			return "its disk is gone: the last copies stay"
		}
		return ""
	}},
	{"refused", func(s *situation, one Snapshot) string { return s.kept[one.ID] }},
	{"one a server", func(s *situation, one Snapshot) string {
		if s.spent[s.serverOf(one.DiskID)] {
			return "goes in a later sweep: this one deleted another snapshot of its server"
		}
		return ""
	}},
}

// protection returns why a snapshot of ours may not be deleted, or "".
func (s *situation) protection(one Snapshot) string {
	for _, row := range protections {
		if row.name == s.disabled {
			continue
		}
		if reason := row.reason(s, one); reason != "" {
			return reason
		}
	}
	return ""
}

// deletionReason returns why a snapshot of ours should be deleted, and how strong the reason is (0 is the strongest);
// "" if it should stay.
func (s *situation) deletionReason(one Snapshot) (string, int) {
	target, _ := s.target(one)
	for rank, row := range deletionReasons {
		if row.name == s.disabled {
			continue
		}
		if reason := row.reason(s, target, one); reason != "" {
			return reason, rank
		}
	}
	return "", 0
}

// replacement returns the snapshot that goes for a due role that finds no slot: the oldest accomplished one of that
// role that may go, provided that of the others of ours on its disk two are accomplished, or one that lasts longer than
// the due role's: pinned, of a role without a schedule, or of one with a longer period.
func (s *situation) replacement(d *due) (Snapshot, string, bool) {
	all := s.byDisk[d.target.DiskID]
	for i := len(all) - 1; i >= 0; i-- {
		one := all[i]
		if !one.ours() || !one.Good() || one.role() != d.role || s.protection(one) != "" {
			continue
		}
		var remain []string
		lasting := false
		for _, other := range all {
			if other.ID == one.ID || !other.ours() || !other.Good() {
				continue
			}
			slots, _ := d.target.slots(other.role())
			lasting = lasting || s.pinned(other) || slots.Schedule == nil || s.periodOf(d.target, slots.Role) > d.period
			remain = append(remain, fmt.Sprintf("%s (%s, %s old)", other.ID, other.role(), age(s.now.Sub(other.CreationTime))))
		}
		if len(remain) < 2 && !lasting && s.disabled != "others" {
			return Snapshot{}, "", false
		}
		where := "the server"
		if s.free(s.serverOf(d.target.DiskID), false) > 0 {
			where = "the account"
		}
		return one, fmt.Sprintf("replaced: role %s is due and %s has no free slot; remaining: %s", d.role, where, strings.Join(remain, ", ")), true
	}
	return Snapshot{}, "", false
}

// age returns a duration as users read it: 3d2h, 5h10m or 12m.
func age(d time.Duration) string {
	switch days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60; {
	case days > 0:
		return fmt.Sprintf("%dd%dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%dm", hours, minutes)
	default:
		return fmt.Sprintf("%dm", minutes)
	}
}

// pinForever is the value of TagKeep without an end.
const pinForever = "forever"

// pinNone is the value of TagKeep of a snapshot that was unpinned.
const pinNone = "no"

// pinReason returns why a snapshot is pinned, or "". A value that cannot be read pins, too: what a user wanted to keep
// is not deleted because of a typing error. The last day counts whole, in UTC.
func pinReason(one Snapshot, now time.Time) string {
	until, tagged := one.Tag(TagKeep)
	switch {
	case !tagged, until == "", until == pinNone:
		return ""
	case until == pinForever:
		return "pinned for ever"
	}
	day, err := time.Parse(time.DateOnly, until)
	if err != nil {
		return "pinned: its tag " + TagKeep + " is neither a date nor " + pinForever
	}
	if now.Before(day.AddDate(0, 0, 1)) {
		return "pinned until " + until
	}
	return ""
}
