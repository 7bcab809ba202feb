package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"sync"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
	"swas-snapshot/shared/webhook"
)

// HTTP returns the handler of the function for the HTTP API and the webhooks. It is a [platform.Failure] only if the
// event is not an HTTP request.
//
// A function that is not configured answers every request with 500. What is wrong is for the log, and for a caller with
// the bearer token; to others it is only that something is.
func HTTP(getenv func(string) string, log *slog.Logger) platform.Handler {
	f := newHTTPFunction(getenv, log)
	return f.handler(f.serve, f.refuse)
}

// httpFunction is the function for HTTP, with the secrets that authenticate its callers, each read once.
type httpFunction struct {
	*function
	bearer  func() []string // the tokens of API_TOKEN; none: the bearer token is off
	senders func() webhook.Senders
}

func newHTTPFunction(getenv func(string) string, log *slog.Logger) *httpFunction {
	f := &httpFunction{function: newFunction("http", getenv, log)}
	f.bearer = sync.OnceValue(f.readBearer)
	f.senders = sync.OnceValue(func() webhook.Senders {
		return webhook.OpenSenders(webhook.SecretsFromEnv(getenv), log)
	})
	return f
}

func (f *httpFunction) readBearer() []string {
	tokens, err := webhook.ReadSecrets(f.getenv, "API_TOKEN")
	if err != nil && !errors.Is(err, webhook.ErrUnset) {
		f.log.Warn("the bearer token is off", "why", err.Error())
	}
	return tokens
}

func (f *httpFunction) serve(ctx context.Context, i *invocation, event []byte) ([]byte, error) {
	recorded, senders := core{i.service, &i.record}, f.senders()
	return i.serveHTTP(ctx, event, httpapi.New(httpapi.Options{
		Policy: i.policy, Core: recorded, Bearer: f.bearer(), Signed: senders.Signed(time.Now),
		Hooks: webhook.New(webhook.Options{
			Senders: senders, Policy: i.policy, Core: recorded, Log: i.log,
		}),
		Refused: func(why string) { i.log.Warn("refused a caller", "sender", "api", "why", why) },
	}))
}

func (f *httpFunction) refuse(i *invocation, event []byte, err error) ([]byte, error) {
	shown := *snapshot.AsError(err)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		httpapi.SetSecurityHeaders(w)
		if !httpapi.HasBearer(r.Header, f.bearer()) {
			shown.Message, shown.Advice = "the function is not configured: its log says what is wrong", ""
		}
		httpapi.WriteError(w, &shown)
	})
	return i.serveHTTP(context.Background(), event, handler)
}

// exchange is what the log says of a request over HTTP: never its query, its headers or its body.
type exchange struct {
	method string // "" if no handler saw the request
	path   string // the pattern of the route, for a path may hold anything; "": none
	status int
	code   string // of the problem document, if the answer is one
}

// serveHTTP has handler answer the request of an event, and records the exchange.
func (i *invocation) serveHTTP(ctx context.Context, event []byte, handler http.Handler) ([]byte, error) {
	observed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.record.http = &exchange{method: r.Method, status: http.StatusOK}
		defer func() {
			i.record.http.path = r.Pattern
			if value := recover(); value != nil {
				what := fmt.Sprintf("%T", value) // the value itself may hold what the request held
				if defect, ok := value.(runtime.Error); ok {
					what = defect.Error()
				}
				i.log.Error("http handler panicked", "panic", what)
				panic(value) // trigger.ServeHTTP answers it
			}
		}()
		handler.ServeHTTP(&responseWriter{w, i}, r)
	})
	body, err := trigger.ServeHTTP(ctx, event, observed, func(w http.ResponseWriter, status int, detail string) {
		if i.record.http == nil {
			i.record.http = &exchange{}
		}
		httpapi.WriteStatus(&responseWriter{w, i}, status, detail)
	})
	return body, failure(err)
}

// responseWriter records the exchange in its invocation.
type responseWriter struct {
	http.ResponseWriter
	*invocation
}

// WriteHeader records the status.
func (w *responseWriter) WriteHeader(status int) {
	w.record.http.status = status
	w.ResponseWriter.WriteHeader(status)
}

// LogCode records the code of a problem document.
func (w *responseWriter) LogCode(code string) { w.record.http.code = code }

// SetWriteDeadline records by when the answer must be written: notifications are sent before it leaves the process.
func (w *responseWriter) SetWriteDeadline(by time.Time) error {
	w.record.answerBy = by
	return nil
}

// RequestID returns the platform's ID of the request, which problem documents have: that of the event, else that of the
// invocation.
func (w *responseWriter) RequestID() string {
	if of, ok := w.ResponseWriter.(interface{ RequestID() string }); ok && of.RequestID() != "" {
		return of.RequestID()
	}
	return w.Invocation.RequestID
}
