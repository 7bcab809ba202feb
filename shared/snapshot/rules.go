package snapshot

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// rule is one reason to keep a snapshot. It returns the reason, or "" to give the snapshot up.
type rule func(s *situation, one Snapshot) string

// rules is every reason to keep a snapshot, the strongest first. A snapshot may be deleted only if all of them give
// it up; whether it is ours at all is asked before.
var rules = []rule{
	keepUntargeted,
	keepInProgress,
	keepUndated,
	keepPinned,
	keepNewestGood,
	keepFresh,
	keepWithinCount,
	keepOfGoneDisk,
	keepOnePerServer,
}

func keepUntargeted(s *situation, one Snapshot) string {
	if _, ok := s.targetOf(one); !ok {
		return "no target of the policy has its disk"
	}
	return ""
}

func keepInProgress(_ *situation, one Snapshot) string {
	switch one.Status {
	case Accomplished, Failed:
		return ""
	case Progressing:
		return strings.TrimSpace("in progress " + one.Progress)
	default:
		return fmt.Sprintf("its status %s is unknown", quote(string(one.Status)))
	}
}

func keepUndated(_ *situation, one Snapshot) string {
	if one.CreationTime.IsZero() {
		return "its creation time is unknown"
	}
	return ""
}

func keepPinned(s *situation, one Snapshot) string { return s.pin(one) }

func keepNewestGood(s *situation, one Snapshot) string {
	if newest, ok := s.newestGood(one.DiskID); ok && newest.ID == one.ID {
		return "the newest good snapshot of this disk"
	}
	return ""
}

func keepFresh(s *situation, one Snapshot) string {
	if s.fresh[one.ID] {
		return "taken in this run"
	}
	return ""
}

func keepWithinCount(s *situation, one Snapshot) string {
	target, _ := s.targetOf(one)
	role := one.role()
	count, named := target.slots(role)
	switch {
	case len(target.Keep) == 0:
		return "the policy has no keep for " + cmp.Or(target.Name, one.DiskID)
	case one.Status == Failed:
		return "" // it protects nothing and occupies a slot
	case role == "":
		return "its tag " + TagMeta + " cannot be read"
	case !named:
		return fmt.Sprintf("the policy has no slots for role %s of %s", role, target.Name)
	}
	if place := s.place(target, one); place <= count {
		return fmt.Sprintf("%s %d of %d", role, place, count)
	}
	return ""
}

func keepOfGoneDisk(s *situation, one Snapshot) string {
	if !s.disksKnown && s.alive != one.DiskID {
		return "the disks of the region are not known"
	}
	if !s.disksKnown {
		return ""
	}
	if _, ok := s.disk(one.DiskID); !ok {
		return "its disk is gone: the last copies stay"
	}
	return ""
}

func keepOnePerServer(s *situation, one Snapshot) string {
	if s.deleted[s.server(one.DiskID)] {
		return goesLater
	}
	return ""
}

const goesLater = "goes in a later run: this one deletes another snapshot of its server"

// overReason says why a snapshot that every rule gives up goes.
func (s *situation) overReason(one Snapshot) string {
	if one.Status == Failed {
		return "failed: it cannot restore anything"
	}
	target, _ := s.targetOf(one)
	count, _ := target.slots(one.role())
	return fmt.Sprintf("%s %d of %d: over the count", one.role(), s.place(target, one), count)
}

// pinForever is the value of TagKeep without an end.
const pinForever = "forever"

// pinNone is the value of TagKeep of a snapshot that was unpinned.
const pinNone = "no"

// pinned returns why a snapshot is pinned, or "". A value that cannot be read pins, too: what somebody wanted to keep
// is not deleted because of a typing error. The last day counts whole, in UTC.
func pinned(one Snapshot, now time.Time) string {
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
