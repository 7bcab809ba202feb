package snapshot

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// due is a role of a target that a sweep has to take, and what becomes of that.
type due struct {
	target Target
	role   string
	time   time.Time // of the schedule, or the minute of the timer's payload
	asked  bool      // only a timer's payload makes it due: never a reason for a replacement
	period time.Duration

	state   dueState
	why     string    // it waits or is blocked, in one sentence
	next    time.Time // of its next attempt, where it is not the next sweep
	behind  *due      // of the same disk or server, which is served first
	noSlot  bool      // its server has a free slot by the list, but the account has none
	refused bool      // the API said so
}

type dueState int

const (
	dueCreate  dueState = iota // a slot is free for it
	dueReplace                 // a slot is freed for it
	dueWait                    // it is taken by a later sweep without anything else being done
	dueBlocked                 // no slot comes free for it by itself
)

// hours is the number of whole hours since the due time: one attempt is made in each.
func (d *due) hours(now time.Time) int { return max(0, int(now.Sub(d.time)/time.Hour)) }

// nextAttempt is when the attempt after the one of this hour begins.
func (d *due) nextAttempt(now time.Time) time.Time {
	return d.time.Add(time.Duration(d.hours(now)+1) * time.Hour)
}

// order returns the order of the attempt of this hour.
func (d *due) order(now time.Time) Order {
	return Order{
		Target: d.target.Name, Role: d.role, Time: d.time, Sender: senderTimer, Key: slotKey(d.role, d.time, d.hours(now)),
	}
}

// senderTimer is the sender of due roles.
const senderTimer = "timer"

// dues returns the roles that are due in a region, in the order in which they are served: of those that one disk,
// server or account can serve only in turn, the longest period goes first, then the one due longest.
func (s *situation) dues() []*due {
	var all []*due
	for _, target := range s.targets {
		if target.DiskID == "" {
			continue
		}
		for _, slots := range target.Keep {
			var scheduled time.Time
			if slots.Schedule != nil {
				scheduled = slots.Schedule.Latest(s.now)
			}
			all = s.addDue(all, target, slots, scheduled)
		}
		if len(target.Keep) == 0 {
			for _, one := range s.asked {
				if one.target == target.Name {
					all = s.addDue(all, target, Slots{Role: one.role}, time.Time{})
				}
			}
		}
	}
	if len(all) > 1 {
		for _, d := range all {
			d.period = s.periodOf(d.target, d.role)
		}
	}
	slices.SortStableFunc(all, servedFirst)
	return all
}

// periodOf returns the period of a role's schedule, which is worked out once in a run, and only where it matters.
func (s *situation) periodOf(target Target, role string) time.Duration {
	key := target.Name + "/" + role
	known, ok := s.periods[key]
	if !ok {
		slots, _ := target.slots(role)
		known = period(slots.Schedule, s.now)
		s.periods[key] = known
	}
	return known
}

func servedFirst(a, b *due) int {
	return cmp.Or(cmp.Compare(b.period, a.period), a.time.Compare(b.time), strings.Compare(a.target.Name, b.target.Name),
		strings.Compare(a.role, b.role))
}

// addDue adds a role of a target if its latest time, or the minute of a timer's payload, has no snapshot.
func (s *situation) addDue(all []*due, target Target, slots Slots, scheduled time.Time) []*due {
	var minute time.Time
	for _, one := range s.asked {
		if one.target == target.Name && one.role == slots.Role && one.minute.After(minute) {
			minute = one.minute
		}
	}
	bySchedule := !scheduled.IsZero() && !s.satisfied(target, slots.Role, scheduled)
	byPayload := !minute.IsZero() && minute.After(scheduled) && !s.satisfied(target, slots.Role, minute)
	switch {
	case bySchedule:
		return append(all, &due{target: target, role: slots.Role, time: scheduled})
	case byPayload:
		return append(all, &due{target: target, role: slots.Role, time: minute, asked: true})
	}
	return all
}

// satisfied reports whether a snapshot of the role and disk, in progress or accomplished, belongs to at or to a later
// moment. One whose tags the API hides counts by its name.
func (s *situation) satisfied(target Target, role string, at time.Time) bool {
	for _, one := range s.byDisk[target.DiskID] {
		if !one.InProgress() && !one.Good() {
			continue
		}
		if one.role() == role && !one.belongsTo().Before(at) || !one.ours() && named(one.Name, role, target.Name, at) {
			return true
		}
	}
	return false
}

// period returns the longest gap between consecutive times of a schedule, from its latest time to the first one more
// than 366 days from now.
func period(schedule Schedule, now time.Time) time.Duration {
	if schedule == nil {
		return 0
	}
	var longest time.Duration
	last := schedule.Latest(now)
	for end := now.AddDate(0, 0, 366); !last.IsZero() && !last.After(end); {
		next := schedule.Next(last)
		if next.IsZero() {
			break
		}
		longest = max(longest, next.Sub(last))
		last = next
	}
	return longest
}
