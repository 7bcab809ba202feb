package webhook

import (
	"cmp"
	"context"
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

// Core is what webhooks ask of the core; [snapshot.Service] is one. No answer waits longer for it than its sender does.
type Core interface {
	TakeAll(context.Context, []snapshot.Order) []snapshot.Result
	List(ctx context.Context, target string) (snapshot.Listing, error)
	Plan(ctx context.Context, target string) (snapshot.Plan, error)
	Find(ctx context.Context, id string) (snapshot.Snapshot, snapshot.Target, error)
	Pin(ctx context.Context, id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error)
}

// Options holds what [New] needs.
type Options struct {
	// Secrets switch senders on; see [SecretsFromEnv].
	Secrets Secrets
	// Policy says which caller may do what.
	Policy policy.Policy
	// Core returns the core for an invocation; it is asked only for authentic requests. Its error becomes the answer.
	Core func(context.Context) (Core, error)
	// Log gets every decision; nil: silent.
	Log *slog.Logger
	// Now is the time by which signatures are judged; nil: that of the machine.
	Now func() time.Time
}

// bodyMax is the size of a request's body in bytes, at most.
const bodyMax = 1 << 20

// headerMax is the size of the value of a header in bytes, at most. No signature comes near.
const headerMax = 2 << 10

// prefix is the path below which each sender has its own: /hooks/slack. The sender is never guessed from what a
// request holds, or a request without a good signature could pass for one of a sender that has weaker ones.
const prefix = "/hooks/"

type handler struct {
	Options
	senders map[string]enabled
}

// enabled is a sender with its keys.
type enabled struct {
	*sender
	keyring keyring
}

// New returns the handler of everything below /hooks/. A sender is on only if its secrets are set and valid; why one is
// off is logged once. Requests to a sender that is off get 404, unauthenticated ones 401; chats get 200 and a text for
// everything else, machines a result or a problem document.
func New(options Options) http.Handler {
	h := &handler{Options: options, senders: make(map[string]enabled)}
	h.Log = cmp.Or(h.Log, slog.New(slog.DiscardHandler))
	if h.Now == nil {
		h.Now = time.Now
	}
	for _, s := range senders {
		keys, err := s.keys(options.Secrets)
		switch {
		case err == nil:
			h.senders[s.name] = enabled{s, keys}
		case !s.wanted(options.Secrets):
			h.Log.Debug("webhook sender is off", "sender", s.name)
		default:
			h.Log.Warn("webhook sender is off", "sender", s.name, "why", err.Error())
		}
	}
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	name, below := strings.CutPrefix(r.URL.Path, prefix)
	s, on := h.senders[name]
	if !below || !on {
		problem.WriteStatus(w, http.StatusNotFound, problem.CodeNotFound, "there is nothing at this path")
		return
	}
	started := h.Now()
	// What cannot take a write deadline writes when the handler returns.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.budget))
	ctx, cancel := context.WithTimeout(r.Context(), s.budget-answerReserve)
	defer cancel()
	request, refused := h.receive(w, r, s.sender)
	if refused != nil {
		problem.Send(w, *refused)
		return
	}
	if err := s.verify(s.keyring, request); err != nil {
		// The answer is always the same; the error says why, and never holds anything of the request.
		h.Log.WarnContext(ctx, "refused a caller", "sender", name, "why", err.Error())
		problem.WriteStatus(w, http.StatusUnauthorized, problem.CodeUnauthenticated, "the request is not authenticated")
		return
	}
	c := &call{handler: h, sender: s.sender, request: request, w: w, started: started}
	in, err := s.parse(request)
	if err != nil {
		c.fail(ctx, in, snapshot.AsError(err))
		return
	}
	in.act(ctx, c)
}

// receive reads a request within the limits for callers that are not authenticated yet, or says why it is refused.
func (h *handler) receive(w http.ResponseWriter, r *http.Request, s *sender) (*request, *problem.Document) {
	refused := func(status int, code, detail string) (*request, *problem.Document) {
		document := problem.New(status, code, detail)
		return nil, &document
	}
	if !slices.Contains(s.methods(), r.Method) {
		methods := strings.Join(s.methods(), ", ")
		w.Header().Set("Allow", methods)
		return refused(http.StatusMethodNotAllowed, problem.CodeMethod, "this path takes "+methods)
	}
	if r.Header.Get("Content-Encoding") != "" {
		return refused(http.StatusUnsupportedMediaType, problem.CodeMediaType,
			"Content-Encoding: send the body as it is, uncompressed")
	}
	media := mediaType(r.Header)
	if r.Method == http.MethodPost && !slices.Contains(s.media, media) {
		return refused(http.StatusUnsupportedMediaType, problem.CodeMediaType,
			"Content-Type: this path takes "+strings.Join(s.media, " or "))
	}
	for name, values := range r.Header {
		tooLong := slices.ContainsFunc(values, func(value string) bool { return len(value) > headerMax })
		if tooLong && !slices.Contains(s.headers, name) {
			return refused(http.StatusBadRequest, snapshot.CodeMalformed, "a header has more than 2 KiB")
		}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refused(http.StatusBadRequest, snapshot.CodeMalformed, "the query is malformed")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refused(http.StatusRequestEntityTooLarge, problem.CodeTooLarge, "the body has more than 1 MiB")
	case err != nil:
		return refused(http.StatusBadRequest, snapshot.CodeMalformed, "the body did not arrive whole: send it again")
	}
	return &request{
		method: r.Method, media: media, header: r.Header, query: query,
		body: string(body), plain: string(body), now: h.Now(),
	}, nil
}

// mediaType returns the only Content-Type; "" if there is none or its charset is another than UTF-8.
func mediaType(header http.Header) string {
	values := header.Values("Content-Type")
	if len(values) != 1 {
		return ""
	}
	media, parameters, err := mime.ParseMediaType(values[0])
	if charset := parameters["charset"]; err != nil || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return ""
	}
	return media
}
