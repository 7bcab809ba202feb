package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"swas-snapshot/shared/notify"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// function is what a process of one function keeps between invocations.
type function struct {
	name     string // timer, http or event, for the log
	getenv   func(string) string
	log      *slog.Logger
	source   *platform.Source
	settings func() (*settings, error) // read at the first invocation: a cold start reads nothing
}

// settings holds what a function reads at its first invocation.
type settings struct {
	environment
	policy   policy.Policy
	instance *snapshot.Instance
	notifier *notify.Notifier // nil: the policy has no rules of notify
}

func newFunction(name string, getenv func(string) string, log *slog.Logger) *function {
	f := &function{name: name, getenv: getenv, log: log, source: &platform.Source{Getenv: getenv}}
	f.settings = sync.OnceValues(f.readSettings)
	return f
}

// readSettings reads the environment and the policy. Its error says every defect, under the code of the first.
func (f *function) readSettings() (*settings, error) {
	e, defects := readEnvironment(f.getenv)
	p, err := policy.Load(policy.Path(f.getenv), f.getenv)
	if err != nil {
		defects = append(defects, err)
	}
	if len(defects) > 0 {
		all := *snapshot.AsError(defects[0])
		for _, defect := range defects[1:] {
			all.Message += "\n" + snapshot.AsError(defect).Message
		}
		f.log.Error("the function is not configured", "code", all.Code, "error", all.Message)
		return nil, &all
	}
	s := &settings{environment: e, policy: p, instance: snapshot.NewInstance(e.calls)}
	if len(p.Notify) > 0 {
		s.notifier = notify.New(p.Notify, nil, nil, f.log)
	}
	return s, nil
}

// invocation holds what one invocation works with, and what it did.
type invocation struct {
	platform.Invocation
	log     *slog.Logger // adds the request ID to each line
	started time.Time
	policy  policy.Policy
	client  *swas.Client
	service *snapshot.Service

	stats         snapshot.Stats
	notifications notifications
	record        record
}

// work does what an event asks for and returns the platform's answer. Its error is a [platform.Failure].
type work func(ctx context.Context, i *invocation, event []byte) ([]byte, error)

// handler returns the platform's handler of the function. Where the function is not configured or has no valid
// credentials, refuse makes the answer in place of do.
func (f *function) handler(
	do work, refuse func(i *invocation, event []byte, err error) ([]byte, error),
) platform.Handler {
	return func(ctx context.Context, from platform.Invocation, event []byte) (body []byte, err error) {
		i := &invocation{Invocation: from, log: f.log.With("requestId", from.RequestID), started: time.Now()}
		err = errPanicked // until there is an answer; the text of a panic may hold what the event held
		defer func() { f.summarize(ctx, i, err) }()
		notifier, defect := f.prepare(i)
		if defect != nil {
			i.record.addResults(snapshot.Result{Error: snapshot.AsError(defect)})
			body, err = refuse(i, event, defect)
			return body, err
		}
		body, err = do(ctx, i, event)
		i.notifications.send(ctx, notifier, i.record.notifyMax())
		return body, err
	}
}

// errPanicked is the error of an invocation that panicked, for the summary line.
var errPanicked = failure(errors.New("the function panicked"))

// prepare makes the service of an invocation. Credentials are asked for only when a call needs them.
func (f *function) prepare(i *invocation) (*notify.Notifier, error) {
	s, err := f.settings()
	if err != nil {
		return nil, err
	}
	if err := f.source.Check(i.Invocation); err != nil {
		return nil, &snapshot.Error{Code: snapshot.CodeNoCredentials, Kind: snapshot.KindConfig, Message: err.Error()}
	}
	i.client, err = swas.New(s.endpoint, f.source.Provider(i.Invocation))
	if err != nil {
		return nil, err
	}
	i.policy = s.policy
	p := s.policy.Policy
	p.RegionID = cmp.Or(p.RegionID, s.regionID, i.Region)
	i.service = &snapshot.Service{
		API: i.client, Policy: p, Instance: s.instance, Rand: rand.Float64, Log: i.log,
		Notify: i.notifications.add, Stats: &i.stats,
	}
	return s.notifier, nil
}

// failure returns the platform's form of an error; nil stays nil.
func failure(err error) error {
	known := snapshot.AsError(err)
	if known == nil {
		return nil
	}
	return platform.Failure{Type: known.Code, Message: known.Message}
}
