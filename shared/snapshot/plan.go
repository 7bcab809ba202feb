package snapshot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// regionPlan is what a sweep does in one region: a pure function of a situation.
type regionPlan struct {
	deletions []deletion // at most one a server, in the order in which they are made
	dues      []*due     // in the order in which they are served
}

// deletion is one snapshot that goes.
type deletion struct {
	snapshot Snapshot
	target   Target
	server   string
	reason   string
	failed   bool
	forDue   *due // replacement: who gets the slot; nil: none is waiting for it
}

// plan makes the plan of a region. possible counts every snapshot whose server is not known as possibly being on each
// server: such a plan only says whether the list of disks is needed.
func (s *situation) plan(possible bool) regionPlan {
	var p regionPlan
	deletes := make(map[string]bool)
	for _, server := range s.servers() {
		if d, ok := s.surplusOf(server); ok {
			p.deletions = append(p.deletions, d)
			deletes[server] = true
		}
	}
	p.dues = s.dues()
	free, busy := make(map[string]int), make(map[string]*due) // busy: by disk and by server, who is served before
	for _, d := range p.dues {
		server := s.serverOf(d.target.DiskID)
		if _, counted := free[server]; !counted {
			free[server] = s.free(server, possible)
			if deletes[server] {
				free[server]++
			}
		}
		s.serve(d, server, free, busy, deletes, possible, &p)
	}
	return p
}

// servers returns the servers with snapshots, in a fixed order.
func (s *situation) servers() []string {
	names := make([]string, 0, len(s.byServer))
	for name := range s.byServer {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// surplusOf returns the snapshot of a server that a sweep deletes because it failed or is surplus: failed ones first,
// then the oldest.
func (s *situation) surplusOf(server string) (deletion, bool) {
	var best deletion
	found, strongest := false, 0
	all := s.byServer[server]
	for i := len(all) - 1; i >= 0; i-- {
		one := all[i]
		if !one.ours() || s.protection(one) != "" {
			continue
		}
		reason, rank := s.deletionReason(one)
		if reason == "" || found && rank >= strongest {
			continue
		}
		target, _ := s.target(one)
		best, found, strongest = deletion{snapshot: one, target: target, server: server, reason: reason, failed: one.Status == Failed}, true, rank
	}
	return best, found
}

// serve decides what becomes of one due role.
func (s *situation) serve(d *due, server string, free map[string]int, busy map[string]*due, deletes map[string]bool, possible bool, p *regionPlan) {
	if s.attemptUsedUp(d) {
		d.state, d.next = dueWait, d.nextAttempt(s.now)
		d.why = "the attempt of this hour failed"
		return
	}
	if running, ok := inProgress(s.byDisk[d.target.DiskID]); ok || busy[d.target.DiskID] != nil {
		d.behind = busy[d.target.DiskID]
		d.state, d.why = dueWait, "another snapshot of the disk is in progress"
		if ok {
			d.why = running.ID + " of the disk is in progress"
		}
		return
	}
	if free[server] > 0 {
		free[server]--
		busy[d.target.DiskID], busy[server] = d, d
		return
	}
	d.behind = busy[server] // it gets the slot if that one cannot be taken
	_, running := inProgress(s.byServer[server])
	full := s.free(server, possible) <= 0 // not only because a role that goes first takes the last slot
	if full && !d.asked && !deletes[server] && !s.spent[server] && !running {
		if one, reason, ok := s.replaced(d); ok {
			d.state = dueReplace
			p.deletions = append(p.deletions, deletion{snapshot: one, target: d.target, server: server, reason: reason, forDue: d})
			deletes[server], busy[d.target.DiskID] = true, d
			return
		}
	}
	d.state, d.why = dueBlocked, "no slot of the server is free"
	if !possible && s.comesFree(d) {
		d.state, d.why = dueWait, "no slot of the server is free yet"
	}
}

// replaced is replacement with the period of the due role.
func (s *situation) replaced(d *due) (Snapshot, string, bool) {
	d.period = s.periodOf(d.target, d.role)
	return s.replacement(d)
}

// attemptUsedUp reports whether the attempt of this hour was made, and its snapshot failed or is gone.
func (s *situation) attemptUsedUp(d *due) bool {
	token := d.order(s.now).token(d.target.RegionID, d.target.DiskID)
	if s.usedUp[token] {
		return true
	}
	for _, one := range s.byDisk[d.target.DiskID] {
		if value, _ := one.Tag(TagToken); value == token && one.Status == Failed {
			return true
		}
	}
	return false
}

// Plan is what the next sweep does with the snapshots of a target's server, and why. It changes nothing. Answers, chats,
// the log and the sweep itself show the same plan, for all of them make it here.
type Plan struct {
	Target string     `json:"target"`
	Items  []PlanItem `json:"plan"`

	Used    int    `json:"-"`                 // slots of the server that are occupied
	Of      int    `json:"-"`                 // slots of the server
	Blocked string `json:"blocked,omitempty"` // what finds no slot, and which snapshots occupy them; "" if nothing

	// Later is what sweeps delete once every snapshot that is in progress is accomplished, the first one first.
	Later []PlanItem `json:"-"`
	// Outlook is when each role is due next, and what will find no slot.
	Outlook []Outlook `json:"-"`
	// Warnings is what the lists show and the API does not document, such as hidden tags.
	Warnings []string `json:"warnings,omitempty"`
}

// show makes the plan of one target for readers.
func (s *situation) show(target Target) Plan {
	made := s.plan(false)
	server := s.serverOf(target.DiskID)
	here := s.byServer[server]
	p := Plan{Target: target.Name, Items: []PlanItem{}, Used: len(here), Of: SlotsPerServer}
	for _, d := range made.dues {
		if s.serverOf(d.target.DiskID) != server {
			continue
		}
		item := PlanItem{Action: ActionCreate, Target: d.target.Name, SnapshotName: s.nameOf(d)}
		item.Reason = fmt.Sprintf("role %s is due since %s", d.role, s.policy.local(d.time))
		switch d.state {
		case dueWait, dueBlocked:
			if d.state == dueBlocked {
				p.Blocked = join("; ", p.Blocked, fmt.Sprintf("role %s of %s is due since %s and finds no slot: %s", d.role, d.target.Name,
					s.policy.local(d.time), s.occupants(server)))
			}
			continue
		case dueReplace:
			item.Reason += ", in the slot of the snapshot that it replaces"
		}
		p.Items = append(p.Items, item)
	}
	for _, one := range here {
		p.Items = append(p.Items, s.item(one, made.deletions))
	}
	p.Warnings = s.warnings(target)
	return p
}

// item is what a plan does with one snapshot.
func (s *situation) item(one Snapshot, deletions []deletion) PlanItem {
	item := PlanItem{SnapshotID: one.ID, SnapshotName: one.Name, CreationTime: one.created(), Action: ActionKeep}
	if target, ok := s.target(one); ok {
		item.Target = target.Name
	}
	i := slices.IndexFunc(deletions, func(d deletion) bool { return d.snapshot.ID == one.ID })
	switch {
	case !one.ours():
		item.Action, item.Reason = ActionForeign, "not ours: no swas-snapshot tags"
	case i >= 0:
		item.Action, item.Reason = ActionDelete, deletions[i].reason
	default:
		item.Reason = s.keepReason(one)
	}
	return item
}

// keepReason says why a sweep keeps a snapshot of ours.
func (s *situation) keepReason(one Snapshot) string {
	protected := s.protection(one)
	reason, _ := s.deletionReason(one)
	target, _ := s.target(one)
	slots, named := target.slots(one.role())
	switch {
	case protected != "" && reason != "":
		return protected + "; " + reason
	case reason != "":
		return reason + "; a later sweep deletes it"
	case protected != "":
		return protected
	case named:
		return fmt.Sprintf("%s: keep is %d", slots.Role, slots.Count)
	case one.role() == "":
		return "its tag " + TagMeta + " cannot be read"
	default:
		return fmt.Sprintf("keep of %s does not name role %s: surplus from %s on, once another one exists", target.Name, one.role(),
			s.policy.local(one.CreationTime.Add(unkeptAge)))
	}
}

// nameOf is the name of the snapshot that a due role gets.
func (s *situation) nameOf(d *due) string {
	order := d.order(s.now)
	return snapshotName(d.role, d.target.Name, order.nameTime(), order.token(d.target.RegionID, d.target.DiskID))
}

// occupants names the snapshots that occupy the slots of a server, and why they stay.
func (s *situation) occupants(server string) string {
	var parts []string
	for _, one := range s.byServer[server] {
		reason := "not ours"
		if one.ours() {
			reason = join(", ", one.role(), cmp.Or(s.protection(one), "kept"))
		}
		parts = append(parts, one.ID+" ("+reason+")")
	}
	return strings.Join(parts, ", ")
}

// warnings is what the lists show of a target's disk that is not as documented.
func (s *situation) warnings(target Target) []string {
	var all []string
	if names := s.shared[target.DiskID]; names != nil {
		all = append(all, "the targets "+strings.Join(names, " and ")+" name the same disk "+target.DiskID+
			": make one target of them; until then nothing of the disk is deleted")
	}
	mark := deploymentMark(s.policy.Deployment)
	for _, one := range s.byDisk[target.DiskID] {
		switch m := one.meta(); {
		case one.hiddenTags(target.Name):
			all = append(all, one.ID+" has a name of ours and no tags: the API shows no tags, so it counts as foreign and is never deleted")
		case one.ours() && m.deployment != "" && m.deployment != mark:
			all = append(all, one.ID+" was taken by another deployment of swas-snapshot whose policy names the same disk: let only one do so")
		case one.ours() && m.role == "":
			all = append(all, one.ID+": its tag "+TagMeta+" cannot be read, so only its failure would delete it")
		}
		if !one.InProgress() && !one.Good() && one.Status != Failed {
			all = append(all, one.ID+" has the status "+Quote(string(one.Status))+", which the API does not document: it is never deleted")
		}
	}
	return all
}

// stuckAge is how long a snapshot may be in progress before it is an error; it takes 10 to 30 minutes.
const stuckAge = 2 * time.Hour

// stuck reports whether a snapshot has been in progress for too long.
func (s *situation) stuck(one Snapshot) bool {
	return one.InProgress() && s.now.Sub(one.CreationTime) >= stuckAge
}

// join joins the texts that are not empty.
func join(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), separator)
}
