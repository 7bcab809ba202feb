package snapshot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// The tests of this package run the core against the simulated API, in a bubble of testing/synctest: time passes at
// once, and starts at the 1st of January 2000, 00:00 UTC, a Saturday.

const region = "cn-hangzhou"

// account is a simulated account, and the notifications of all services over it.
type account struct {
	*simulator.Simulator
	t      testing.TB
	policy snapshot.Policy

	mu   sync.Mutex
	sent []snapshot.Notification
}

// newAccount returns an account of one server, i-1, with a system disk d-1 and a data disk d-2, on which a snapshot takes
// 20 minutes.
func newAccount(t testing.TB, policy snapshot.Policy, change ...func(*simulator.Config)) *account {
	config := simulator.Config{
		Credentials: []simulator.Credential{
			{AccessKeyID: "take", Actions: simulator.TakeActions}, {AccessKeyID: "sweep", Actions: simulator.SweepActions},
		},
		Instances:      []simulator.Instance{{ID: "i-1", RegionID: region, Disks: []simulator.Disk{{ID: "d-1"}, {ID: "d-2"}}}},
		Duration:       20 * time.Minute,
		CallsPerMinute: simulator.Unlimited,
	}
	for _, c := range change {
		c(&config)
	}
	policy.RegionID = region
	return &account{Simulator: simulator.New(config), t: t, policy: policy}
}

// web is a policy of one target, web-1, on the disk d-1.
func web(keep ...snapshot.Slots) snapshot.Policy {
	return snapshot.Policy{Targets: []snapshot.Target{{Name: "web-1", DiskID: "d-1", Keep: keep}}}
}

// slots is a role of keep; without a schedule only orders take it.
func slots(role string, count int, schedule ...snapshot.Schedule) snapshot.Slots {
	s := snapshot.Slots{Role: role, Count: count}
	if len(schedule) > 0 {
		s.Schedule = schedule[0]
	}
	return s
}

// every is a schedule: each period, counted from the beginning of the year 2000 and shifted by offset.
type every struct{ period, offset time.Duration }

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (e every) Latest(t time.Time) time.Time {
	n := t.Sub(epoch.Add(e.offset))
	if n < 0 {
		n -= e.period - 1
	}
	return epoch.Add(e.offset).Add(n / e.period * e.period)
}

func (e every) Next(t time.Time) time.Time { return e.Latest(t).Add(e.period) }

const day = 24 * time.Hour

// daily is due at 03:00, weekly on Sundays at 04:00.
var (
	daily  = every{day, 3 * time.Hour}
	weekly = every{7 * day, day + 4*time.Hour}
)

// service returns the core of a new process, whose clock is off by skew.
func (a *account) service(skew ...time.Duration) *snapshot.Service {
	s := &snapshot.Service{
		API: caller{a.Simulator, "take"}, Policy: a.policy, Instance: snapshot.NewInstance(0),
		Notify: func(_ context.Context, n snapshot.Notification) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.sent = append(a.sent, n)
		},
	}
	if len(skew) > 0 {
		s.Now = func() time.Time { return time.Now().Add(skew[0]) }
	}
	return s
}

// sweep sweeps once, as a new process.
func (a *account) sweep() []snapshot.Result {
	a.t.Helper()
	return a.sweepBy(a.service(), snapshot.Tick{Time: time.Now()})
}

func (a *account) sweepBy(s *snapshot.Service, tick snapshot.Tick) []snapshot.Result {
	s.API = caller{a.Simulator, "sweep"}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return s.Sweep(ctx, caller{a.Simulator, "sweep"}, tick)
}

// sweeps sweeps every ten minutes for a while.
func (a *account) sweeps(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Until(time.Now().Truncate(10 * time.Minute).Add(10 * time.Minute)))
		a.sweep()
	}
}

// order returns an order for web-1.
func order(role, key string) snapshot.Order {
	return snapshot.Order{Target: "web-1", Role: role, Sender: "api", Key: key}
}

// take does an order, as a new process.
func (a *account) take(o snapshot.Order) snapshot.Result {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return a.service().Take(ctx, o)
}

// add plants a snapshot of ours on d-1, accomplished, of an age.
func (a *account) add(id, role string, old time.Duration, change ...func(*simulator.Snapshot)) {
	one := simulator.Snapshot{ID: id, Name: role + "-web-1-" + id, DiskID: "d-1", CreationTime: time.Now().Add(-old), Tags: []simulator.Tag{
		{Key: snapshot.TagToken, Value: "token-" + id}, {Key: snapshot.TagMeta, Value: role + "/api/0123456789ab/5i5fgz"},
	}}
	for _, c := range change {
		c(&one)
	}
	a.AddSnapshot(one)
}

func foreign(one *simulator.Snapshot) { one.Tags = nil }
func failed(one *simulator.Snapshot)  { one.Status = simulator.Failed }
func running(one *simulator.Snapshot) { one.Status = simulator.Progressing }
func pinned(one *simulator.Snapshot) {
	one.Tags = append(one.Tags, simulator.Tag{Key: snapshot.TagKeep, Value: "forever"})
}
func onDisk(id string) func(*simulator.Snapshot) {
	return func(one *simulator.Snapshot) { one.DiskID = id }
}

// ids returns the IDs of all snapshots, sorted.
func (a *account) ids() []string {
	var ids []string
	for _, one := range a.Snapshots() {
		ids = append(ids, one.ID)
	}
	slices.Sort(ids)
	return ids
}

// roles returns how many snapshots of each role there are.
func (a *account) roles() map[string]int {
	roles := make(map[string]int)
	for _, one := range a.Snapshots() {
		role := "foreign"
		if i := slices.IndexFunc(one.Tags, func(t simulator.Tag) bool { return t.Key == snapshot.TagMeta }); i >= 0 {
			role, _, _ = strings.Cut(one.Tags[i].Value, "/")
		}
		roles[role]++
	}
	return roles
}

// calls returns the actions that were called since the last time, in their order.
func (a *account) calls() []string {
	var actions []string
	for _, call := range a.Calls() {
		actions = append(actions, call.Action)
	}
	a.ResetCalls()
	return actions
}

// bubble runs a test in parallel with others, in a bubble of its own, at 00:00 of the 10th of January 2000, a Monday.
func bubble(t *testing.T, test func(*testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(9 * day)
		test(t)
	})
}

// caller calls the simulated API with an access key, without HTTP.
type caller struct {
	api interface {
		Do(ctx context.Context, accessKeyID, action string, params map[string]string) simulator.Reply
	}
	key string
}

var (
	_ snapshot.API     = caller{}
	_ snapshot.Deleter = caller{}
)

func (c caller) call(ctx context.Context, action string, params map[string]string) (simulator.Reply, error) {
	if err := ctx.Err(); err != nil {
		return simulator.Reply{}, &snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer, Message: err.Error()}
	}
	reply := c.api.Do(ctx, c.key, action, params)
	switch {
	case reply.Lost:
		return reply, &snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer, Message: "lost"}
	case reply.Code != "":
		return reply, &snapshot.APIError{Action: action, Code: reply.Code, Message: reply.Message, RequestID: reply.RequestID, Status: reply.Status}
	case reply.Status != http.StatusOK:
		return reply, errors.New("the simulator answered " + strconv.Itoa(reply.Status))
	}
	return reply, nil
}

func (c caller) CreateSnapshot(ctx context.Context, r snapshot.Request) (snapshot.Created, error) {
	params := map[string]string{"RegionId": r.RegionID, "DiskId": r.DiskID, "SnapshotName": r.SnapshotName, "ClientToken": r.ClientToken}
	if r.ResourceGroupID != "" {
		params["ResourceGroupId"] = r.ResourceGroupID
	}
	setTags(params, r.Tags)
	reply, err := c.call(ctx, "CreateSnapshot", params)
	return snapshot.Created{SnapshotID: reply.SnapshotID, RequestID: reply.RequestID}, err
}

func setTags(params map[string]string, tags []snapshot.Tag) {
	for i, tag := range tags {
		params[fmt.Sprintf("Tag.%d.Key", i+1)], params[fmt.Sprintf("Tag.%d.Value", i+1)] = tag.Key, tag.Value
	}
}

func (c caller) ListSnapshots(ctx context.Context, regionID string, page int) (snapshot.SnapshotPage, error) {
	reply, err := c.call(ctx, "ListSnapshots", map[string]string{"RegionId": regionID, "PageNumber": strconv.Itoa(page), "PageSize": strconv.Itoa(snapshot.PageSize)})
	result := snapshot.SnapshotPage{Total: reply.Total}
	for _, one := range reply.Snapshots {
		shown := snapshot.Snapshot{
			ID: one.ID, Name: one.Name, RegionID: one.RegionID, DiskID: one.DiskID, InstanceID: one.InstanceID,
			Status: snapshot.ParseStatus(one.Status), Progress: strconv.Itoa(one.Progress) + "%", CreationTime: one.CreationTime,
		}
		for _, tag := range one.Tags {
			shown.Tags = append(shown.Tags, snapshot.Tag(tag))
		}
		result.Snapshots = append(result.Snapshots, shown)
	}
	return result, err
}

func (c caller) ListDisks(ctx context.Context, regionID string, page int) (snapshot.DiskPage, error) {
	reply, err := c.call(ctx, "ListDisks", map[string]string{"RegionId": regionID, "PageNumber": strconv.Itoa(page), "PageSize": strconv.Itoa(snapshot.PageSize)})
	result := snapshot.DiskPage{Total: reply.Total}
	for _, one := range reply.Disks {
		result.Disks = append(result.Disks, snapshot.Disk{ID: one.ID, InstanceID: one.InstanceID, System: strings.EqualFold(one.Type, "system"), Status: one.Status})
	}
	return result, err
}

func (c caller) TagSnapshot(ctx context.Context, regionID, snapshotID string, tags []snapshot.Tag) error {
	params := map[string]string{"RegionId": regionID, "ResourceType": "snapshot", "ResourceId.1": snapshotID}
	setTags(params, tags)
	_, err := c.call(ctx, "TagResources", params)
	return err
}

func (c caller) DeleteSnapshot(ctx context.Context, regionID, snapshotID, clientToken string) error {
	_, err := c.call(ctx, "DeleteSnapshot", map[string]string{"RegionId": regionID, "SnapshotId": snapshotID, "ClientToken": clientToken})
	return err
}
