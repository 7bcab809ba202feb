package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/strictyaml"
)

// targets reads what to protect.
func (r *reader) targets(root fields, region string, zone *time.Location, general times) []snapshot.Target {
	at, ok := root.get("targets")
	if !ok {
		r.missing(root, "targets", oneTarget)
		return nil
	}
	entries, ok := r.mapping(at)
	if ok && len(at.Node.Content) == 0 {
		r.fail(at, "is empty: %s", oneTarget)
	}
	targets := make([]snapshot.Target, len(entries))
	folded := make(map[string]string)
	for i, one := range entries {
		lower := strings.ToLower(one.Name)
		first, twice := folded[lower]
		switch {
		case !snapshot.ValidTarget(one.Name):
			r.fail(one.Place, "%s is not a target's name: use 1 to %d letters, digits, - and _", strictyaml.Quote(one.Name), snapshot.TargetMax)
		case twice:
			r.fail(one.Place, "differs from %s in capitals only: chat ignores them, so choose another name", first)
		default:
			folded[lower] = one.Name
		}
		targets[i] = r.target(one, region, zone, general)
	}
	r.checkDisks(entries, targets)
	return targets
}

const oneTarget = "name at least one disk, as in {web-1: {disk: d-bp18kjxg9ebrhsgi0001}}"

// target reads one target. Its own schedule of a role is in place of the general one.
func (r *reader) target(at entry, region string, zone *time.Location, general times) snapshot.Target {
	target := snapshot.Target{Name: at.Name}
	keys, ok := r.fields(at.Place, "disk", "instance", "region", "resourceGroup", "tags", "keep", "schedule",
		"maxAge", "minInterval")
	if !ok {
		return target
	}
	disk, hasDisk := keys.get("disk")
	_, hasInstance := keys.get("instance")
	switch {
	case hasDisk && hasInstance:
		r.fail(disk, "stands beside instance: name the disk, or the instance for its system disk")
	case !hasDisk && !hasInstance:
		r.missing(keys, "disk", "name the disk, such as d-bp18kjxg9ebrhsgi0001, or instance for its system disk")
	}
	target.DiskID = r.optional(keys, "disk", snapshot.ValidDisk, "is not a disk ID: write one such as d-bp18kjxg9ebrhsgi0001")
	target.InstanceID = r.optional(keys, "instance", validInstance, "is not an instance ID: write one such as 2ad1ae67295445f598017499dc0001")
	target.RegionID = cmp.Or(r.region(keys), region)
	target.ResourceGroupID = r.optional(keys, "resourceGroup", validGroup, "is not a resource group ID: write one such as rg-aek2bti7cf70001")
	target.Tags = r.tags(keys)
	target.Keep = r.keep(keys)
	own := r.schedule(keys, zone)
	r.checkOwnSchedule(keys, own, target)
	for i, slots := range target.Keep {
		if target.Keep[i].Schedule = own.byRole[slots.Role]; target.Keep[i].Schedule == nil {
			target.Keep[i].Schedule = general.byRole[slots.Role]
		}
	}
	target.MaxAge = r.duration(keys, "maxAge", positive)
	target.MinInterval = r.duration(keys, "minInterval", notNegative)
	return target
}

// region reads the region of a mapping; "" if it names none.
func (r *reader) region(keys fields) string {
	return r.optional(keys, "region", snapshot.ValidRegion, "is not a region ID: write one such as cn-hangzhou")
}

// validInstance reports whether text can be the ID of a server. The API documents no form; its examples are hexadecimal.
func validInstance(text string) bool {
	return len(text) <= 64 && !strings.ContainsFunc(text, func(c rune) bool {
		return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
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
func (r *reader) tags(keys fields) []snapshot.Tag {
	at, ok := keys.get("tags")
	if !ok {
		return nil
	}
	entries, _ := r.mapping(at)
	var tags []snapshot.Tag
	for _, one := range entries {
		value, ok := r.scalar(one.Place)
		if !ok {
			continue
		}
		tag := snapshot.Tag{Key: one.Name, Value: value.value}
		tags = append(tags, tag)
		if ownTag(tag.Key) {
			r.fail(one.Place, "has the prefix %s, which is this project's own: choose another", ownTagPrefix)
		}
		// A defect of a value never quotes it, so nothing of the environment gets out.
		for _, wrong := range violations(snapshot.Request{Tags: []snapshot.Tag{tag}}, "Tag") {
			r.fail(one.Place, "%s", wrong.Defect)
		}
	}
	if len(tags) > snapshot.CallerTags {
		r.fail(at, "has %d tags: use at most %d, swas-snapshot needs the other %d of the %d that the API takes",
			len(tags), snapshot.CallerTags, snapshot.TagMax-snapshot.CallerTags, snapshot.TagMax)
	}
	slices.SortFunc(tags, func(a, b snapshot.Tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}

const ownTagPrefix = "swas-snapshot/"

func ownTag(key string) bool { return strings.HasPrefix(strings.ToLower(key), ownTagPrefix) }

// keep reads the slots per role in the order of the file. A wrong count is 0, so that nothing else is reported for it.
func (r *reader) keep(keys fields) []snapshot.Slots {
	at, ok := keys.get("keep")
	if !ok {
		return nil
	}
	entries, _ := r.mapping(at)
	var slots []snapshot.Slots
	for _, one := range entries {
		if !snapshot.ValidRole(one.Name) {
			r.fail(one.Place, "%s is not a role: use 1 to %d letters, digits, - and _, the first a letter", strictyaml.Quote(one.Name), snapshot.RoleMax)
		}
		slots = append(slots, snapshot.Slots{Role: one.Name, Count: r.count(one.Place)})
	}
	return slots
}

// count reads how many snapshots of a role to keep; 0 if that is wrong.
func (r *reader) count(at place) int {
	if at.Node.Kind != yaml.ScalarNode || at.Node.Tag != "!!int" {
		r.wrongKind(at, "a whole number from 1 to 3")
		return 0
	}
	count, err := strconv.Atoi(at.Node.Value)
	switch {
	case err != nil:
		r.fail(at, "%s is not a plain number: write one from 1 to %d", strictyaml.Quote(at.Node.Value), snapshot.SlotsPerServer)
	case count < 1:
		r.fail(at, "%d keeps nothing: write a number from 1 to %d, or leave the role out", count, snapshot.SlotsPerServer)
	case count > snapshot.SlotsPerServer:
		r.fail(at, "%d slots do not fit, a server has %d: write a number from 1 to %d", count, snapshot.SlotsPerServer, snapshot.SlotsPerServer)
	default:
		return count
	}
	return 0
}

// checkDisks reports a disk that two targets name: their roles would be counted apart and rotated together. A server
// stands for its system disk.
func (r *reader) checkDisks(entries []entry, targets []snapshot.Target) {
	owner := make(map[string]string)
	for i, target := range targets {
		key, what, id := "disk", "disk", target.DiskID
		if id == "" {
			key, what, id = "instance", "server", target.InstanceID
		}
		first, twice := owner[key+id]
		switch {
		case id == "":
		case twice:
			r.fail(entries[i].Get(key), "is the %s of %s already: make one target of the two, with the roles of both", what, first)
		default:
			owner[key+id] = target.Name
		}
	}
}
