package simulator

import (
	"context"
	"strings"
)

// Reply is the answer to a call without HTTP.
type Reply struct {
	Status    int    // of HTTP; 0: no answer
	Code      string // of the refusal; empty: success or no answer
	Message   string // of the refusal
	RequestID string

	// Lost says that a fault took the answer or made it unreadable. Everything else is then empty, whether the action
	// did its work or not.
	Lost bool

	SnapshotID string       // of CreateSnapshot
	Snapshots  []Snapshot   // of ListSnapshots, with what the list shows only
	Disks      []ListedDisk // of ListDisks
	Total      int          // of both lists, on all pages
}

// Do makes one call without HTTP, signature and JSON, for tests that make very many. Everything else is as over HTTP:
// the key must be known and allowed the action, the rate limit, faults and rules apply, and [Simulator.Calls] shows
// the call. The simulator keeps params: do not change them afterwards.
func (s *Simulator) Do(ctx context.Context, accessKeyID, action string, params map[string]string) Reply {
	version := apiVersion
	if actions[action].sts {
		version = stsVersion
	}
	q := &request{action: action, version: version, unsigned: true, accessKeyID: accessKeyID, params: params}
	return s.run(ctx, q, nil).reply()
}

// reply is the result for a caller without HTTP.
func (r result) reply() Reply {
	if kind := r.fault.kind(); kind != AnswerTrue && kind != AnswerError {
		return Reply{Lost: true}
	}
	reply := Reply{Status: r.status, RequestID: strings.TrimSpace(r.call.RequestID)}
	if r.refusal != nil {
		reply.Code, reply.Message = r.refusal.Code, r.refusal.Message
		return reply
	}
	switch a := r.answer.(type) {
	case created:
		reply.SnapshotID = a.snapshotID
	case snapshotList:
		reply.Snapshots, reply.Total = a.snapshots, a.total
	case diskList:
		reply.Disks, reply.Total = a.disks, a.total
	}
	return reply
}
