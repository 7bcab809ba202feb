package wiring

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// Function is what a process keeps between invocations. Make one with [New].
type Function struct {
	name   string // timer, http or event, for the log
	getenv func(string) string
	log    *slog.Logger
	source *platform.Source
	loaded func() (*loaded, error) // at the first invocation: a cold start reads nothing
}

// loaded is what a function reads at its first invocation.
type loaded struct {
	policy   policy.Policy
	regionID string // ALIBABA_CLOUD_REGION_ID
	endpoint string
	instance *snapshot.Instance
	notifier *notify.Notifier // nil: nobody is told
}

// New returns a function that logs to standard error.
func New(name string, getenv func(string) string) *Function {
	log, err := platform.Logger(getenv, os.Stderr)
	if err != nil {
		err = badConfig(err.Error())
	}
	log = slog.New(requestIDs{log.Handler()})
	slog.SetDefault(log) // for what the platform's part has to say
	f := &Function{name: name, getenv: getenv, log: log, source: &platform.Source{Getenv: getenv}}
	f.loaded = sync.OnceValues(func() (*loaded, error) { return f.load(err) })
	return f
}

// load reads the environment and the policy. Every defect is in the error.
func (f *Function) load(logErr error) (*loaded, error) {
	settings, wrong := readEnvironment(f.getenv)
	p, policyErr := policy.Load(policy.Path(f.getenv), f.getenv)
	if err := every(append([]error{logErr}, append(wrong, policyErr)...)...); err != nil {
		f.log.Error("the function is not configured", "code", err.Code, "error", err.Message)
		return nil, err
	}
	l := &loaded{policy: p, regionID: settings.regionID, endpoint: settings.endpoint, instance: snapshot.NewInstance(settings.calls)}
	l.notifier = notifier(p.Notify, f.log)
	return l, nil
}

// every returns one error that says all of them, under the code of the first; nil if there is none.
func every(errs ...error) *snapshot.Error {
	var all *snapshot.Error
	for _, err := range errs {
		if err == nil {
			continue
		}
		one := *snapshot.AsError(err)
		if all != nil {
			one.Code, one.Message = all.Code, all.Message+"\n"+one.Message
		}
		all = &one
	}
	return all
}

// Invocation is what one invocation works with.
type Invocation struct {
	platform.Invocation
	Service *snapshot.Service
	policy  policy.Policy
	client  *swas.Client
}

// Sweep does a timer's tick. It is a function of its own, so that a binary that does not call it holds no code that
// deletes.
func Sweep(ctx context.Context, i *Invocation, tick snapshot.Tick) []snapshot.Result {
	return i.Service.Sweep(ctx, swas.Deleter{Client: i.client}, tick)
}

// Handler returns the platform's handler of the function. do answers an invocation; it returns the results for the
// summary line, too. With an error of [Function], do is not called: refuse makes the answer of it.
func (f *Function) Handler(do func(context.Context, *Invocation, []byte) Answered, refuse func([]byte, error) ([]byte, error)) platform.Handler {
	return func(ctx context.Context, from platform.Invocation, event []byte) ([]byte, error) {
		start, stats := time.Now(), &snapshot.Stats{}
		defer func() {
			if value := recover(); value != nil { // no invocation is without its line; the platform's part does the rest
				f.summarize(ctx, from, Answered{Err: failure(errPanicked)}, stats, time.Since(start))
				panic(value)
			}
		}()
		l, err := f.loaded()
		if err != nil {
			f.summarize(ctx, from, Answered{Results: Refuse(err)}, stats, time.Since(start))
			return refuse(event, err)
		}
		told := &notifications{}
		i, err := f.invocation(l, from, stats, told)
		if err != nil {
			f.summarize(ctx, from, Answered{Results: Refuse(err)}, stats, time.Since(start))
			return refuse(event, err)
		}
		answered := do(ctx, i, event)
		told.send(ctx, l.notifier, answered.patience(f.patience()))
		f.summarize(ctx, from, answered, stats, time.Since(start))
		return answered.Body, answered.Err
	}
}

// patience is how long people's robots may take: callers over HTTP wait, timers and events do not.
func (f *Function) patience() time.Duration {
	if f.name == "http" {
		return time.Second
	}
	return notify.Tries * notify.TryTimeout
}

// Answered is the answer to an invocation: what the platform gets, and what the log says of it.
type Answered struct {
	Body    []byte
	Err     error
	Results []snapshot.Result
	Sweep   bool // it was a sweep

	deeds    []deed
	exchange *exchange // over HTTP
	writeBy  time.Time // by when the caller needs the answer; zero: any time
}

// patience returns how long sending notifications may take before the answer leaves the process, at most limit.
func (a Answered) patience(limit time.Duration) time.Duration {
	if a.writeBy.IsZero() {
		return limit
	}
	return min(limit, time.Until(a.writeBy))
}

// errPanicked stands in the log for a panic, whose text may hold what the event held.
var errPanicked = errors.New("the function panicked")

// invocation makes the service of one invocation. Credentials are asked for only when a call needs them.
func (f *Function) invocation(l *loaded, from platform.Invocation, stats *snapshot.Stats, told *notifications) (*Invocation, error) {
	if err := f.source.Check(from); err != nil {
		return nil, &snapshot.Error{Code: snapshot.CodeNoCredentials, Kind: snapshot.KindConfig, Message: err.Error()}
	}
	client, err := swas.New(l.endpoint, f.source.Provider(from))
	if err != nil {
		return nil, err
	}
	core := l.policy.Policy
	core.RegionID = cmp.Or(core.RegionID, l.regionID, from.Region)
	return &Invocation{
		Invocation: from,
		policy:     l.policy,
		client:     client,
		Service: &snapshot.Service{
			API: client, Policy: core, Instance: l.instance, Rand: rand.Float64, Log: f.log.With("requestId", from.RequestID),
			Notify: told.add, Stats: stats,
		},
	}, nil
}
