package snapshot

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// Service takes snapshots for one invocation of a function. It is cheap to make: an invocation has its own
// credentials, so it has its own API and Service; what outlives it is the [Instance].
//
// No method returns a Go error where a [Result] can carry it: a failed order is an answer, too.
type Service struct {
	API      API
	Policy   Policy
	Instance *Instance      // of this process; required
	Clock    Clock          // nil: the machine's
	Rand     func() float64 // jitter, in [0, 1); nil: none, each wait is as long as it can be
	Log      *slog.Logger   // nil: silent
	// Tell gets every fact that people should know of; nil: nobody. It must not block for long.
	Tell func(context.Context, Notification)
	// TellDone says that somebody wants to hear of accomplished snapshots. Who tells people says with [Service.Told]
	// which of them arrived.
	TellDone bool
	// Stats counts what the invocation did; nil: not counted.
	Stats *Stats
}

// Stats counts the work of an invocation, for its summary line. A caller who could not wait may read it while the work
// still goes on.
type Stats struct {
	Calls   atomic.Int64 // API calls
	Retries atomic.Int64 // API calls beyond the first for the same purpose
	Waited  atomic.Int64 // nanoseconds between calls
}

// reserve is how much of the time to the deadline is left unused, so that the answer still gets out.
const reserve = 2 * time.Second

// noDeadline is the time that an invocation allows itself where the platform sets no deadline.
const noDeadline = time.Minute

// Take does one order. Its result says what became of it; see [Outcome] and [Result.Error].
func (s *Service) Take(ctx context.Context, order Order) Result {
	return s.TakeAll(ctx, []Order{order})[0]
}

// TakeAll does several orders and returns a result for each, in their order. Orders that must wait let the others
// go first; lists of snapshots are shared; at most one snapshot of a server is deleted.
func (s *Service) TakeAll(ctx context.Context, orders []Order) []Result {
	r, ctx := s.begin(ctx)
	jobs := make([]job, len(orders))
	takes := make([]*takeJob, len(orders))
	for i, order := range orders {
		takes[i] = r.newTake(order)
		jobs[i] = takes[i]
		defer takes[i].abandon()
	}
	r.schedule(ctx, jobs)
	results := make([]Result, len(takes))
	for i, take := range takes {
		results[i] = take.result
	}
	return results
}

// Tick does what a timer wants: a snapshot of each target, or a sweep. Without targets it takes one of every target
// that keeps the role, and of those that have no keep at all. An unknown target, or a role that no keep names, is an
// error in its result; nothing is deleted then.
func (s *Service) Tick(ctx context.Context, tick Tick) []Result {
	names, refused := s.tickTargets(tick)
	var done []Result
	if tick.Sweep {
		done = s.sweep(ctx, tick, names)
	} else {
		orders := make([]Order, len(names))
		for i, name := range names {
			orders[i] = tick.order(name, tick.Role)
		}
		done = s.TakeAll(ctx, orders)
	}
	for _, one := range refused {
		done = slices.Insert(done, one.at, one.result)
	}
	return done
}

// refusal is the result of a target that a tick cannot be for, and its place among the targets of the tick.
type refusal struct {
	at     int
	result Result
}

// order returns the order of a tick for a snapshot of target in role. Its identity is the role and the minute, so that
// a redelivery, a second timer or a second platform means the same snapshot.
func (t Tick) order(target, role string) Order {
	o := Order{Target: target, Role: role, Time: t.Time, Actor: t.Trigger, Sender: "timer", Key: SlotKey(role, t.Time)}
	if t.Time.IsZero() {
		o.Sender, o.Key = "invoke", ""
		if t.RequestID != "" {
			o.Key = "request:" + t.RequestID
		}
	}
	return o
}

// tickTargets returns the names of the targets that a tick is for, and the results of those that it cannot be for, by
// their place.
func (s *Service) tickTargets(tick Tick) (names []string, refused []refusal) {
	refuse := func(at int, target string, err *Error) {
		refused = append(refused, refusal{at, Result{Target: target, Role: tick.Role, Error: err}})
	}
	if len(tick.Targets) == 0 {
		known := tick.Sweep || tick.Role != "" && !slices.ContainsFunc(s.Policy.Targets, func(t Target) bool { return len(t.Keep) > 0 })
		for _, target := range s.Policy.Targets {
			_, keeps := target.slots(tick.Role)
			known = known || keeps
			if keeps || len(target.Keep) == 0 || tick.Sweep {
				names = append(names, target.Name)
			}
		}
		switch {
		case len(s.Policy.Targets) == 0:
			refuse(0, "", &Error{Code: CodeUnknownTarget, Kind: KindConfig,
				Message: "the policy has no targets: name at least one disk under targets in snapshots.yaml"})
		case !known: // a typing error must not become the role of those without keep
			refuse(0, "", unknownRole(tick.Role, "no target keeps"))
			return nil, refused
		}
		return names, refused
	}
	for at, name := range tick.Targets {
		target, known := s.Policy.Target(name)
		_, keeps := target.slots(tick.Role)
		switch {
		case !known:
			refuse(at, name, s.unknownTarget(name))
		case !tick.Sweep && len(target.Keep) > 0 && !keeps:
			refuse(at, name, unknownRole(tick.Role, "target "+name+" does not keep"))
		default:
			names = append(names, name)
		}
	}
	return names, refused
}

func unknownRole(role, whoDoesNotKeep string) *Error {
	return &Error{Code: CodeUnknownRole, Kind: KindInvalid,
		Message: "role: " + whoDoesNotKeep + " role " + quote(role) + ": name it under keep in snapshots.yaml, or correct the timer's payload"}
}

func (s *Service) unknownTarget(name string) *Error {
	message := "target: snapshots.yaml has no target " + quote(name)
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

func (s *Service) clock() Clock {
	if s.Clock == nil {
		return wallClock{}
	}
	return s.Clock
}

func (s *Service) random() float64 {
	if s.Rand == nil {
		return 1
	}
	return s.Rand()
}

func (s *Service) log() *slog.Logger { return cmp.Or(s.Log, slog.New(slog.DiscardHandler)) }

// tell lets people know of a fact. The log has it once; whoever tells people knows whom he has told, and tries again with
// those whom he could not reach.
func (s *Service) tell(ctx context.Context, fact Notification) {
	if s.Instance.firstTime(fact.Key) {
		level := slog.LevelWarn
		if fact.Kind == NotifyDone {
			level = slog.LevelInfo
		}
		s.log().Log(ctx, level, "fact", "kind", string(fact.Kind), "target", fact.Target, "regionId", fact.RegionID, "diskId", fact.DiskID,
			"snapshotId", fact.SnapshotID, "what", fact.What)
	}
	if s.Tell != nil {
		s.Tell(ctx, fact)
	}
}
