package snapshot

import (
	"context"
	"time"
)

// doneAge is how old an accomplished snapshot may be for people to be told of it.
const doneAge = 24 * time.Hour

// report tells people of the target's failed snapshots and, if somebody wants to hear it, of accomplished ones.
func (j *targetSweep) report(ctx context.Context) {
	for _, one := range j.region(j.target.RegionID).snapshots {
		if one.DiskID != j.target.DiskID || !one.ours() {
			continue
		}
		fact := Notification{
			Target: j.target.Name, RegionID: j.target.RegionID, DiskID: one.DiskID,
			SnapshotID: one.ID, SnapshotName: one.Name, Since: one.CreationTime,
		}
		_, told := one.Tag(tagDone)
		switch {
		case one.Status == Failed:
			fact.Kind, fact.Key = NotifyFailed, "failed:"+one.ID
			fact.What = "snapshot " + one.ID + " failed"
			fact.Advice = "a sweep deletes it; if the next one fails, too, look at the server's disk in the console"
			j.tell(ctx, fact)
		case j.TellDone && one.Good() && !told && j.now().Sub(one.CreationTime) < doneAge:
			fact.Kind, fact.Key = NotifyDone, "done:"+one.ID
			fact.What = "snapshot " + one.ID + " is accomplished"
			j.tell(ctx, fact)
		}
	}
}

// Told remembers of which facts people were told, for those that another instance would tell again: an accomplished
// snapshot gets a tag. That it fails costs a second message at most.
func (s *Service) Told(ctx context.Context, facts ...Notification) {
	r, ctx := s.begin(ctx)
	for _, fact := range facts {
		if fact.Kind != NotifyDone {
			continue
		}
		err := r.call("TagResources", func() error {
			return r.API.TagSnapshot(ctx, fact.RegionID, fact.SnapshotID, []Tag{{tagDone, r.now().UTC().Format(time.DateOnly)}})
		})
		if err != nil {
			r.log().Warn("failed to tag a snapshot as told", "snapshotId", fact.SnapshotID, "error", err.Error())
		}
	}
}
