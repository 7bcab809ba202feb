package snapshot

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// results answers for every target, in the order of the policy, and notifies.
func (sw *sweeping) results(ctx context.Context) []Result {
	byTarget := make(map[string][]Result)
	for _, g := range sw.regions {
		if g.err != nil {
			for _, name := range g.targets {
				target, _ := g.Policy.Target(name)
				byTarget[name] = []Result{{Target: name, RegionID: g.id, DiskID: target.DiskID, Actor: g.tick.Trigger, Error: AsError(g.err)}}
				g.notifyFailure(ctx, target, AsError(g.err))
			}
			continue
		}
		s := g.situation()
		for _, target := range s.targets {
			byTarget[target.Name] = g.answer(ctx, s, target)
		}
	}
	var all []Result
	for _, target := range sw.Policy.Targets {
		all = append(all, byTarget[target.Name]...)
	}
	return all
}

// answer is the results of one target: one for each due role, else one without a role.
func (g *regionSweep) answer(ctx context.Context, s *situation, target Target) []Result {
	var all []Result
	for _, d := range g.dues {
		if d.target.Name == target.Name {
			all = append(all, g.answerDue(s, d))
		}
	}
	bare := Result{Target: target.Name, RegionID: g.id, DiskID: target.DiskID, Actor: g.tick.Trigger}
	if bare.Error = g.problem(s, target); bare.Error != nil || len(all) == 0 {
		all = append(all, bare)
	}
	first := &all[0]
	for _, d := range g.deleted {
		if d.target.Name == target.Name {
			first.Deleted = append(first.Deleted, Deleted{d.snapshot.ID, d.snapshot.Name, d.snapshot.created(), d.reason})
		}
	}
	first.Warning = join("; ", first.Warning, strings.Join(s.warnings(target), "; "))
	if target.DiskID != "" {
		first.Slots = &SlotCount{Used: len(s.byServer[s.serverOf(target.DiskID)]), Of: SlotsPerServer}
	}
	g.report(ctx, s, target, all)
	return all
}

// answerDue is the result of one due role.
func (g *regionSweep) answerDue(s *situation, d *due) Result {
	result, tried := g.results[d]
	if !tried {
		result = Result{Target: d.target.Name, RegionID: g.id, DiskID: d.target.DiskID, Role: d.role, Actor: g.tick.Trigger}
	}
	if result.Outcome != "" || result.Error != nil {
		return result
	}
	if d.state == dueBlocked {
		result.Outcome = OutcomeBlocked
		result.Error = &Error{Code: CodeBlocked, Kind: KindConflict, Message: fmt.Sprintf(
			"role %s is due since %s, and %s (%s): delete or unpin one, or change keep in snapshots.yaml",
			d.role, g.Policy.local(d.time), d.why, s.occupants(s.serverOf(d.target.DiskID)))}
		result.Plan = s.show(d.target).Items
		return result
	}
	next := d.next
	slots, _ := d.target.slots(d.role)
	switch {
	case d.asked && slots.Schedule != nil: // no later sweep knows of the tick
		next = slots.Schedule.Next(g.now())
	case next.IsZero():
		next = g.nextSweep()
	}
	result.Outcome = OutcomeDeferred
	result.Warning = fmt.Sprintf("%s; the next attempt is at %s", d.why, g.Policy.local(next))
	if slots.Schedule == nil { // no later sweep takes it
		code := CodeBlocked
		if _, running := inProgress(s.byDisk[d.target.DiskID]); running {
			code = CodeCreatingSnapshot
		}
		result.Warning = ""
		result.Error = &Error{Code: code, Kind: KindUnavailable, Retryable: true, Message: fmt.Sprintf(
			"%s, and role %s has no schedule, so only a retry of this tick or the next one takes it: give the role a schedule in snapshots.yaml",
			d.why, d.role)}
	}
	return result
}

// problem is what keeps a sweep from bringing a target to what the policy says, besides its due roles.
func (g *regionSweep) problem(s *situation, target Target) *Error {
	if target.DiskID == "" {
		if g.failed != nil {
			return AsError(g.failed)
		}
		return &Error{Code: CodeDiskGone, Kind: KindUnknown, Message: fmt.Sprintf(
			"instance: region %s has no server %s with a system disk: it was released, or its ID or region in snapshots.yaml is wrong",
			g.id, Quote(target.InstanceID))}
	}
	if gone := s.diskGone(target); gone != nil {
		return gone
	}
	if names := s.shared[target.DiskID]; names != nil {
		return &Error{Code: CodeSharedDisk, Kind: KindConfig, Message: "the targets " + strings.Join(names, " and ") + " name the same disk " +
			target.DiskID + ": make one target of them, with the roles of all"}
	}
	for _, one := range s.byDisk[target.DiskID] {
		if s.stuck(one) {
			return &Error{Code: CodeStuck, Kind: KindUpstream, Message: fmt.Sprintf(
				"%s has been in progress since %s, and a snapshot takes 10 to 30 minutes: look at it in the console; nothing of the disk is taken until it ends",
				one.ID, g.Policy.local(one.CreationTime))}
		}
	}
	if g.failed != nil && len(target.Keep) > 0 {
		return AsError(g.failed)
	}
	return nil
}

// condition is something that a sweep notifies when it begins, and then daily.
type condition struct {
	kind     NotificationKind
	name     string    // identifies it among those of the target
	begin    time.Time // zero: the lists do not tell, so it is notified by each process that sees it
	once     bool      // not daily
	snapshot Snapshot
	what     string
	advice   string
}

// doneAge is when an accomplished snapshot is notified: a snapshot takes 10 to 30 minutes, and the sweep after that sees
// it. Its true end is in no list.
const doneAge = 40 * time.Minute

// report notifies what a sweep saw of a target and did to it.
func (g *regionSweep) report(ctx context.Context, s *situation, target Target, results []Result) {
	for _, d := range g.deleted {
		if d.target.Name == target.Name {
			g.reportDeletion(ctx, d)
		}
	}
	for _, result := range results {
		if result.Error != nil && result.Outcome == "" && result.Error.Code != CodeStuck {
			g.notifyFailure(ctx, target, result.Error)
		}
	}
	window := g.window()
	for _, c := range g.conditions(s, target) {
		key := string(c.kind) + ":" + target.Name + ":" + c.name
		switch {
		case c.begin.IsZero():
			key += "@" + window.end.In(g.Policy.location()).Format(time.DateOnly)
		case window.holds(c.begin):
			key += "@" + c.begin.UTC().Format(time.RFC3339)
		case window.holds(window.midnight) && !c.once && c.begin.Before(window.end):
			key += "@" + window.midnight.Format(time.DateOnly)
		default:
			continue
		}
		g.notify(ctx, Notification{
			Kind: c.kind, Target: target.Name, RegionID: g.id, DiskID: target.DiskID, SnapshotID: c.snapshot.ID,
			SnapshotName: c.snapshot.Name, What: c.what, Advice: c.advice, Since: c.begin, Key: key,
		})
	}
}

// window is the ten minutes up to a tick, and the local midnight before its end.
type window struct{ begin, end, midnight time.Time }

func (sw *sweeping) window() window {
	end := sw.tick.Time
	if end.IsZero() {
		end = sw.now()
	}
	end = end.Truncate(sweepEvery)
	year, month, day := end.In(sw.Policy.location()).Date()
	return window{end.Add(-sweepEvery), end, time.Date(year, month, day, 0, 0, 0, 0, sw.Policy.location())}
}

func (w window) holds(t time.Time) bool { return t.After(w.begin) && !t.After(w.end) }

// conditions is what holds of a target now.
func (g *regionSweep) conditions(s *situation, target Target) []condition {
	if target.DiskID == "" {
		return nil
	}
	var all []condition
	newest, exists := s.newestGood(target.DiskID)
	_, running := inProgress(s.byDisk[target.DiskID])
	if target.MaxAge > 0 && (exists && s.now.Sub(newest.CreationTime) >= target.MaxAge || !exists && !running) {
		c := condition{kind: NotifyStale, name: newest.ID, snapshot: newest, what: "there is no accomplished snapshot yet",
			advice: "look at the result of the last sweep in the log of the timer function"}
		if exists {
			c.begin = newest.CreationTime.Add(target.MaxAge)
			c.what = fmt.Sprintf("no accomplished snapshot is younger than %s; the newest is %s, %s old", age(target.MaxAge), newest.ID, age(s.now.Sub(newest.CreationTime)))
		}
		all = append(all, c)
	}
	for _, d := range g.dues {
		if d.target.Name == target.Name {
			all = append(all, g.conditionsOfDue(s, d)...)
		}
	}
	for _, one := range s.byDisk[target.DiskID] {
		all = append(all, g.conditionsOf(s, one)...)
	}
	if effect := s.pinEffect(target); effect != "" {
		all = append(all, condition{kind: NotifyBlocked, name: "pins", what: effect, advice: "unpin a snapshot, or delete one that is not ours"})
	}
	for _, text := range s.warnings(target) {
		all = append(all, condition{kind: NotifyFailed, name: digest(text)[:8], what: text})
	}
	return all
}

// conditionsOfDue is what holds of a due role that was not taken.
func (g *regionSweep) conditionsOfDue(s *situation, d *due) []condition {
	blocked := condition{kind: NotifyBlocked, name: d.role, begin: d.time,
		what:   fmt.Sprintf("role %s is due since %s, and %s", d.role, g.Policy.local(d.time), d.why),
		advice: "delete or unpin one of these, or change keep in snapshots.yaml: " + s.occupants(s.serverOf(d.target.DiskID))}
	switch {
	case g.results[d].Outcome != "" || g.results[d].Error != nil:
		return nil
	case d.state == dueBlocked:
		if all := s.byServer[s.serverOf(d.target.DiskID)]; len(all) > 0 && all[0].CreationTime.After(blocked.begin) {
			blocked.begin = all[0].CreationTime
		}
		return []condition{blocked}
	case d.refused && s.now.Sub(d.time) >= time.Hour:
		blocked.begin = d.time.Add(time.Hour)
		return []condition{blocked}
	case !d.next.IsZero():
		// Its hour began before any sweep can find the attempt used up, so the last sweep of the hour notifies it.
		return []condition{{kind: NotifyFailed, name: d.role, begin: d.next.Add(-sweepEvery), once: true,
			what: fmt.Sprintf("%s; role %s is taken again at %s", d.why, d.role, g.Policy.local(d.next))}}
	}
	return nil
}

// conditionsOf is what holds of one snapshot.
func (g *regionSweep) conditionsOf(s *situation, one Snapshot) []condition {
	switch {
	case s.stuck(one):
		return []condition{{kind: NotifyFailed, name: one.ID, begin: one.CreationTime.Add(stuckAge), snapshot: one,
			what: one.ID + " is still in progress after " + age(stuckAge), advice: "look at it in the console; nothing of the disk is taken until it ends"}}
	case s.kept[one.ID] != "":
		return []condition{{kind: NotifyFailed, name: one.ID, snapshot: one, what: one.ID + " should be deleted, and " + s.kept[one.ID],
			advice: "delete its custom image, or pin the snapshot"}}
	case one.ours() && one.Status == Failed && !s.spent[s.serverOf(one.DiskID)] && s.protection(one) != "":
		return []condition{{kind: NotifyFailed, name: one.ID, snapshot: one, what: one.ID + " failed and stays: " + s.protection(one),
			advice: "it occupies a slot: delete it in the console" + joinedOrders(one)}}
	case one.ours() && one.Good():
		return []condition{{kind: NotifyDone, name: one.ID, begin: one.CreationTime.Add(doneAge), once: true, snapshot: one, what: one.ID + " is accomplished"}}
	}
	return nil
}

// reportDeletion notifies a deletion, and that a snapshot failed, with every order that waited for it.
func (g *regionSweep) reportDeletion(ctx context.Context, d deletion) {
	n := Notification{Kind: NotifyDeleted, Target: d.target.Name, RegionID: g.id, DiskID: d.snapshot.DiskID, SnapshotID: d.snapshot.ID,
		SnapshotName: d.snapshot.Name, What: d.snapshot.ID + " was deleted: " + d.reason, Since: d.snapshot.CreationTime, Key: "deleted:" + d.snapshot.ID}
	g.notify(ctx, n)
	if d.failed {
		n.Kind, n.Key = NotifyFailed, "failed:"+d.snapshot.ID
		n.What = d.snapshot.ID + " (" + d.snapshot.role() + ") failed and was deleted" + joinedOrders(d.snapshot)
		n.Advice = "a scheduled role is taken again within the hour; an order needs a new key; if the next one fails, too, look at the disk in the console"
		g.notify(ctx, n)
	}
}

// joinedOrders names the orders that a failed snapshot was taken for.
func joinedOrders(one Snapshot) string {
	orders := []string{one.meta().role + " from " + one.meta().trigger}
	for _, tag := range one.Tags {
		if m, ok := parseMeta(tag.Value); ok && strings.HasPrefix(tag.Key, tagJoined) {
			orders = append(orders, m.role+" from "+m.trigger)
		}
	}
	if len(orders) == 1 {
		return ""
	}
	return fmt.Sprintf("; %d orders waited for it: %s", len(orders), strings.Join(orders, ", "))
}

// notifyFailure notifies that the sweep of a target failed. A process does so once a day for each code.
func (sw *sweeping) notifyFailure(ctx context.Context, target Target, err *Error) {
	sw.notify(ctx, Notification{
		Kind: NotifyFailed, Target: target.Name, RegionID: sw.regionOf(target), DiskID: target.DiskID,
		What: "the sweep of this target failed: " + err.Code, Advice: err.Message, Since: sw.now(),
		Key: "sweep:" + target.Name + ":" + err.Code + "@" + sw.window().end.In(sw.Policy.location()).Format(time.DateOnly),
	})
}
