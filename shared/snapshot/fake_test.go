package snapshot

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// epoch is when the tests' clocks begin.
var epoch = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// fakeClock is a Clock on which a sleep passes at once.
type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *fakeClock { return &fakeClock{now: epoch} }

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.advance(d)
	return ctx.Err()
}

// skewed is the clock of a machine whose time is off.
type skewed struct {
	*fakeClock
	by time.Duration
}

func (c skewed) Now() time.Time { return c.fakeClock.Now().Add(c.by) }

// deadlineContext ends at a time of an injected clock.
type deadlineContext struct {
	context.Context
	clock Clock
	at    time.Time
}

// within returns a context that ends after d on the clock.
func within(clock Clock, d time.Duration) context.Context {
	return deadlineContext{context.Background(), clock, clock.Now().Add(d)}
}

func (c deadlineContext) Deadline() (time.Time, bool) { return c.at, true }

func (c deadlineContext) Err() error {
	if c.clock.Now().Before(c.at) {
		return nil
	}
	return context.DeadlineExceeded
}

// fault is what goes wrong with one call: the code of its answer, and whether the call has its effect all the same.
type fault struct {
	code   string
	effect bool
}

var (
	lostBefore = fault{code: CodeNoAnswer}
	lostAfter  = fault{code: CodeNoAnswer, effect: true}
	emptyAfter = fault{code: CodeEmptyAnswer, effect: true}
	throttled  = fault{code: "Throttling.User"}
)

// called is one call that the fake saw.
type called struct {
	action string
	id     string // disk or snapshot
	at     time.Time
}

// held is a snapshot in the fake's hands.
type held struct {
	Snapshot
	due   time.Time // when it ends
	fails bool
}

type remembers struct {
	request Request
	created Created
}

// fakeAPI is the Simple Application Server API in memory, as facts on its semantics have it: 3 snapshots a server,
// min(3n, 15) an account, unique names, a memory of client tokens, one snapshot of a disk at a time.
type fakeAPI struct {
	mu        sync.Mutex
	clock     *fakeClock
	servers   int
	disks     []Disk
	regionOf  map[string]string // of a disk
	snapshots []held
	tokens    map[string]remembers
	serial    int

	takes    func() (time.Duration, bool) // how long the next snapshot takes, and whether it fails
	fault    func(action string, n int) fault
	latency  time.Duration // of each call
	perMin   int           // calls of an action in a minute; 0: no limit
	window   map[string][]time.Time
	calls    []called
	count    map[string]int
	onDelete func(victim Snapshot, token string) // before a deletion takes effect
	onCreate func(made Snapshot)                 // after a creation took effect
}

func newFake(clock *fakeClock) *fakeAPI {
	return &fakeAPI{
		clock: clock, regionOf: make(map[string]string), tokens: make(map[string]remembers),
		window: make(map[string][]time.Time), count: make(map[string]int),
		takes: func() (time.Duration, bool) { return 20 * time.Minute, false },
	}
}

// server adds a server with a system disk and, with data, a data disk; their IDs are d-<id> and d-<id>data.
func (f *fakeAPI) server(region, id string, data bool) {
	f.servers++
	f.disks = append(f.disks, Disk{ID: "d-" + id, InstanceID: "i-" + id, System: true, Status: "In_use"})
	f.regionOf["d-"+id] = region
	if data {
		f.disks = append(f.disks, Disk{ID: "d-" + id + "data", InstanceID: "i-" + id, Status: "In_use"})
		f.regionOf["d-"+id+"data"] = region
	}
}

// put adds a snapshot as it stands.
func (f *fakeAPI) put(one Snapshot) Snapshot {
	f.serial++
	one.ID = cmp.Or(one.ID, "s-"+strconv.Itoa(1000+f.serial))
	one.Name = cmp.Or(one.Name, "name-"+one.ID)
	one.RegionID = f.regionOf[one.DiskID]
	if disk := f.disk(one.DiskID); disk != nil && disk.System {
		one.InstanceID = disk.InstanceID
	}
	f.snapshots = append(f.snapshots, held{Snapshot: one, due: one.CreationTime.Add(20 * time.Minute)})
	return one
}

func (f *fakeAPI) disk(id string) *Disk {
	for i := range f.disks {
		if f.disks[i].ID == id {
			return &f.disks[i]
		}
	}
	return nil
}

func (f *fakeAPI) serverOf(disk string) string {
	if known := f.disk(disk); known != nil {
		return known.InstanceID
	}
	return ""
}

func (f *fakeAPI) find(id string) *held {
	for i := range f.snapshots {
		if f.snapshots[i].ID == id {
			return &f.snapshots[i]
		}
	}
	return nil
}

// settle ends the snapshots that are due.
func (f *fakeAPI) settle() {
	now := f.clock.Now()
	for i := range f.snapshots {
		one := &f.snapshots[i]
		if one.InProgress() && !now.Before(one.due) {
			one.Status, one.Progress = Accomplished, "100%"
			if one.fails {
				one.Status, one.Progress = Failed, ""
			}
		}
	}
}

// state returns the snapshots as they are now, newest first.
func (f *fakeAPI) state() []Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settle()
	all := make([]Snapshot, len(f.snapshots))
	for i, one := range f.snapshots {
		all[i] = one.Snapshot
	}
	slices.SortFunc(all, newestFirst)
	return all
}

// good returns the good snapshots of a disk, newest first.
func (f *fakeAPI) good(disk string) []Snapshot {
	return slices.DeleteFunc(f.state(), func(one Snapshot) bool { return one.DiskID != disk || !one.Good() })
}

// begin counts a call, lets its time pass and says what goes wrong with it.
func (f *fakeAPI) begin(action, id string) fault {
	f.clock.advance(f.latency)
	f.calls = append(f.calls, called{action, id, f.clock.Now()})
	f.count[action]++
	f.settle()
	if f.perMin > 0 {
		since := f.clock.Now().Add(-time.Minute)
		f.window[action] = slices.DeleteFunc(f.window[action], func(at time.Time) bool { return !at.After(since) })
		if len(f.window[action]) >= f.perMin {
			return throttled
		}
		f.window[action] = append(f.window[action], f.clock.Now())
	}
	if f.fault == nil {
		return fault{}
	}
	return f.fault(action, f.count[action])
}

// do makes one call: with its effect, its fault, or both.
func (f *fakeAPI) do(ctx context.Context, action, id string, effect func() string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	wrong := f.begin(action, id)
	if ctx.Err() != nil {
		wrong = lostBefore
	}
	if wrong.code == "" || wrong.effect {
		if code := effect(); code != "" && wrong.code == "" {
			wrong.code = code
		}
		if ctx.Err() != nil {
			wrong = lostAfter // nobody waits for the answer any more
		}
	}
	if wrong.code != "" {
		return &APIError{Action: action, Code: wrong.code, Message: "injected", RequestID: "R-" + strconv.Itoa(len(f.calls))}
	}
	return nil
}

func (f *fakeAPI) CreateSnapshot(ctx context.Context, request Request) (created Created, err error) {
	err = f.do(ctx, "CreateSnapshot", request.DiskID, func() (code string) {
		created, code = f.create(request)
		return code
	})
	if err != nil {
		return Created{}, err
	}
	return created, nil
}

func (f *fakeAPI) create(request Request) (Created, string) {
	if before, ok := f.tokens[request.ClientToken]; ok && request.ClientToken != "" {
		if fmt.Sprint(before.request) != fmt.Sprint(request) {
			return Created{}, CodeMismatch
		}
		return before.created, ""
	}
	disk := f.disk(request.DiskID)
	if disk == nil || f.regionOf[disk.ID] != request.RegionID {
		return Created{}, CodeDiskNotFound
	}
	onServer := 0
	for _, one := range f.snapshots {
		switch {
		case one.Name == request.SnapshotName:
			return Created{}, CodeNameDuplicate
		case one.DiskID == disk.ID && one.InProgress():
			return Created{}, CodeCreatingSnapshot
		case one.InstanceID == disk.InstanceID || f.serverOf(one.DiskID) == disk.InstanceID:
			onServer++
		}
	}
	if onServer >= SlotsPerServer || len(f.snapshots) >= min(SlotsPerServer*f.servers, SlotsPerAccount) {
		return Created{}, CodeLimitExceed
	}
	length, fails := f.takes()
	made := f.put(Snapshot{
		Name: request.SnapshotName, DiskID: disk.ID, Status: Progressing, Progress: "0%",
		CreationTime: f.clock.Now().Truncate(time.Second), Tags: slices.Clone(request.Tags),
	})
	last := &f.snapshots[len(f.snapshots)-1]
	last.due, last.fails = f.clock.Now().Add(length), fails
	if f.onCreate != nil {
		f.onCreate(made)
	}
	created := Created{SnapshotID: made.ID, RequestID: "R-" + made.ID}
	if request.ClientToken != "" {
		f.tokens[request.ClientToken] = remembers{request, created}
	}
	return created, ""
}

func (f *fakeAPI) ListSnapshots(ctx context.Context, regionID string, page int) (got SnapshotPage, err error) {
	err = f.do(ctx, "ListSnapshots", regionID, func() string {
		all := make([]Snapshot, 0, len(f.snapshots))
		for _, one := range f.snapshots {
			if one.RegionID == regionID {
				all = append(all, one.Snapshot)
			}
		}
		got.Total = len(all)
		got.Snapshots = all[min(len(all), (page-1)*PageSize):min(len(all), page*PageSize)]
		return ""
	})
	return got, err
}

func (f *fakeAPI) ListDisks(ctx context.Context, regionID string, page int) (got DiskPage, err error) {
	err = f.do(ctx, "ListDisks", regionID, func() string {
		all := slices.DeleteFunc(slices.Clone(f.disks), func(disk Disk) bool { return f.regionOf[disk.ID] != regionID })
		got.Total = len(all)
		got.Disks = all[min(len(all), (page-1)*PageSize):min(len(all), page*PageSize)]
		return ""
	})
	return got, err
}

func (f *fakeAPI) DeleteSnapshot(ctx context.Context, regionID, id, token string) error {
	return f.do(ctx, "DeleteSnapshot", id, func() string {
		one := f.find(id)
		if one == nil || one.RegionID != regionID {
			return CodeSnapshotNotFound
		}
		if f.onDelete != nil {
			f.onDelete(one.Snapshot, token)
		}
		f.snapshots = slices.DeleteFunc(f.snapshots, func(one held) bool { return one.ID == id })
		return ""
	})
}

func (f *fakeAPI) TagSnapshot(ctx context.Context, regionID, id string, tags []Tag) error {
	return f.do(ctx, "TagResources", id, func() string {
		one := f.find(id)
		if one == nil || one.RegionID != regionID {
			return CodeSnapshotNotFound
		}
		kept := slices.DeleteFunc(slices.Clone(one.Tags), func(tag Tag) bool { return tag.Key == tags[0].Key })
		one.Tags = append(kept, tags...)
		return ""
	})
}

var _ API = (*fakeAPI)(nil)

// scripted answers each call of an action with the next fault of its list, then with none.
func scripted(action string, faults ...fault) func(string, int) fault {
	return func(a string, n int) fault {
		if a != action || n > len(faults) {
			return fault{}
		}
		return faults[n-1]
	}
}

// always answers every call of an action with one fault.
func always(action string, wrong fault) func(string, int) fault {
	return func(a string, _ int) fault {
		if a != action {
			return fault{}
		}
		return wrong
	}
}

// world is one target on one server, and what watches over it.
type world struct {
	*Service
	clock *fakeClock
	api   *fakeAPI
	facts []Notification
}

const (
	home   = "cn-hangzhou"
	diskID = "d-web"
)

// newWorld makes a world of one server: target web-1 on its system disk, with these slots.
func newWorld(keep ...Slots) *world {
	w := &world{clock: newClock()}
	w.api = newFake(w.clock)
	w.api.server(home, "web", false)
	w.Service = &Service{
		API: w.api, Clock: w.clock, Instance: NewInstance(0), Rand: rand.New(rand.NewPCG(1, 2)).Float64, Stats: &Stats{},
		Policy: Policy{RegionID: home, Targets: []Target{{Name: "web-1", DiskID: diskID, Keep: keep, MaxAge: 26 * time.Hour}}},
		Tell:   func(_ context.Context, fact Notification) { w.facts = append(w.facts, fact) },
	}
	return w
}

// restart is another process of the same function.
func (w *world) restart() { w.Instance = NewInstance(0) }

// ours returns a snapshot as this project takes it, age before the clock.
func (w *world) ours(role string, age time.Duration, status Status, more ...Tag) Snapshot {
	tags := append([]Tag{{TagToken, "sn1-" + role + age.String()}, {TagMeta, role + "/timer/abcdefghijkl"}}, more...)
	return Snapshot{DiskID: diskID, Status: status, CreationTime: w.clock.Now().Add(-age), Tags: tags}
}

// foreign returns a snapshot that somebody else took.
func (w *world) foreign(age time.Duration, status Status) Snapshot {
	return Snapshot{DiskID: diskID, Status: status, CreationTime: w.clock.Now().Add(-age)}
}

// fill puts the snapshots on the server and returns them as they stand there.
func (w *world) fill(all ...Snapshot) []Snapshot {
	put := make([]Snapshot, len(all))
	for i, one := range all {
		put[i] = w.api.put(one)
	}
	return put
}

func (w *world) actions() []string {
	var all []string
	for _, call := range w.api.calls {
		all = append(all, call.action)
	}
	return all
}

// order is an order for web-1 under a key.
func order(role, key string) Order {
	return Order{Target: "web-1", Role: role, Sender: "api", Key: key}
}

// wantCalls fails unless exactly these calls were made.
func wantCalls(t testing.TB, w *world, want ...string) {
	t.Helper()
	if got := w.actions(); !slices.Equal(got, want) {
		t.Errorf("calls: got %v, want %v", got, want)
	}
}

// code returns the code of an error, or "".
func code(err *Error) string {
	if err == nil {
		return ""
	}
	return err.Code
}

// stubbornSnapshot is an API that never manages to delete one snapshot.
type stubbornSnapshot struct {
	API
	id string
}

func (s stubbornSnapshot) DeleteSnapshot(ctx context.Context, regionID, id, token string) error {
	if id == s.id {
		return &APIError{Action: "DeleteSnapshot", Code: CodeInternalError}
	}
	return s.API.DeleteSnapshot(ctx, regionID, id, token)
}
