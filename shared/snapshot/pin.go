package snapshot

import (
	"context"
	"fmt"
	"time"
)

// Pinned is the answer to a pin or its removal.
type Pinned struct {
	Listed
	Warning string `json:"warning,omitempty"` // what the pin leaves of the slots
}

// Pin keeps a snapshot until a day (2026-12-01, the day included, UTC) or for ever ("forever" or ""). Its errors are
// [*Error]: CodeNoSuchID, CodeForeign for a snapshot that is not ours, CodeInvalidOrder for a day in the past, and what
// may answers: it is asked whether the caller may pin snapshots of the target; nil allows all.
func (s *Service) Pin(ctx context.Context, id, until string, may func(Target) error) (Pinned, error) {
	if until == "" {
		until = pinForever
	}
	r, ctx, cancel := s.begin(ctx)
	defer cancel()
	if err := checkPin(until, r.now()); err != nil {
		return Pinned{}, err
	}
	return r.setPin(ctx, id, until, may)
}

// Unpin makes a snapshot subject to its role's count again. A snapshot without a pin stays as it is. See [Service.Pin]
// for may and the errors.
func (s *Service) Unpin(ctx context.Context, id string, may func(Target) error) (Pinned, error) {
	r, ctx, cancel := s.begin(ctx)
	defer cancel()
	return r.setPin(ctx, id, pinNone, may)
}

func checkPin(until string, now time.Time) error {
	if until == pinForever {
		return nil
	}
	var wrong Violations
	day, err := time.Parse(time.DateOnly, until)
	switch {
	case err != nil:
		wrong.add("until", CodeInvalidOrder, fmt.Sprintf("%s is not a day: write one such as 2026-12-01, or %s", Quote(until), pinForever))
	case !now.Before(day.AddDate(0, 0, 1)):
		wrong.add("until", CodeInvalidOrder, fmt.Sprintf("%s is in the past: name a day to come, or %s", until, pinForever))
	}
	if wrong != nil {
		return invalid(wrong)
	}
	return nil
}

func (r *run) setPin(ctx context.Context, id, until string, may func(Target) error) (Pinned, error) {
	one, target, err := r.find(ctx, id)
	if err == nil && may != nil {
		err = may(target)
	}
	if err != nil {
		return Pinned{}, err
	}
	if !one.ours() {
		return Pinned{}, &Error{Code: CodeForeign, Kind: KindConflict, Message: id + " is not ours (no swas-snapshot tags): it is never deleted, so it needs no pin"}
	}
	current, _ := one.Tag(TagKeep)
	if current != until && !(until == pinNone && current == "") {
		// Token and meta are sent again unchanged: that TagResources keeps the other tags is not documented.
		token, _ := one.Tag(TagToken)
		text, _ := one.Tag(TagMeta)
		tags := []Tag{{TagToken, token}, {TagMeta, text}, {TagKeep, until}}
		err := r.call(ctx, "TagResources", &retry{limit: noLimit}, func(ctx context.Context) error {
			return r.API.TagSnapshot(ctx, one.RegionID, one.ID, tags)
		})
		if err != nil {
			return Pinned{}, AsError(err)
		}
		one = one.with(Tag{TagKeep, until})
	}
	return Pinned{Listed: one.Show(target.Name), Warning: r.pinWarning(target, one)}, nil
}

// with returns the snapshot with another value of a tag.
func (s Snapshot) with(tag Tag) Snapshot {
	tags := []Tag{tag}
	for _, other := range s.Tags {
		if other.Key != tag.Key {
			tags = append(tags, other)
		}
	}
	s.Tags = tags
	return s
}

// pinWarning says what a pin leaves of the server's slots, where that is too little.
func (r *run) pinWarning(target Target, one Snapshot) string {
	if pinReason(one, r.now()) == "" {
		return ""
	}
	base := r.base(target.RegionID)
	all := make([]Snapshot, len(base.snapshots))
	for i, other := range base.snapshots {
		if all[i] = other; other.ID == one.ID {
			all[i] = one
		}
	}
	base.snapshots = all
	return newSituation(base).pinEffect(target)
}

// pinEffect says what the pins on a target's server will block; "" if nothing. `plan` and `doctor` repeat it.
func (s *situation) pinEffect(target Target) string {
	server := s.serverOf(target.DiskID)
	pins := 0
	for _, one := range s.byServer[server] {
		if s.pinned(one) {
			pins++
		}
	}
	if pins == 0 {
		return ""
	}
	var effect string
	for _, one := range s.outlook(target) {
		if one.Blocked == "" {
			continue
		}
		if one.Next.IsZero() {
			effect = join(", ", effect, "orders for role "+one.Role)
		} else {
			effect = join(", ", effect, "role "+one.Role+" from "+s.policy.local(one.Next)+" on")
		}
	}
	if effect == "" {
		return ""
	}
	return fmt.Sprintf("%s has no free slot while %s: %s will be blocked", target.Name, plural(pins, "this is pinned", "these are pinned"), effect)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
