// Package httpapi is the HTTP API: orders, snapshots, plans and pins of configured targets, for callers that
// authenticate with the bearer token or a Standard Webhooks signature, as far as the policy's allow grants it. No
// caller can name a raw disk. Errors are problem documents; see [Problem].
package httpapi

import (
	"context"
	"net/http"
	"path"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// bodyMax is the size of a request's body in bytes, at most.
const bodyMax = 1 << 20

// Core is what the API asks of the core, as [snapshot.Service] does it.
type Core interface {
	Take(context.Context, snapshot.Order) snapshot.Result
	List(ctx context.Context, target string) (snapshot.Listing, error)
	Plan(ctx context.Context, target string) (snapshot.Plan, error)
	Find(ctx context.Context, id string) (snapshot.Snapshot, snapshot.Target, error)
	Pin(ctx context.Context, id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error)
	Unpin(ctx context.Context, id string, may func(snapshot.Target) error) (snapshot.Pinned, error)
}

// Options holds what [New] needs.
type Options struct {
	// Policy says which targets exist and which caller may do what.
	Policy policy.Policy
	// Core does what authenticated callers ask for.
	Core Core
	// Bearer holds the tokens of API_TOKEN; none switches bearer tokens off.
	Bearer []string
	// Signed reports whether a request carries a valid Standard Webhooks signature, and the ID of its message; nil
	// switches signatures off.
	Signed func(header http.Header, body []byte) (id string, ok bool)
	// Hooks answers everything below /hooks/; nil: 404.
	Hooks http.Handler
	// Refused is called with the reason why a caller is refused, for the log; nil: not called.
	Refused func(why string)
	// Now is the time from which a caller waits for the next sweep; nil: that of the machine.
	Now func() time.Time
}

type api struct{ Options }

// New returns the handler of all requests over HTTP. Without bearer tokens and signatures the API is off: 404.
func New(options Options) http.Handler {
	a := &api{options}
	if a.Now == nil {
		a.Now = time.Now
	}
	routes := http.NewServeMux()
	routes.Handle("/healthz", methods{http.MethodGet: health})
	routes.Handle("/snapshots", methods{
		http.MethodPost: a.authenticated("", a.take), http.MethodGet: a.authenticated(parameterTarget, a.list),
	})
	routes.Handle("/snapshots/{id}", methods{http.MethodGet: a.authenticated("", a.find)})
	routes.Handle("/snapshots/{id}/keep", methods{
		http.MethodPost: a.authenticated("", a.pin), http.MethodDelete: a.authenticated("", a.unpin),
	})
	routes.Handle("/plan", methods{http.MethodGet: a.authenticated(parameterTarget, a.plan)})
	if a.Hooks != nil {
		routes.Handle("/hooks/", a.Hooks)
		routes.HandleFunc("/hooks", notFound)
	}
	routes.HandleFunc("/", notFound)
	return secure(routes)
}

// secure sets the headers of every answer, and refuses what no route takes.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		SetSecurityHeaders(w)
		if r.Header.Get("Content-Encoding") != "" {
			WriteStatus(w, http.StatusUnsupportedMediaType, "Content-Encoding: send the body as it is, uncompressed")
			return
		}
		// The multiplexer would answer a path such as //snapshots with a redirect, which no client of ours follows.
		if r.URL.Path != path.Clean(r.URL.Path) {
			notFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// SetSecurityHeaders sets the headers that every answer has.
func SetSecurityHeaders(w http.ResponseWriter) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
}

// methods holds the handlers of one path.
type methods map[string]http.HandlerFunc

func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if handler, ok := m[method]; ok {
		handler(w, r)
		return
	}
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		if _, ok := m[method]; ok {
			allowed = append(allowed, method)
		}
	}
	allow := strings.Join(allowed, ", ")
	w.Header().Set("Allow", allow)
	WriteStatus(w, http.StatusMethodNotAllowed, "this path takes "+allow)
}

func health(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	WriteStatus(w, http.StatusNotFound, "there is nothing at this path")
}
