package snapshot

import (
	"context"
	"fmt"
	"time"
)

// Pinned is the answer to a pin or its removal.
type Pinned struct {
	Listed
	Warning string `json:"warning,omitempty"` // what the pin will lead to
}

// Pin keeps a snapshot until a day (2026-12-01, the day included, UTC) or for ever ("forever" or ""). Its errors are
// [*Error]: CodeNoSuchID, CodeForeign for a snapshot that is not ours, CodeInvalidOrder for a day in the past, and what
// may answers: it is asked whether the caller may pin snapshots of the target; nil allows all.
func (s *Service) Pin(ctx context.Context, id, until string, may func(Target) error) (Pinned, error) {
	if until == "" {
		until = pinForever
	}
	if err := checkPin(until, s.clock().Now()); err != nil {
		return Pinned{}, err
	}
	r, ctx := s.begin(ctx)
	return r.setPin(ctx, id, until, may)
}

// Unpin gives a snapshot back to its role's count. A snapshot without a pin stays as it is. See [Service.Pin] for may
// and the errors.
func (s *Service) Unpin(ctx context.Context, id string, may func(Target) error) (Pinned, error) {
	r, ctx := s.begin(ctx)
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
		wrong.add("until", CodeInvalidOrder, fmt.Sprintf("%s is no day: write one such as 2026-12-01, or %s", quote(until), pinForever))
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
		if err := r.persist(ctx, func() error {
			return r.call("TagResources", func() error {
				return r.API.TagSnapshot(ctx, one.RegionID, one.ID, []Tag{{TagKeep, until}})
			})
		}); err != nil {
			return Pinned{}, err
		}
		one = r.retag(one, Tag{TagKeep, until})
	}
	return Pinned{Listed: one.Show(target.Name), Warning: r.pinWarning(target, one)}, nil
}

// retag updates a tag in what the run knows.
func (r *run) retag(one Snapshot, tag Tag) Snapshot {
	tags := []Tag{tag}
	for _, other := range one.Tags {
		if other.Key != tag.Key {
			tags = append(tags, other)
		}
	}
	one.Tags = tags
	for i, known := range r.region(one.RegionID).snapshots {
		if known.ID == one.ID {
			r.region(one.RegionID).snapshots[i] = one
		}
	}
	return one
}

// pinWarning says what a pin takes from the rotation, where that is all of it.
func (r *run) pinWarning(target Target, one Snapshot) string {
	s := r.situation(target, "", false)
	if s.pin(one) == "" {
		return ""
	}
	plan := makePlan(s, "")
	if plan.Pinned >= plan.Of {
		return plan.pinnedText() + ": the next order for this server will be blocked"
	}
	same := 0
	for _, other := range s.snapshots {
		if other.DiskID == one.DiskID && other.role() == one.role() && s.pin(other) != "" {
			same++
		}
	}
	if count, named := target.slots(one.role()); named && same >= count {
		return fmt.Sprintf("%s; every slot of role %s (%d) is pinned: it rotates no more", plan.pinnedText(), one.role(), count)
	}
	return ""
}
