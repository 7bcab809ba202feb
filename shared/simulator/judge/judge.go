// Package judge checks that what a deployment does to the simulated account is allowed.
//
// It shares no code with the core that it judges, and reads only the simulator's true state at the moment of each
// deletion and creation. What lists showed to the deployment counts in one way: a snapshot that an operator deleted may
// be taken for existing as long as a list shows it, and for a second after that.
package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/simulator"
)

// Tags of the project's contract.
const (
	tagToken  = "swas-snapshot/token"
	tagMeta   = "swas-snapshot/meta"
	tagKeep   = "swas-snapshot/keep"
	tagJoined = "swas-snapshot/joined-"
)

// Limits of the contract.
const (
	slotsPerServer = 3
	unkeptAge      = 7 * 24 * time.Hour
	listAge        = time.Second // what an operator did later than this before a deletion, the deletion need not know
)

// Times is a schedule: each period, shifted by an offset from the beginning of the year 2000. The zero value is none.
type Times struct{ Period, Offset time.Duration }

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Latest returns the latest time that is not after t.
func (s Times) Latest(t time.Time) time.Time {
	since := t.Sub(epoch.Add(s.Offset))
	n := since / s.Period
	if since%s.Period < 0 {
		n--
	}
	return epoch.Add(s.Offset).Add(n * s.Period)
}

// Role is how many snapshots of a role are kept, and when the role is due.
type Role struct {
	Name  string
	Count int
	Times Times
}

// Target is a disk that a policy names. Without roles nothing of it may be deleted.
type Target struct {
	Name, Disk, Server, Region string
	Roles                      []Role
}

// Policy is the targets of one deployment.
type Policy []Target

// State is the account as it truly is.
type State struct {
	At        time.Time
	Snapshots []simulator.Snapshot
	Limit     int             // snapshots of the account at most
	Gone      map[string]bool // disks that were removed
	NoDate    map[string]bool // snapshots that lists show without a creation time

	// Skew is by how much the clock of a process may be off.
	Skew time.Duration

	// Recent is what an operator deleted and the deployment could not know yet.
	Recent []simulator.Snapshot
	// Shown is what another sweep deleted and a list still shows: it may be taken for occupying a slot.
	Shown []simulator.Snapshot
	// Listed is what the latest lists showed. One that they did not show may be taken into a slot that seems occupied.
	Listed map[string]bool
	// Sent is when the call was sent; what an operator tagged later than a second before it counts either way.
	Sent time.Time
}

// Reason is why a deletion is allowed.
type Reason string

// The reasons.
const (
	Failed             Reason = "failed"
	Surplus            Reason = "surplus"
	Unkept             Reason = "unkept role"
	Replacement        Reason = "replacement"
	AccountReplacement Reason = "replacement for the account"
)

// tags returns the tags of a snapshot as the deployment may have seen them: those of now and of a second ago.
func (s State) tags(one simulator.Snapshot) [2][]simulator.Tag {
	return [2][]simulator.Tag{one.Tags, one.TagsAt(s.Sent.Add(-listAge))}
}

func tag(tags []simulator.Tag, key string) (string, bool) {
	i := slices.IndexFunc(tags, func(t simulator.Tag) bool { return t.Key == key })
	if i < 0 {
		return "", false
	}
	return tags[i].Value, true
}

func ours(tags []simulator.Tag) bool {
	token, _ := tag(tags, tagToken)
	_, ok := tag(tags, tagMeta)
	return ok && token != ""
}

// mayBeOurs reports whether the deployment may take a snapshot for its own.
func (s State) mayBeOurs(one simulator.Snapshot) bool {
	all := s.tags(one)
	return ours(all[0]) || ours(all[1])
}

func roleIn(tags []simulator.Tag) string {
	text, _ := tag(tags, tagMeta)
	name, _, _ := strings.Cut(text, "/")
	if parts := strings.Count(text, "/"); parts != 2 && parts != 3 {
		return ""
	}
	return name
}

// roleOf returns the role of a snapshot of ours; "" if it is foreign.
func (s State) roleOf(one simulator.Snapshot) string {
	for _, tags := range s.tags(one) {
		if ours(tags) {
			return roleIn(tags)
		}
	}
	return ""
}

// surely reports whether the deployment must know that a snapshot is ours and of a role.
func (s State) surely(one simulator.Snapshot, role string) bool {
	all := s.tags(one)
	return ours(all[0]) && ours(all[1]) && roleIn(all[0]) == role && roleIn(all[1]) == role
}

func pinned(tags []simulator.Tag, at time.Time) bool {
	until, ok := tag(tags, tagKeep)
	if !ok || until == "" || until == "no" {
		return false
	}
	day, err := time.Parse(time.DateOnly, until)
	return err != nil || at.Before(day.AddDate(0, 0, 1))
}

// mayBePinned reports whether the deployment may take a snapshot for pinned.
func (s State) mayBePinned(one simulator.Snapshot) bool {
	at := s.At.Add(-s.Skew)
	return pinned(one.Tags, at) || s.ever(one, func(tags []simulator.Tag) bool { return pinned(tags, at) })
}

// ever reports whether the tags of a snapshot had a property in the time that the latest list may show: it may have
// been pinned, or unpinned, for a moment only.
func (s State) ever(one simulator.Snapshot, has func([]simulator.Tag) bool) bool {
	for age := time.Duration(0); age <= listAge; age += listAge / 40 {
		if has(one.TagsAt(s.Sent.Add(-age))) {
			return true
		}
	}
	return false
}

// isPinned reports whether the deployment must know that a snapshot is pinned.
func (s State) isPinned(one simulator.Snapshot) bool {
	at := s.At.Add(s.Skew)
	return pinned(one.Tags, at) && !s.ever(one, func(tags []simulator.Tag) bool { return !pinned(tags, at) })
}

// created returns when a snapshot was taken, as lists show it.
func (s State) created(one simulator.Snapshot) time.Time {
	if s.NoDate[one.ID] {
		return time.Time{}
	}
	return one.CreationTime.Truncate(time.Second)
}

// good returns the accomplished snapshots of ours of a disk but one, with those that an operator deleted just now.
func (s State) good(disk, except string) []simulator.Snapshot {
	var all []simulator.Snapshot
	for _, list := range [][]simulator.Snapshot{s.Snapshots, s.Recent} {
		for _, one := range list {
			if one.ID != except && one.DiskID == disk && one.Status == simulator.Accomplished && s.mayBeOurs(one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// target returns the target of a disk, and how many targets name it.
func (p Policy) target(disk string) (Target, int) {
	var found Target
	n := 0
	for _, t := range p {
		if t.Disk == disk {
			if n++; n == 1 {
				found = t
			}
		}
	}
	return found, n
}

func (t Target) role(name string) (Role, bool) {
	i := slices.IndexFunc(t.Roles, func(r Role) bool { return r.Name == name })
	if i < 0 {
		return Role{}, false
	}
	return t.Roles[i], true
}

// Deletion returns why a snapshot may be deleted, or an error that says why it may not. s.Snapshots holds the others.
func (p Policy) Deletion(s State, victim simulator.Snapshot) (Reason, error) {
	target, names := p.target(victim.DiskID)
	switch {
	case names == 0:
		return "", fmt.Errorf("no target has its disk")
	case names > 1:
		return "", fmt.Errorf("%d targets name its disk", names)
	case len(target.Roles) == 0:
		return "", fmt.Errorf("its target has no keep")
	case s.Gone[victim.DiskID]:
		return "", fmt.Errorf("its disk is gone")
	case !s.mayBeOurs(victim):
		return "", fmt.Errorf("it is foreign")
	case s.isPinned(victim):
		return "", fmt.Errorf("it is pinned")
	case victim.Status == simulator.Progressing:
		return "", fmt.Errorf("it is in progress")
	case victim.Status == simulator.Failed:
		return Failed, nil
	case victim.Status != simulator.Accomplished:
		return "", fmt.Errorf("its status is unknown")
	case s.NoDate[victim.ID]:
		return "", fmt.Errorf("its date is unknown")
	case len(s.good(victim.DiskID, victim.ID)) == 0:
		return "", fmt.Errorf("it is the last accomplished one of its disk")
	}
	kept, named := target.role(s.roleOf(victim))
	if !named {
		if s.At.Add(s.Skew).Sub(victim.CreationTime) < unkeptAge {
			return "", fmt.Errorf("its role is not kept, and it is not 7 days old")
		}
		return Unkept, nil
	}
	if s.newer(victim, kept.Name) >= kept.Count {
		return Surplus, nil
	}
	return p.replacement(s, victim, target, kept)
}

// newer counts the snapshots of the victim's disk and role that are newer or pinned.
func (s State) newer(victim simulator.Snapshot, role string) int {
	n := 0
	for _, one := range s.good(victim.DiskID, victim.ID) {
		if s.roleOf(one) == role && (!s.created(one).Before(s.created(victim)) || s.mayBePinned(one)) {
			n++
		}
	}
	return n
}

// replacement judges a deletion of a snapshot within its role's count.
func (p Policy) replacement(s State, victim simulator.Snapshot, target Target, kept Role) (Reason, error) {
	if !s.due(target, kept, victim) {
		return "", fmt.Errorf("it is within the count of its role, and the role is not due")
	}
	onServer, inAccount := 1, 1
	for _, list := range [][]simulator.Snapshot{s.Snapshots, s.Recent, s.Shown} {
		for _, one := range list {
			if one.InstanceID == victim.InstanceID {
				onServer++
			}
			if p.sees(one) {
				inAccount++
			}
		}
	}
	reason := Replacement
	if onServer < slotsPerServer {
		if reason = AccountReplacement; inAccount < s.Limit {
			return "", fmt.Errorf("it is within the count of its role, which is due, and a slot is free")
		}
	}
	for _, one := range s.Snapshots {
		if one.InstanceID != victim.InstanceID && reason == Replacement {
			continue
		}
		if one.Status == simulator.Progressing && !s.hid(one) {
			return "", fmt.Errorf("it is replaced while %s is in progress", one.ID)
		}
		if one.ImageID == "" && p.mustGo(s, one, victim) {
			return "", fmt.Errorf("it is replaced although %s can be deleted", one.ID)
		}
	}
	var lasting bool
	others := s.good(victim.DiskID, victim.ID)
	for _, one := range others {
		other, _ := target.role(s.roleOf(one))
		lasting = lasting || s.mayBePinned(one) || other.Times.Period == 0 || other.Times.Period > kept.Times.Period
		isOlder := s.surely(one, kept.Name) && s.created(one).Before(s.created(victim))
		if isOlder && !s.mayBePinned(one) && one.ImageID == "" && !s.NoDate[one.ID] {
			return "", fmt.Errorf("it is replaced although %s is older", one.ID)
		}
	}
	if len(others) < 2 && !lasting {
		return "", fmt.Errorf("it is replaced, and of the %d others none lasts longer than role %s", len(others), kept.Name)
	}
	return reason, nil
}

// sees reports whether the deployment lists the region of a snapshot.
func (p Policy) sees(one simulator.Snapshot) bool {
	return slices.ContainsFunc(p, func(t Target) bool { return t.Region == one.RegionID })
}

// mustGo reports whether another snapshot than the victim is failed or surplus beyond doubt.
func (p Policy) mustGo(s State, one, victim simulator.Snapshot) bool {
	if now := s.tags(one); !ours(now[0]) || !ours(now[1]) || s.mayBePinned(one) {
		return false
	}
	target, names := p.target(one.DiskID)
	if names != 1 || len(target.Roles) == 0 || s.Gone[one.DiskID] || s.NoDate[one.ID] {
		return false
	}
	if one.Status != simulator.Accomplished {
		return one.Status == simulator.Failed
	}
	kept, named := target.role(s.roleOf(one))
	others, newer, isNewest := 0, 0, true
	for _, other := range append([]simulator.Snapshot{victim}, s.Snapshots...) {
		if other.ID == one.ID || other.DiskID != one.DiskID || other.Status != simulator.Accomplished ||
			!s.surely(other, s.roleOf(other)) {
			continue
		}
		others++
		if s.roleOf(other) == kept.Name {
			isNewer := s.created(other).After(s.created(one))
			isNewest = isNewest && !isNewer
			if isNewer || s.isPinned(other) {
				newer++
			}
		}
	}
	if !named {
		return s.roleOf(one) != "" && s.At.Add(-s.Skew).Sub(one.CreationTime) >= unkeptAge && others > 0
	}
	return !isNewest && newer >= kept.Count
}

// due reports whether a role is due by its schedule for a clock that is not off by more than Skew. victim is one of
// the snapshots, too.
func (s State) due(target Target, kept Role, victim simulator.Snapshot) bool {
	if kept.Times.Period == 0 {
		return false
	}
	for _, skew := range []time.Duration{-s.Skew, 0, s.Skew} {
		at := kept.Times.Latest(s.At.Add(skew))
		if !slices.ContainsFunc(append([]simulator.Snapshot{victim}, s.Snapshots...), func(one simulator.Snapshot) bool {
			return !s.hid(one) && s.satisfies(one, target, kept.Name, at)
		}) {
			return true
		}
	}
	return false
}

// hid reports whether the latest list did not show a snapshot that is being taken, and showed others that are gone.
func (s State) hid(one simulator.Snapshot) bool {
	return one.Status == simulator.Progressing && !s.Listed[one.ID] && len(s.Recent)+len(s.Shown) > 0
}

// satisfies reports whether a snapshot belongs, beyond doubt, to a time of a role, or to a later one.
func (s State) satisfies(one simulator.Snapshot, target Target, role string, at time.Time) bool {
	if one.DiskID != target.Disk || one.Status != simulator.Progressing && one.Status != simulator.Accomplished {
		return false
	}
	if !s.surely(one, role) {
		return false
	}
	return !s.created(one).Before(at) || !nameTime(one).Before(at)
}

// nameTime returns the minute in a name that ends in its token's 8 characters; else the zero time.
func nameTime(one simulator.Snapshot) time.Time {
	token, _ := tag(one.Tags, tagToken)
	const form = "20060102T1504"
	if rest, ok := strings.CutPrefix(token, "sn1-"); ok && len(rest) >= 8 {
		if head, ok := strings.CutSuffix(one.Name, "-"+rest[:8]); ok && len(head) >= len(form) {
			at, _ := time.Parse(form, head[len(head)-len(form):])
			return at
		}
	}
	return time.Time{}
}

// Open returns everything that sweeps have to do before the account is as the policy says. What finds no slot and may
// not replace anything is not among it.
func (p Policy) Open(s State) []string {
	var all []string
	for _, one := range s.Snapshots {
		if one.ImageID == "" && p.mustGo(s, one, simulator.Snapshot{}) {
			all = append(all, "delete "+one.ID)
		}
	}
	for _, t := range p {
		_, names := p.target(t.Disk)
		for _, r := range t.Roles {
			if names == 1 && s.due(t, r, simulator.Snapshot{}) && !s.hidden(t, r) && !s.Gone[t.Disk] && p.servable(s, t, r) {
				all = append(all, "take "+r.Name+" of "+t.Name)
			}
		}
	}
	return all
}

// hidden reports whether a snapshot without our tags has the name of one that the due role would get.
func (s State) hidden(t Target, r Role) bool {
	return slices.ContainsFunc(s.Snapshots, func(one simulator.Snapshot) bool {
		return one.DiskID == t.Disk && !s.mayBeOurs(one) && strings.HasPrefix(one.Name, r.Name+"-"+t.Name+"-")
	})
}

// servable reports whether a due role finds a slot, or may replace a snapshot.
func (p Policy) servable(s State, t Target, r Role) bool {
	onServer := 0
	for _, one := range s.Snapshots {
		if one.InstanceID != t.Server {
			continue
		}
		if onServer++; s.Gone[one.DiskID] {
			return false // no list shows on which server it is, so the server may seem to have a free slot
		}
	}
	if onServer < slotsPerServer && len(s.Snapshots) < s.Limit {
		return true
	}
	for i, one := range s.Snapshots {
		if one.DiskID != t.Disk || s.roleOf(one) != r.Name || one.ImageID != "" {
			continue
		}
		with := s
		with.Snapshots = slices.Delete(slices.Clone(s.Snapshots), i, i+1)
		// What only may count as surplus, such as the newest of a role of which a pinned one is older, is not replaced.
		if reason, err := p.Deletion(with, one); err == nil && (reason == Replacement || reason == AccountReplacement) {
			return true
		}
	}
	return false
}

// Work returns, for the server with the most, how many snapshots sweeps have to delete and take. Where the account has
// no free slot, all servers count as one.
func (p Policy) Work(s State) int {
	work := make(map[string]int)
	for _, one := range s.Snapshots {
		if p.mustGo(s, one, simulator.Snapshot{}) {
			work[one.InstanceID]++
		}
	}
	for _, t := range p {
		first, _ := p.target(t.Disk)
		for _, r := range t.Roles {
			if t.Name == first.Name && !s.Gone[t.Disk] && s.due(t, r, simulator.Snapshot{}) {
				work[t.Server]++
			}
		}
	}
	most, sum := 0, 0
	for _, n := range work {
		most, sum = max(most, n), sum+n
	}
	if len(s.Snapshots)+sum >= s.Limit {
		return sum
	}
	return most
}
