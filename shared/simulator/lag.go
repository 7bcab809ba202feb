package simulator

import (
	"slices"
	"strings"
	"time"
)

// Lag is how long lists and the quota take to follow a change, by Config.Now. The zero value is no time.
type Lag struct {
	Created time.Duration // a new snapshot is not listed
	Deleted time.Duration // a deleted snapshot is still listed
	Tags    time.Duration // tags set or removed since the creation of a snapshot do not change its listed ones
	Slots   time.Duration // a deleted snapshot still occupies its slot
	NoTags  bool          // lists of snapshots never show tags
}

// SetLag replaces Config.Lag, for past changes, too. Only ListSnapshots and the quota lag: names, tokens and IDs
// follow at once.
func (s *Simulator) SetLag(lag Lag) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = lag
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
		var gone []Snapshot
		for _, one := range slices.Backward(s.state.deleted) {
			if one.RegionID == region {
				gone = append(gone, s.listed(one.Snapshot, now))
			}
		}
		copyTags(list)
		copyTags(gone)
		list = slices.Clone(s.config.ListView(accessKeyID, list, gone)) // a copy: the function may keep its own
	}
	slices.SortStableFunc(list, func(a, b Snapshot) int { return b.CreationTime.Compare(a.CreationTime) })
	return list
}

// copyTags gives every snapshot its own tags. All share one array, because lists are made very often.
func copyTags(list []Snapshot) {
	n := 0
	for i := range list {
		n += len(list[i].Tags)
	}
	all := make([]Tag, 0, n)
	for i := range list {
		from := len(all)
		all = append(all, list[i].Tags...)
		list[i].Tags = all[from:len(all):len(all)]
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
