package snapshot

import (
	"strings"
	"time"
)

// Status is the state of a snapshot. The API's documents write it with a capital, its servers without:
// [ParseStatus] reads both.
type Status string

// The three statuses that the API documents. Any other is unknown: never good, never a reason to delete.
const (
	Progressing  Status = "progressing"
	Accomplished Status = "accomplished"
	Failed       Status = "failed"
)

// ParseStatus reads a status without regard to case or surrounding blanks.
func ParseStatus(text string) Status { return Status(strings.ToLower(strings.TrimSpace(text))) }

// Snapshot is one snapshot as ListSnapshots shows it.
type Snapshot struct {
	ID           string
	Name         string
	RegionID     string
	DiskID       string // SourceDiskId; it stays when the disk is gone
	InstanceID   string // filled for snapshots of system disks only
	Status       Status
	Progress     string // text, "100%"
	CreationTime time.Time
	Tags         []Tag
}

// Good reports whether the snapshot is accomplished: it can restore its disk.
func (s Snapshot) Good() bool { return s.Status == Accomplished }

// InProgress reports whether the snapshot is being taken.
func (s Snapshot) InProgress() bool { return s.Status == Progressing }

// Tag returns the value of a tag and whether the snapshot carries it.
func (s Snapshot) Tag(key string) (string, bool) {
	for _, tag := range s.Tags {
		if tag.Key == key {
			return tag.Value, true
		}
	}
	return "", false
}

// created returns the creation time as answers show it: RFC 3339, UTC; "" if the API did not tell it.
func (s Snapshot) created() string {
	if s.CreationTime.IsZero() {
		return ""
	}
	return s.CreationTime.UTC().Format(time.RFC3339)
}

// Disk is one disk as ListDisks shows it.
type Disk struct {
	ID         string
	InstanceID string // the server to which it is attached
	System     bool   // DiskType is System
	Status     string
}
