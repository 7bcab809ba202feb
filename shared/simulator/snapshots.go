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
			func() *apiError { return s.checkQuota(instance.ID) },
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
			fails:           s.state.willFail(disk),
		}
		s.state.snapshots = append(s.state.snapshots, one)
		return answer{"SnapshotId": one.ID}, nil
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
// disk is gone.
func (s *Simulator) checkQuota(instance string) *apiError {
	ofServer := s.state.count(func(one *Snapshot) bool { return one.InstanceID == instance })
	limit := min(snapshotsPerServer*len(s.state.instances), s.config.AccountLimit)
	if ofServer >= snapshotsPerServer || len(s.state.snapshots) >= limit {
		return refuse("SnapshotLimitExceed")
	}
	return nil
}

// listSnapshots answers a page of the snapshots of a region that match every filter, newest first. The filter
// InstanceId compares what the list tells, and that is empty for data disks.
func (s *Simulator) listSnapshots(p *params) effect {
	region, ids, page, group, filters := p.region(), p.ids("SnapshotIds"), p.page(), p.group(), p.tagFilters()
	diskType := p.values["SourceDiskType"]
	if diskType != "" && !strings.EqualFold(diskType, diskSystem) && !strings.EqualFold(diskType, diskData) {
		p.fail(invalid("SourceDiskType"))
	}
	disk, instance := p.values["DiskId"], p.values["InstanceId"]
	return func(time.Time) (answer, *apiError) {
		var found []answer
		for _, one := range s.state.newestFirst() {
			if one.RegionID == region && matchesID(ids, one.ID) && matches(disk, one.DiskID) && matches(instance, one.wireInstance()) &&
				matches(group, one.ResourceGroupID) && (diskType == "" || strings.EqualFold(diskType, one.DiskType)) && matchAll(filters, one.Tags) {
				found = append(found, s.wireSnapshot(one))
			}
		}
		return page.of("Snapshots", found), nil
	}
}

// wireInstance is the server as the API tells it: of system disks only.
func (one *Snapshot) wireInstance() string {
	if strings.EqualFold(one.DiskType, diskSystem) {
		return one.InstanceID
	}
	return ""
}

// wireSnapshot is one element of ListSnapshots.
func (s *Simulator) wireSnapshot(one *Snapshot) answer {
	status := one.Status
	if s.config.CapitalStatus && status != "" {
		status = strings.ToUpper(status[:1]) + status[1:]
	}
	return answer{
		"SnapshotId":      one.ID,
		"SnapshotName":    one.Name,
		"RegionId":        one.RegionID,
		"SourceDiskId":    one.DiskID,
		"SourceDiskType":  one.DiskType,
		"InstanceId":      one.wireInstance(),
		"Status":          status,
		"Progress":        fmt.Sprintf("%d%%", one.Progress),
		"CreationTime":    wireTime(one.CreationTime),
		"RollbackTime":    wireTime(one.RollbackTime),
		"ResourceGroupId": one.ResourceGroupID,
		"Remark":          one.Remark,
		"Tags":            wireTags(one.Tags),
	}
}

// deleteSnapshot deletes one snapshot.
func (s *Simulator) deleteSnapshot(p *params) effect {
	region, id := p.region(), p.required("SnapshotId")
	return func(time.Time) (answer, *apiError) { return s.delete(region, []string{id}) }
}

// deleteSnapshots deletes up to 100 snapshots, all of them or none.
func (s *Simulator) deleteSnapshots(p *params) effect {
	region := p.region()
	p.required("SnapshotIds")
	ids := p.ids("SnapshotIds")
	return func(time.Time) (answer, *apiError) { return s.delete(region, ids) }
}

// delete refuses an unknown snapshot, one in progress and one from which a custom image was made. Of these the
// documents give a code to the first only.
func (s *Simulator) delete(region string, ids []string) (answer, *apiError) {
	for _, id := range ids {
		one := s.state.snapshot(id)
		switch {
		case one == nil || one.RegionID != region:
			return nil, refuse("InvalidSnapshotId.NotFound")
		case one.Status == Progressing:
			return nil, refuse("IncorrectSnapshotStatus")
		case one.ImageID != "":
			return nil, refuse("SnapshotCreatedImage")
		}
	}
	s.state.remove(func(one *Snapshot) bool { return slices.Contains(ids, one.ID) })
	return answer{}, nil
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
		return answer{}, nil
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
		return answer{}, nil
	}
}
