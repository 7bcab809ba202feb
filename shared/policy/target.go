package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// targetFile is one of targets.
type targetFile struct {
	Disk          string        `yaml:"disk" check:"disk"`
	Instance      string        `yaml:"instance" check:"instance"`
	Region        string        `yaml:"region" check:"region"`
	ResourceGroup string        `yaml:"resourceGroup" check:"group"`
	Tags          field         `yaml:"tags"`
	Keep          field         `yaml:"keep"`
	Schedule      field         `yaml:"schedule"`
	MaxAge        time.Duration `yaml:"maxAge"`
	MinInterval   time.Duration `yaml:"minInterval" check:"zero"`
}

// target reads one target of a policy. Its own schedule of a role is in place of the general one.
func (r *reader) target(at entry, p Policy, general times) snapshot.Target {
	var f targetFile
	r.decode(at.field, &f)
	if disk, instance := at.get("disk"), at.get("instance"); disk.exists() && instance.exists() {
		r.fail(disk, "stands beside instance: name the disk, or the instance for its system disk")
	} else if !instance.exists() {
		r.need(at.field, "disk", "name the disk, such as d-bp18kjxg9ebrhsgi0001, or instance for its system disk")
	}
	target := snapshot.Target{
		Name: at.name, DiskID: f.Disk, InstanceID: f.Instance, RegionID: cmp.Or(f.Region, p.RegionID),
		ResourceGroupID: f.ResourceGroup, Tags: r.tags(f.Tags), MaxAge: f.MaxAge, MinInterval: f.MinInterval,
	}
	own := r.schedule(f.Schedule, p.Location)
	for _, one := range r.mapping(f.Keep) {
		if !snapshot.ValidRole(one.name) {
			r.fail(one.field, "%s %s", snapshot.Quote(one.name), checks["role"].defect)
		}
		slots := snapshot.Slots{Role: one.name, Count: r.count(one.field), Schedule: own.of(one.name)}
		if slots.Schedule == nil {
			slots.Schedule = general.of(one.name)
		}
		target.Keep = append(target.Keep, slots)
	}
	if f.Schedule.exists() && len(target.Keep) == 0 {
		r.fail(f.Schedule, "stands at a target without keep, where no schedule takes anything: "+
			"add keep, or leave schedule out")
	} else {
		r.checkKept(own, "this target does not keep: name the role under keep", target)
	}
	return target
}

// validGroup asks the core's rules of CreateSnapshot.
func validGroup(text string) bool {
	return len(violations(snapshot.Request{ResourceGroupID: text}, "ResourceGroupId")) == 0
}

// violations returns what the core finds wrong with one parameter of a request, and with its elements.
func violations(request snapshot.Request, field string) snapshot.Violations {
	all, _ := request.Validate().(snapshot.Violations)
	return slices.DeleteFunc(all, func(one snapshot.Violation) bool {
		return one.Field != field && !strings.HasPrefix(one.Field, field+".")
	})
}

// tags reads the tags of a target, sorted by key. The rules are those of the API's page, which the core has.
func (r *reader) tags(at field) []snapshot.Tag {
	var tags []snapshot.Tag
	for _, one := range r.mapping(at) {
		value, ok := r.scalar(one.field)
		if !ok {
			continue
		}
		tag := snapshot.Tag{Key: one.name, Value: value}
		tags = append(tags, tag)
		if strings.HasPrefix(strings.ToLower(one.name), ownTags) {
			r.fail(one.field, "has the prefix %s, which is this project's own: choose another", ownTags)
		}
		// A defect of a value never quotes it, so nothing of the environment gets out.
		for _, wrong := range violations(snapshot.Request{Tags: []snapshot.Tag{tag}}, "Tag") {
			r.fail(one.field, "%s", wrong.Defect)
		}
	}
	if len(tags) > snapshot.CallerTags {
		r.fail(at, "has %d tags: use at most %d, swas-snapshot needs the other %d of the %d that the API takes",
			len(tags), snapshot.CallerTags, snapshot.TagMax-snapshot.CallerTags, snapshot.TagMax)
	}
	slices.SortFunc(tags, func(a, b snapshot.Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}

// ownTags is the prefix of the tags that the core writes.
const ownTags = "swas-snapshot/"

// count reads how many snapshots of a role to keep; 0 if that is wrong, so that nothing else is reported for it.
func (r *reader) count(at field) int {
	if !r.is(at, "!!int", "a whole number from 1 to 3") {
		return 0
	}
	count, err := strconv.Atoi(at.node.Value)
	if err != nil || count < 1 || count > snapshot.SlotsPerServer {
		r.fail(at, "%s is not a number from 1 to %d, the slots of a server: correct it, or leave the role out",
			snapshot.Quote(at.node.Value), snapshot.SlotsPerServer)
		return 0
	}
	return count
}

// checkTargets reports names of targets that are wrong, or the same to a chat, and a disk that two targets name: their
// roles would be counted apart and rotated together. A server stands for its system disk.
func (r *reader) checkTargets(entries []entry, targets []snapshot.Target) {
	names, disks := make(map[string]string), make(map[string]string)
	for i, one := range entries {
		if !snapshot.ValidTarget(one.name) {
			r.fail(one.field, "%s is not a target's name: use 1 to %d letters, digits, - and _",
				snapshot.Quote(one.name), snapshot.TargetMax)
		}
		name, key, what, id := strings.ToLower(one.name), "disk", "disk", targets[i].DiskID
		if id == "" {
			key, what, id = "instance", "server", targets[i].InstanceID
		}
		if first, twice := names[name]; twice {
			r.fail(one.field, "differs from %s in capitals only: chat ignores them, so choose another name", first)
		}
		if first, twice := disks[key+id]; twice && id != "" {
			r.fail(one.get(key), "is the %s of %s already: make one target of the two, with the roles of both", what, first)
		}
		names[name], disks[key+id] = one.name, one.name
	}
}
