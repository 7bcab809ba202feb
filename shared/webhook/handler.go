package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
)

// Core is what webhooks ask of the core; [snapshot.Service] is one.
type Core interface {
	Take(context.Context, snapshot.Order) snapshot.Result
	TakeAll(context.Context, []snapshot.Order) []snapshot.Result
	List(ctx context.Context, target string) (snapshot.Listing, error)
	Plan(ctx context.Context, target string) (snapshot.Plan, error)
	Find(ctx context.Context, id string) (snapshot.Snapshot, snapshot.Target, error)
	Pin(ctx context.Context, id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error)
}

// Config is what the webhooks need.
type Config struct {
	// Secrets switch senders on; see [SecretsFromEnv].
	Secrets Secrets
	// Policy says who may do what.
	Policy policy.Policy
	// Core returns the core for an invocation; it is asked only for authentic requests. Its error becomes the answer.
	Core func(context.Context) (Core, error)
	// Log is told of every decision; nil: silent.
	Log *slog.Logger
	// Now is the time by which signatures are judged; nil: that of the machine.
	Now func() time.Time
	// Rand is for the noise in encrypted answers, several at once; nil: crypto/rand.
	Rand io.Reader
}

// bodyMax is the size of a request's body in bytes, at most.
const bodyMax = 1 << 20

// headerMax is the size of the value of a header in bytes, at most. No signature comes near.
const headerMax = 2 << 10

// prefix is the path below which each sender has its own: /hooks/slack. The sender is never guessed from what a
// request holds, or a request without a good signature could pass for one of a sender that has weaker ones.
const prefix = "/hooks/"

type handler struct {
	Config
	senders map[string]enabled
}

// enabled is a sender with its secrets.
type enabled struct {
	kind
	sender
}

// New returns the handler of everything below /hooks/. A sender is there only if its secrets are set and fit to be
// used; why one is not is logged once.
func New(config Config) http.Handler {
	h := &handler{Config: config, senders: make(map[string]enabled)}
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Rand == nil {
		h.Rand = rand.Reader
	}
	for _, kind := range kinds {
		sender, err := kind.open(config.Secrets)
		switch {
		case err == nil:
			h.senders[kind.name] = enabled{kind, sender}
		case !kind.wanted(config.Secrets):
			h.Log.Debug("webhook sender is off", "sender", kind.name)
		default:
			h.Log.Warn("webhook sender is off", "sender", kind.name, "why", err.Error())
		}
	}
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	name, below := strings.CutPrefix(r.URL.Path, prefix)
	sender, on := h.senders[name]
	if !below || !on {
		problem.WriteStatus(w, http.StatusNotFound, problem.CodeNotFound, "there is nothing at this path")
		return
	}
	started := h.Now()
	ctx, cancel := context.WithTimeout(r.Context(), sender.budget-answerReserve)
	defer cancel()
	request, ok := h.receive(w, r, sender)
	if !ok {
		return
	}
	if err := sender.verify(request); err != nil {
		// The answer is always the same; the error says why, and never holds anything of the request.
		h.Log.WarnContext(ctx, "refused a caller", "sender", name, "why", err.Error())
		problem.WriteStatus(w, http.StatusUnauthorized, problem.CodeUnauthenticated, "the request is not authenticated")
		return
	}
	visit := &call{handler: h, enabled: sender, request: request, w: w, started: started}
	in, err := sender.parse(request)
	if err != nil {
		visit.unreadable(ctx, in, snapshot.AsError(err))
		return
	}
	visit.act(ctx, in)
}

// receive reads a request within the limits for callers that are not authenticated yet. If it reports false, it has
// answered.
func (h *handler) receive(w http.ResponseWriter, r *http.Request, sender enabled) (*request, bool) {
	if !sender.allows(r.Method) {
		w.Header().Set("Allow", sender.methods())
		problem.WriteStatus(w, http.StatusMethodNotAllowed, problem.CodeMethod, "this path takes "+sender.methods())
		return nil, false
	}
	if r.Header.Get("Content-Encoding") != "" {
		problem.WriteStatus(w, http.StatusUnsupportedMediaType, problem.CodeMediaType, "Content-Encoding: send the body as it is, uncompressed")
		return nil, false
	}
	media, _ := mediaType(r.Header)
	if r.Method == http.MethodPost && !slices.Contains(sender.media, media) {
		problem.WriteStatus(w, http.StatusUnsupportedMediaType, problem.CodeMediaType, "Content-Type: this path takes "+strings.Join(sender.media, " or "))
		return nil, false
	}
	for name, values := range r.Header {
		for _, value := range values {
			if len(value) > headerMax && !slices.Contains(authHeaders, name) {
				problem.WriteStatus(w, http.StatusBadRequest, snapshot.CodeMalformed, "a header has more than 2 KiB")
				return nil, false
			}
		}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		problem.WriteStatus(w, http.StatusBadRequest, snapshot.CodeMalformed, "the query is malformed")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		problem.WriteStatus(w, http.StatusRequestEntityTooLarge, problem.CodeTooLarge, "the body has more than 1 MiB")
		return nil, false
	case err != nil:
		problem.WriteStatus(w, http.StatusBadRequest, snapshot.CodeMalformed, "the body did not arrive whole: send it again")
		return nil, false
	}
	return &request{
		method: r.Method, media: media, header: r.Header, query: query,
		body: string(body), plain: string(body), now: h.Now(), random: h.Rand,
	}, true
}

// mediaType returns the one Content-Type, which must be in UTF-8 if it says anything of that.
func mediaType(header http.Header) (string, bool) {
	values := header.Values("Content-Type")
	if len(values) != 1 {
		return "", false
	}
	media, parameters, err := mime.ParseMediaType(values[0])
	if charset := parameters["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", false
	}
	return media, true
}
