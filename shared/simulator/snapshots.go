package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// createSnapshot takes a snapshot. Once the parameters are in order and the token is new, the checks come in this
// order: the disk exists in the region; disk and server are in a state that allows it; the name is free in the
// region; no other snapshot of the disk is in progress; the server and the account have a free slot.
func (s *Simulator) createSnapshot(p *params) effect {
	region, disk, name, tags, group := p.region(), p.disk(), p.name(), p.tags(), p.group()
	return func(now time.Time) (answer, *apiError) {
		instance, source := s.state.disk(disk)
		if source == nil || instance.RegionID != region {
			return nil, refuse("InvalidDiskId.NotFound")
		}
		if source.Status != diskInUse && source.Status != diskAvailable || instance.Status != instanceRunning && instance.Status != instanceStopped {
			return nil, refuse("IncorrectStatus")
		}
		checks := []func() *apiError{
			func() *apiError { return s.checkName(region, name) },
			func() *apiError { return s.checkInProgress(disk) },
			func() *apiError { return s.checkQuota(instance.ID, now) },
		}
		if s.config.QuotaBeforeName {
			checks[0], checks[1], checks[2] = checks[2], checks[0], checks[1]
		}
		for _, check := range checks {
			if refusal := check(); refusal != nil {
				return nil, refusal
			}
		}
		one := &Snapshot{
			ID:              s.state.newID("s-"),
			Name:            name,
			RegionID:        region,
			DiskID:          disk,
			DiskType:        source.Type,
			InstanceID:      instance.ID,
			Status:          Progressing,
			CreationTime:    now,
			ResourceGroupID: group,
			Tags:            tags,
			fails:           useUp(s.state.failNext, disk),
			stalled:         useUp(s.state.stallNext, disk),
		}
		s.state.insert(one)
		return created{one.ID}, nil
	}
}

// checkName refuses a name that a snapshot of the region has already.
func (s *Simulator) checkName(region, name string) *apiError {
	if s.state.count(func(one *Snapshot) bool { return one.RegionID == region && one.Name == name }) > 0 {
		return refuse("InvalidSnapshotName.Duplicate")
	}
	return nil
}

// checkInProgress refuses a second snapshot of a disk while one is being taken.
func (s *Simulator) checkInProgress(disk string) *apiError {
	if s.state.count(func(one *Snapshot) bool { return one.DiskID == disk && one.Status == Progressing }) > 0 {
		return refuse("IncorrectDiskStatus.CreatingSnapshot")
	}
	return nil
}

// checkQuota refuses when the server or the account is full. Failed snapshots occupy slots, and so do those whose
// disk is gone and, for Lag.Slots, deleted ones.
func (s *Simulator) checkQuota(instance string, now time.Time) *apiError {
	ofServer := s.state.count(func(one *Snapshot) bool { return one.InstanceID == instance })
	ofAccount := len(s.state.snapshots)
	for _, one := range s.state.deleted {
		if now.Sub(one.at) < s.lag.Slots {
			ofAccount++
			if one.InstanceID == instance {
				ofServer++
			}
		}
	}
	limit := min(snapshotsPerServer*len(s.state.instances), s.config.AccountLimit)
	if ofServer >= snapshotsPerServer || ofAccount >= limit {
		return refuse("SnapshotLimitExceed")
	}
	return nil
}

// created is the answer of CreateSnapshot.
type created struct{ snapshotID string }

func (a created) elements() elements { return elements{"SnapshotId": a.snapshotID} }

// listSnapshots answers a page of the snapshots of a region that match every filter, newest first. The filters
// compare what the list shows: a late tag matches late, and InstanceId is empty for data disks.
func (s *Simulator) listSnapshots(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("SnapshotIds"), p.page(), p.group(), p.tagFilters()
	disk, instance, diskType := p.values["DiskId"], p.values["InstanceId"], p.diskType("SourceDiskType")
	return func(now time.Time) (answer, *apiError) {
		found := slices.DeleteFunc(s.view(p.caller.AccessKeyID, region, now), func(one Snapshot) bool {
			return !matchesID(ids, one.ID) || !matches(disk, one.DiskID) || !matches(instance, one.InstanceID) ||
				!matches(group, one.ResourceGroupID) || diskType != "" && !strings.EqualFold(diskType, one.DiskType) ||
				!matchAll(filters, one.Tags)
		})
		total := len(found)
		found = cut(page, found)
		copyTags(found)
		return snapshotList{page, total, found}, nil
	}
}

// snapshotList is the answer of ListSnapshots.
type snapshotList struct {
	page      page
	total     int
	snapshots []Snapshot // in the form of [Simulator.listed]
}

func (a snapshotList) elements() elements {
	list := []elements{}
	for _, one := range a.snapshots {
		list = append(list, elements{
			"SnapshotId":      one.ID,
			"SnapshotName":    one.Name,
			"RegionId":        one.RegionID,
			"SourceDiskId":    one.DiskID,
			"SourceDiskType":  one.DiskType,
			"InstanceId":      one.InstanceID,
			"Status":          one.Status,
			"Progress":        fmt.Sprintf("%d%%", one.Progress),
			"CreationTime":    wireTime(one.CreationTime),
			"RollbackTime":    wireTime(one.RollbackTime),
			"ResourceGroupId": one.ResourceGroupID,
			"Remark":          one.Remark,
			"Tags":            wireTags(one.Tags),
		})
	}
	return a.page.elements("Snapshots", a.total, list)
}

// deleteSnapshot deletes one snapshot.
func (s *Simulator) deleteSnapshot(p *params) effect {
	region, id := p.region(), p.required("SnapshotId")
	return func(now time.Time) (answer, *apiError) { return s.delete(p.caller, now, region, id) }
}

// deleteSnapshots deletes up to 100 snapshots, all of them or none.
func (s *Simulator) deleteSnapshots(p *params) effect {
	region := p.region()
	p.required("SnapshotIds")
	ids := p.ids("SnapshotIds")
	return func(now time.Time) (answer, *apiError) { return s.delete(p.caller, now, region, ids...) }
}

// delete refuses an unknown snapshot, one in progress and one from which a custom image was made. Of these the
// documents give a code to the first only.
func (s *Simulator) delete(caller Credential, now time.Time, region string, ids ...string) (answer, *apiError) {
	for _, id := range ids {
		one := s.state.snapshot(id)
		switch {
		case one == nil || one.RegionID != region:
			return nil, refuse("InvalidSnapshotId.NotFound")
		case one.Status == Progressing:
			return nil, refuse("IncorrectSnapshotStatus")
		case one.ImageID != "":
			return nil, refuse(s.config.ImageCode)
		}
	}
	for _, id := range ids {
		victim := s.state.snapshot(id)
		if victim == nil {
			continue // named twice
		}
		if s.config.OnDelete != nil {
			s.config.OnDelete(caller.AccessKeyID, victim.clone(), s.state.copies(victim))
		}
		s.state.remove(now, func(one *Snapshot) bool { return one == victim })
	}
	return elements{}, nil
}

// updateSnapshotAttribute sets the remark of a snapshot. No other snapshot of the region may have the same one.
func (s *Simulator) updateSnapshotAttribute(p *params) effect {
	region, id, remark := p.region(), p.required("SnapshotId"), p.remark()
	return func(time.Time) (answer, *apiError) {
		one := s.state.snapshot(id)
		if one == nil || one.RegionID != region {
			return nil, refuse("InvalidSnapshotId.NotFound")
		}
		if s.state.count(func(other *Snapshot) bool {
			return other.RegionID == region && other.ID != id && other.Remark == remark
		}) > 0 {
			return nil, refuse("InvalidRemark.Duplicate")
		}
		one.Remark = remark
		return elements{}, nil
	}
}

// resetDisk restores a disk from a good snapshot of its own. The server must be stopped and must not have been
// reset since.
func (s *Simulator) resetDisk(p *params) effect {
	region, disk, id := p.region(), p.disk(), p.required("SnapshotId")
	return func(now time.Time) (answer, *apiError) {
		instance, target := s.state.disk(disk)
		if target == nil || instance.RegionID != region {
			return nil, refuse("InvalidDiskId.NotFound")
		}
		one := s.state.snapshot(id)
		switch {
		case one == nil || one.DiskID != disk:
			return nil, refuse("InvalidSnapshotId.NotFound")
		case instance.Status != instanceStopped:
			return nil, refuse("IncorrectInstanceStatus")
		case one.Status != Accomplished || one.Unrestorable:
			return nil, refuse("IncorrectSnapshotStatus")
		}
		one.RollbackTime = now
		return elements{}, nil
	}
}
