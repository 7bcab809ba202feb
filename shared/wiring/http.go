package wiring

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
	"swas-snapshot/shared/webhook"
)

// invocationKey is the key of the invocation in a request's context.
type invocationKey struct{}

// recorder is a core that keeps what it did for the summary line.
type recorder struct {
	*snapshot.Service
	requestID string // of the invocation

	mu       sync.Mutex
	results  []snapshot.Result
	deeds    []deed
	exchange *exchange
	writeBy  time.Time // by when the answer must be written; zero: any time
}

// Take does an order and remembers its result.
func (r *recorder) Take(ctx context.Context, order snapshot.Order) snapshot.Result {
	return r.TakeAll(ctx, []snapshot.Order{order})[0]
}

// TakeAll does orders and remembers their results.
func (r *recorder) TakeAll(ctx context.Context, orders []snapshot.Order) []snapshot.Result {
	results := r.Service.TakeAll(ctx, orders)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, results...)
	return results
}

// HTTP answers an invocation of the HTTP function.
func (f *Function) HTTP() func(context.Context, *Invocation, []byte) Answered {
	handler := sync.OnceValue(f.httpHandler)
	return func(ctx context.Context, i *Invocation, event []byte) Answered {
		r := &recorder{Service: i.Service, requestID: i.RequestID}
		body, err := trigger.ServeHTTP(context.WithValue(ctx, invocationKey{}, r), event, handler())
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.exchange == nil && err == nil {
			r.exchange = unseen(body)
		}
		return Answered{Body: body, Err: failure(err), Results: r.results, deeds: r.deeds, exchange: r.exchange, writeBy: r.writeBy}
	}
}

// httpHandler makes the handler of the API, once, when the policy is known.
func (f *Function) httpHandler() http.Handler {
	l, err := f.loaded()
	if err != nil { // the handler is made only after the function was loaded
		return http.NotFoundHandler()
	}
	secrets := webhook.SecretsFromEnv(f.getenv)
	return watched(httpapi.New(httpapi.Config{
		Policy: l.policy,
		Core:   func(ctx context.Context) (httpapi.Core, error) { return recorderOf(ctx), nil },
		Bearer: f.bearer(),
		Signed: signed(secrets),
		Hooks: webhook.New(webhook.Options{
			Secrets: secrets, Policy: l.policy, Log: f.log,
			Core: func(ctx context.Context) (webhook.Core, error) { return recorderOf(ctx), nil },
		}),
		Refused: func(ctx context.Context, why string) {
			f.log.WarnContext(ctx, "refused a caller", "sender", "api", "why", why)
		},
	}), func(request *http.Request, seen exchange) {
		r := recorderOf(request.Context())
		r.mu.Lock()
		defer r.mu.Unlock()
		r.exchange = &seen
	})
}

// bearer returns the bearer tokens; none shuts the door that they open.
func (f *Function) bearer() []string {
	tokens, err := webhook.ReadSecrets(f.getenv, "API_TOKEN")
	if err != nil && !errors.Is(err, webhook.ErrUnset) {
		f.log.Warn("the bearer token is off", "why", err.Error())
	}
	return tokens
}

// recorderOf returns the core of the invocation that a request belongs to.
func recorderOf(ctx context.Context) *recorder { return ctx.Value(invocationKey{}).(*recorder) }

// signed returns the check of Standard Webhooks signatures; nil without valid secrets, of which the handler of webhooks
// logs what is wrong.
func signed(secrets webhook.Secrets) func(http.Header, []byte) (string, bool) {
	verifier, err := webhook.NewStandardVerifier(secrets)
	if err != nil {
		return nil
	}
	return func(header http.Header, body []byte) (string, bool) {
		err := verifier.Verify(header, body, time.Now())
		return header.Get("webhook-id"), err == nil
	}
}

// RefuseHTTP answers an HTTP invocation of a function that is not configured. What is wrong is for the log, and for a
// caller with the bearer token; to anybody else it is only that something is.
func (f *Function) RefuseHTTP(event []byte, wrong error) ([]byte, error) {
	known := snapshot.AsError(wrong)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		shown := *known
		if !httpapi.Bears(r.Header, f.bearer()) {
			shown.Message, shown.Advice = "the function is not configured: its log says what is wrong", ""
		}
		problem.Write(w, &shown)
	})
	body, err := trigger.ServeHTTP(context.Background(), event, handler)
	return body, failure(err)
}
