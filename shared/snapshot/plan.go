package snapshot

import (
	"cmp"
	"fmt"
	"slices"
)

// Plan is what would become of the snapshots of a target's server, and why. Dry run, HTTP, chat, log and the real
// run show the same plan, for they all make it here.
type Plan struct {
	Target string     `json:"target"`
	Items  []PlanItem `json:"plan"`

	Used    int    `json:"-"`                 // slots of the server that are occupied
	Of      int    `json:"-"`                 // slots of the server
	Pinned  int    `json:"-"`                 // occupied slots that are pinned
	Blocked string `json:"blocked,omitempty"` // why no slot can be freed, or ""

	// Later is what sweeps delete once every snapshot that is in progress is accomplished, the first one first.
	Later []PlanItem `json:"-"`

	creates    bool
	victim     *Snapshot
	victimItem *PlanItem
	needsDisks bool // the list of disks would decide
	later      bool // a later run may delete one
}

// makePlan plans one order (s.role), or a sweep where s.role is empty. At most one snapshot goes.
func makePlan(s *situation, newName string) Plan {
	here := s.onServer()
	p := Plan{Target: s.target.Name, Items: []PlanItem{}, Used: len(here), Of: SlotsPerServer}
	for _, one := range here {
		if s.pin(one) != "" {
			p.Pinned++
		}
	}
	candidates, reasons := s.judge(here, &p)
	taking := s.role != ""
	if taking && !s.disksKnown && s.unplaced() {
		p.needsDisks = true
	}
	if !taking || s.atCap() {
		p.victim = s.choose(candidates)
	}
	p.creates = taking && (!s.atCap() || p.victim != nil)
	if taking && !p.creates {
		p.Blocked = s.blockedReason(here, p)
	}
	if p.creates {
		p.Items = append(p.Items, PlanItem{SnapshotName: newName, Action: ActionCreate, Reason: p.createReason(s)})
	}
	for _, one := range here {
		item := PlanItem{SnapshotID: one.ID, SnapshotName: one.Name, Action: ActionKeep, Reason: reasons[one.ID]}
		switch {
		case !one.ours():
			item.Action = ActionForeign
		case p.victim != nil && p.victim.ID == one.ID:
			item.Action, item.Reason = ActionDelete, s.overReason(one)
			p.victimItem = &item
		case reasons[one.ID] == "":
			item.Reason = s.overReason(one) + ", a later sweep deletes it"
		}
		if one.ours() && s.pin(one) != "" {
			item.Reason += " (" + p.pinnedText() + ")"
		}
		p.Items = append(p.Items, item)
	}
	return p
}

// judge asks every rule about every snapshot. It returns those that all rules give up, and the reasons for the others.
func (s *situation) judge(here []Snapshot, p *Plan) (candidates []Snapshot, reasons map[string]string) {
	reasons = make(map[string]string, len(here))
	for _, one := range here {
		if !one.ours() {
			reasons[one.ID] = "not ours: no swas-snapshot tags"
			continue
		}
		for _, keep := range rules {
			if reasons[one.ID] = keep(s, one); reasons[one.ID] != "" {
				break
			}
		}
		p.later = p.later || reasons[one.ID] == goesLater
		if reasons[one.ID] == "" {
			candidates = append(candidates, one)
		}
		if !s.disksKnown && s.givenUpButForDisks(one) {
			p.needsDisks = true
		}
	}
	return candidates, reasons
}

// givenUpButForDisks tells whether knowing the disks could make a snapshot of ours go.
func (s *situation) givenUpButForDisks(one Snapshot) bool {
	known := *s
	known.disksKnown = true
	known.disks = []Disk{{ID: one.DiskID, InstanceID: s.server(one.DiskID)}}
	for _, keep := range rules {
		if keep(&known, one) != "" {
			return false
		}
	}
	return true
}

// choose picks the victim: a failed one, else one of the role that needs the slot, else another over its count; the
// oldest of these.
func (s *situation) choose(candidates []Snapshot) *Snapshot {
	if len(candidates) == 0 {
		return nil
	}
	rank := func(one Snapshot) int {
		switch {
		case one.Status == Failed:
			return 0
		case one.DiskID == s.target.DiskID && one.role() == s.role:
			return 1
		default:
			return 2
		}
	}
	victim := slices.MinFunc(candidates, func(a, b Snapshot) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), newestFirst(b, a))
	})
	return &victim
}

func (p Plan) createReason(s *situation) string {
	reason := fmt.Sprintf("a new %s snapshot: a slot is free (%d of %d used)", s.role, p.Used, p.Of)
	if p.victim != nil {
		reason = fmt.Sprintf("a new %s snapshot, once %s is deleted (%d of %d slots used)", s.role, p.victim.ID, p.Used, p.Of)
	}
	if p.Pinned > 0 {
		reason += ", " + p.pinnedText()
	}
	if _, named := s.target.slots(s.role); !named && len(s.target.Keep) > 0 {
		reason += "; keep names no slots for this role, so it is never deleted"
	}
	return reason
}

// pinnedText is "2 of 3 slots pinned: 1 rotates".
func (p Plan) pinnedText() string {
	return fmt.Sprintf("%d of %d slots pinned: %d %s", p.Pinned, p.Of, max(0, p.Of-p.Pinned), plural(p.Of-p.Pinned, "rotates", "rotate"))
}

// blockedReason says in one sentence why no slot can be freed.
func (s *situation) blockedReason(here []Snapshot, p Plan) string {
	if p.Used < p.Of {
		return fmt.Sprintf("the account has no free slot (the server uses %d of %d) and no %s snapshot of %s is over its count", p.Used, p.Of, s.role, s.label())
	}
	foreign := 0
	for _, one := range here {
		if !one.ours() {
			foreign++
		}
	}
	return fmt.Sprintf("%d of %d slots used (%d foreign, %d pinned) and none may be deleted for a %s snapshot of %s", p.Used, p.Of, foreign, p.Pinned, s.role, s.label())
}

// label names the target, or its disk where the policy has no target.
func (s *situation) label() string { return cmp.Or(s.target.Name, s.target.DiskID) }

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
