package snapshot

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Service does the work of one invocation of a function. It is cheap to make: an invocation has its own credentials,
// so it has its own API and Service; what outlives it is the [Instance].
//
// No method returns a Go error where a [Result] can carry it: a failed order is an answer, too.
type Service struct {
	API      API
	Policy   Policy
	Instance *Instance        // of this process; required
	Now      func() time.Time // the clock by which snapshots and events age; nil: the machine's
	Rand     func() float64   // jitter, in [0, 1); nil: none, each wait is as long as it can be
	Log      *slog.Logger     // nil: silent
	// Notify gets every notification, before the rules of the policy choose among them; nil: they are dropped. It must
	// not block.
	Notify func(context.Context, Notification)
	// Stats counts what the invocation did; nil: not counted.
	Stats *Stats

	// disabled names a row of the tables in rules.go that tests switch off, to see that they would find it missing.
	disabled string
}

// Stats counts the work of an invocation, for its summary line. A caller who could not wait may read it while the work
// still goes on.
type Stats struct {
	Calls   atomic.Int64 // API calls
	Retries atomic.Int64 // API calls beyond the first for the same purpose
	Waited  atomic.Int64 // nanoseconds between calls
}

// Take does one order. Its result says what became of it; see [Outcome] and [Result.Error]. It never deletes.
func (s *Service) Take(ctx context.Context, order Order) Result {
	return s.TakeAll(ctx, []Order{order})[0]
}

// TakeAll does several orders and returns a result for each, in their order. Orders for different disks do not wait
// for each other; lists of snapshots are shared.
func (s *Service) TakeAll(ctx context.Context, orders []Order) []Result {
	r, ctx, cancel := s.begin(ctx)
	defer cancel()
	type disk struct{ target, diskID string }
	byDisk := make(map[disk][]int)
	var disks []disk
	for i, order := range orders {
		key := disk{order.Target, order.DiskID}
		if byDisk[key] == nil {
			disks = append(disks, key)
		}
		byDisk[key] = append(byDisk[key], i)
	}
	results := make([]Result, len(orders))
	r.parallel(len(disks), func(n int) {
		for _, i := range byDisk[disks[n]] {
			results[i] = r.take(ctx, orders[i])
		}
	})
	return results
}

// parallelMax is how many regions or disks are worked on at once.
const parallelMax = 8

// parallel calls do with 0 to n-1, some at once, and returns when all are done. A panic of one is the caller's.
func (r *run) parallel(n int, do func(int)) {
	if n == 1 {
		do(0)
		return
	}
	var all sync.WaitGroup
	var panicked atomic.Value
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	for range min(n, parallelMax) {
		all.Go(func() {
			defer func() {
				if value := recover(); value != nil {
					panicked.CompareAndSwap(nil, panicValue{value})
				}
			}()
			for i := range next {
				do(i)
			}
		})
	}
	all.Wait()
	if value, ok := panicked.Load().(panicValue); ok {
		panic(value.any)
	}
}

// panicValue gives panics of all types the one type that an atomic.Value takes.
type panicValue struct{ any }

func (s *Service) unknownTarget(name string) *Error {
	message := "target: snapshots.yaml has no target " + Quote(name)
	names := make([]string, len(s.Policy.Targets))
	for i, target := range s.Policy.Targets {
		names[i] = target.Name
	}
	if near := Nearest(name, names); near != "" {
		message += ": did you mean " + near + "?"
	} else {
		message += ": name one of its targets"
	}
	return &Error{Code: CodeUnknownTarget, Kind: KindUnknown, Message: message}
}

// unknownRole is the error about a role that a target does not keep.
func unknownRole(role string, target Target) *Error {
	message := "role: keep of " + target.Name + " does not name " + Quote(role) + ", so its snapshot would occupy a slot for ever"
	names := make([]string, len(target.Keep))
	for i, slots := range target.Keep {
		names[i] = slots.Role
	}
	if near := Nearest(role, names); near != "" {
		message += ": did you mean " + near + "? It has " + target.roles()
	} else {
		message += ": use one of " + target.roles() + ", or name the role under keep in snapshots.yaml"
	}
	return &Error{Code: CodeUnknownRole, Kind: KindInvalid, Message: message}
}

func (s *Service) log() *slog.Logger { return cmp.Or(s.Log, slog.New(slog.DiscardHandler)) }

// notify logs a notification once in a process, and hands it on each time: the notifier repeats what did not arrive.
func (s *Service) notify(ctx context.Context, n Notification) {
	if s.Instance.firstTime(n.Key) {
		level := slog.LevelWarn
		if slices.Contains([]NotificationKind{NotifyDone, NotifyDeleted}, n.Kind) {
			level = slog.LevelInfo
		}
		s.log().Log(ctx, level, "notification", "kind", string(n.Kind), "target", n.Target, "regionId", n.RegionID,
			"diskId", n.DiskID, "snapshotId", n.SnapshotID, "what", n.What)
	}
	if s.Notify != nil {
		s.Notify(ctx, n)
	}
}
