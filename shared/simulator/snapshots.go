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
	return func(now time.Time) (success, *apiError) {
		instance, source := s.state.disk(disk)
		if source == nil || instance.RegionID != region {
			return success{}, refuse("InvalidDiskId.NotFound")
		}
		if source.Status != diskInUse && source.Status != diskAvailable ||
			instance.Status != instanceRunning && instance.Status != instanceStopped {
			return success{}, refuse("IncorrectStatus")
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
				return success{}, refusal
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
		return success{snapshotID: one.ID, wire: func() elements { return elements{"SnapshotId": one.ID} }}, nil
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
	limit := min(snapshotsPerServer*len(s.state.instances), SnapshotsPerAccount)
	if ofServer >= snapshotsPerServer || ofAccount >= limit {
		return refuse("SnapshotLimitExceed")
	}
	return nil
}

// listSnapshots answers a page of the snapshots of a region that match every filter, newest first. The filters
// compare what the list shows: a late tag matches late, and InstanceId is empty for data disks.
func (s *Simulator) listSnapshots(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("SnapshotIds"), p.page(), p.group(), p.tagFilters()
	disk, instance, diskType := p.values["DiskId"], p.values["InstanceId"], p.diskType("SourceDiskType")
	return func(now time.Time) (success, *apiError) {
		found := slices.DeleteFunc(s.view(p.caller.AccessKeyID, region, now), func(one Snapshot) bool {
			return !matchesID(ids, one.ID) || !matches(disk, one.DiskID) || !matches(instance, one.InstanceID) ||
				!matches(group, one.ResourceGroupID) || diskType != "" && !strings.EqualFold(diskType, one.DiskType) ||
				!matchAll(filters, one.Tags)
		})
		total := len(found)
		found = cut(page, found)
		copyTags(found)
		return success{snapshots: found, total: total, wire: func() elements {
			return page.elements("Snapshots", total, rows(found, Snapshot.elements))
		}}, nil
	}
}

// view returns the snapshots of a region as lists show them now to a caller, newest first.
func (s *Simulator) view(accessKeyID, region string, now time.Time) []Snapshot {
	list := make([]Snapshot, 0, len(s.state.snapshots))
	add := func(one *Snapshot) {
		if one.RegionID == region && (s.lag.Created <= 0 || now.Sub(one.CreationTime) >= s.lag.Created) {
			list = append(list, s.listed(one, now))
		}
	}
	for _, one := range slices.Backward(s.state.snapshots) {
		add(one)
	}
	if s.lag.Deleted <= 0 && s.config.ListView == nil {
		return list
	}
	for _, one := range slices.Backward(s.state.deleted) {
		if now.Sub(one.at) < s.lag.Deleted {
			add(one.Snapshot)
		}
	}
	if s.config.ListView != nil {
		var removed []Snapshot
		for _, one := range slices.Backward(s.state.deleted) {
			if one.RegionID == region {
				removed = append(removed, s.listed(one.Snapshot, now))
			}
		}
		copyTags(list)
		copyTags(removed)
		list = slices.Clone(s.config.ListView(accessKeyID, list, removed)) // a copy: the function may keep its own
	}
	slices.SortStableFunc(list, func(a, b Snapshot) int { return b.CreationTime.Compare(a.CreationTime) })
	return list
}

// copyTags gives every snapshot its own tags.
func copyTags(list []Snapshot) {
	for i := range list {
		list[i].Tags = slices.Clone(list[i].Tags)
	}
}

// listed returns a snapshot as lists show it now, without what they do not show. Its tags are those of the state.
func (s *Simulator) listed(one *Snapshot, now time.Time) Snapshot {
	shown := *one
	shown.former, shown.ImageID, shown.Unrestorable = nil, "", false
	shown.CreationTime = one.CreationTime.UTC().Truncate(time.Second)
	if !strings.EqualFold(one.DiskType, diskSystem) {
		shown.InstanceID = ""
	}
	shown.Status, shown.DiskType = s.spelling(one.Status), s.spelling(one.DiskType)
	switch {
	case s.lag.NoTags:
		shown.Tags = nil
	case s.lag.Tags > 0:
		shown.Tags = one.TagsAt(now.Add(-s.lag.Tags))
	}
	return shown
}

// elements returns a snapshot as it stands in the answer of ListSnapshots.
func (one Snapshot) elements() elements {
	return elements{
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
		"Remark":          "",
		"Tags":            wireTags(one.Tags),
	}
}

// deleteSnapshot deletes one snapshot.
func (s *Simulator) deleteSnapshot(p *params) effect {
	region, id := p.region(), p.required("SnapshotId")
	return func(now time.Time) (success, *apiError) { return s.delete(p.caller, now, region, id) }
}

// deleteSnapshots deletes up to 100 snapshots, all of them or none.
func (s *Simulator) deleteSnapshots(p *params) effect {
	region := p.region()
	p.required("SnapshotIds")
	ids := p.ids("SnapshotIds")
	return func(now time.Time) (success, *apiError) { return s.delete(p.caller, now, region, ids...) }
}

// delete refuses an unknown snapshot, one in progress and one from which a custom image was made. Of these the
// documents give a code to the first only.
func (s *Simulator) delete(caller Credential, now time.Time, region string, ids ...string) (success, *apiError) {
	for _, id := range ids {
		one := s.state.snapshot(id)
		switch {
		case one == nil || one.RegionID != region:
			return success{}, refuse("InvalidSnapshotId.NotFound")
		case one.Status == Progressing:
			return success{}, refuse("IncorrectSnapshotStatus")
		case one.ImageID != "":
			return success{}, refuse("SnapshotCreatedImage")
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
	return success{}, nil
}

// resetDisk restores a disk from a good snapshot of its own. The server must be stopped and must not have been
// reset since.
func (s *Simulator) resetDisk(p *params) effect {
	region, disk, id := p.region(), p.disk(), p.required("SnapshotId")
	return func(now time.Time) (success, *apiError) {
		instance, target := s.state.disk(disk)
		if target == nil || instance.RegionID != region {
			return success{}, refuse("InvalidDiskId.NotFound")
		}
		one := s.state.snapshot(id)
		switch {
		case one == nil || one.DiskID != disk:
			return success{}, refuse("InvalidSnapshotId.NotFound")
		case instance.Status != instanceStopped:
			return success{}, refuse("IncorrectInstanceStatus")
		case one.Status != Accomplished || one.Unrestorable:
			return success{}, refuse("IncorrectSnapshotStatus")
		}
		one.RollbackTime = now
		return success{}, nil
	}
}
