package policy

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/strictyaml"
)

// zone reads the time zone of the policy; nil if it names none.
func (r *reader) zone(root fields) *time.Location {
	at, ok := root.get("timeZone")
	if !ok {
		return nil
	}
	one, ok := r.text(at)
	if !ok {
		return nil
	}
	zone, err := time.LoadLocation(one.value)
	if err != nil || one.value == "Local" {
		r.fail(at, "%s is not a time zone: write a name of the IANA database, such as Asia/Shanghai, Europe/Berlin or UTC",
			one.quoted())
		return nil
	}
	return zone
}

// times is what a mapping under schedule says: the schedule of each role, and where it stands. A line that is wrong has
// a schedule, too, so that nothing else is reported for it.
type times struct {
	byRole map[string]snapshot.Schedule
	lines  []entry
}

// schedule reads the times of roles.
func (r *reader) schedule(keys fields, zone *time.Location) times {
	found := times{byRole: make(map[string]snapshot.Schedule)}
	at, ok := keys.get("schedule")
	if !ok {
		return found
	}
	cut := r.cutLines(at)
	entries, _ := r.mapping(at)
	for _, one := range entries {
		if slices.Contains(cut, one.Node) {
			continue
		}
		found.lines = append(found.lines, one)
		found.byRole[one.Name] = r.cronLine(one.Place, zone)
	}
	return found
}

// cronLine reads one line of cron.
func (r *reader) cronLine(at place, zone *time.Location) snapshot.Schedule {
	if at.Node.Kind != yaml.ScalarNode || at.Node.Tag != "!!str" {
		r.wrongKind(at, "a line of cron, such as 0 3 * * *")
		return schedule{}
	}
	one, ok := r.text(at)
	if !ok {
		return schedule{}
	}
	wall, err := cronLine(one.value)
	if err != nil {
		r.fail(at, "%s %v", one.quoted(), err)
		return schedule{}
	}
	if zone == nil {
		zone = time.UTC
	}
	return schedule{wall, zone}
}

// cutLines reports the lines in { } that YAML cuts at their commas, and returns all their nodes: {daily: 0 3 * * 1,5}
// is daily: 0 3 * * 1, and a key 5 without a value.
func (r *reader) cutLines(at place) []*yaml.Node {
	if at.Node.Style&yaml.FlowStyle == 0 {
		return nil
	}
	var cut []*yaml.Node
	all := at.Entries()
	for i, one := range all {
		line, nodes := one.Text(), []*yaml.Node{one.Node}
		var rest []entry
		for _, next := range all[i+1:] {
			if next.Node.Tag != "!!null" {
				break
			}
			line, nodes, rest = line+","+next.Name, append(nodes, next.Node), append(rest, next)
		}
		if _, err := cronLine(line); err != nil || len(rest) == 0 {
			continue
		}
		cut = append(cut, nodes...)
		// What was reported for the pieces, such as a number for a key, would mislead.
		r.errs = slices.DeleteFunc(r.errs, func(e strictyaml.Error) bool {
			return slices.ContainsFunc(rest, func(piece entry) bool {
				return e.Line == piece.Line && (e.Field == piece.Path || e.Field == at.Path)
			})
		})
		r.fail(one.Place, "is cut at its comma, which separates keys in { }: write the line in quotes, as in {%s: %s}",
			one.Name, strictyaml.Quote(line))
	}
	return cut
}

// checkSchedule reports schedules of the policy for roles that no target keeps.
func (r *reader) checkSchedule(of times, targets []snapshot.Target) {
	for _, line := range of.lines {
		if !slices.ContainsFunc(targets, func(t snapshot.Target) bool { return keeps(t, line.Name) }) {
			r.fail(line.Place, "is the schedule of a role that no target keeps: "+
				"name the role under keep of a target, or leave the schedule out")
		}
	}
}

// checkOwnSchedule reports schedules of a target for roles that it does not keep.
func (r *reader) checkOwnSchedule(keys fields, of times, target snapshot.Target) {
	at, given := keys.get("schedule")
	if given && len(target.Keep) == 0 {
		r.fail(at, "stands at a target without keep, where no schedule takes anything: add keep, or leave schedule out")
		return
	}
	for _, line := range of.lines {
		if !keeps(target, line.Name) {
			r.fail(line.Place, "is the schedule of a role that this target does not keep: "+
				"name the role under keep, or leave the schedule out")
		}
	}
}

// keeps reports whether the target's keep names the role.
func keeps(t snapshot.Target, role string) bool {
	return slices.ContainsFunc(t.Keep, func(s snapshot.Slots) bool { return s.Role == role })
}

// unscheduled returns the roles that the target keeps and no schedule fires.
func unscheduled(t snapshot.Target) []string {
	var roles []string
	for _, slots := range t.Keep {
		if slots.Schedule == nil {
			roles = append(roles, slots.Role)
		}
	}
	return roles
}

// roles returns the names of all roles of the target, for a message.
func roles(t snapshot.Target) string {
	names := make([]string, len(t.Keep))
	for i, slots := range t.Keep {
		names[i] = slots.Role
	}
	return strings.Join(names, ", ")
}
