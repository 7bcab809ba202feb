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

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/policy"
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
	// Senders holds the senders that are on.
	Senders Senders
	// Policy says which caller may do what.
	Policy policy.Policy
	// Core does what authentic requests ask for.
	Core Core
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

type handler struct{ Options }

// Senders holds the senders that are on, with their keys, by name.
type Senders map[string]enabled

// enabled is a sender with its keys.
type enabled struct {
	*sender
	keyring keyring
}

// OpenSenders returns the senders whose secrets are set and valid; see [SecretsFromEnv]. It logs why others are off.
func OpenSenders(secrets Secrets, log *slog.Logger) Senders {
	on := make(Senders)
	for _, s := range senders {
		keys, err := s.keys(secrets)
		switch {
		case err == nil:
			on[s.name] = enabled{s, keys}
		case !s.wanted(secrets):
			log.Debug("webhook sender is off", "sender", s.name)
		default:
			log.Warn("webhook sender is off", "sender", s.name, "why", err.Error())
		}
	}
	return on
}

// New returns the handler of everything below /hooks/. Requests to a sender that is off get 404, unauthenticated ones
// 401; chats get 200 and a text for everything else, machines a result or a problem document.
func New(options Options) http.Handler {
	h := &handler{options}
	h.Log = cmp.Or(h.Log, slog.New(slog.DiscardHandler))
	if h.Now == nil {
		h.Now = time.Now
	}
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	httpapi.SetSecurityHeaders(w)
	name, below := strings.CutPrefix(r.URL.Path, prefix)
	s, on := h.Senders[name]
	if !below || !on {
		httpapi.WriteStatus(w, http.StatusNotFound, "there is nothing at this path")
		return
	}
	started := h.Now()
	// What cannot take a write deadline writes when the handler returns.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.budget))
	ctx, cancel := context.WithTimeout(r.Context(), s.budget-answerReserve)
	defer cancel()
	request, status, detail := h.receive(w, r, s.sender)
	if request == nil {
		httpapi.WriteStatus(w, status, detail)
		return
	}
	if err := s.verify(s.keyring, request); err != nil {
		// The answer is always the same; the error says why, and never holds anything of the request.
		h.Log.WarnContext(ctx, "refused a caller", "sender", name, "why", err.Error())
		httpapi.WriteStatus(w, http.StatusUnauthorized, "the request is not authenticated")
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

// receive reads a request within the limits for callers that are not authenticated yet. If it is refused, receive
// returns the status and detail of the answer in its place.
func (h *handler) receive(w http.ResponseWriter, r *http.Request, s *sender) (_ *request, status int, detail string) {
	if !slices.Contains(s.methods(), r.Method) {
		methods := strings.Join(s.methods(), ", ")
		w.Header().Set("Allow", methods)
		return nil, http.StatusMethodNotAllowed, "this path takes " + methods
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, http.StatusUnsupportedMediaType, "Content-Encoding: send the body as it is, uncompressed"
	}
	media := mediaType(r.Header)
	if r.Method == http.MethodPost && !slices.Contains(s.media, media) {
		return nil, http.StatusUnsupportedMediaType, "Content-Type: this path takes " + strings.Join(s.media, " or ")
	}
	for name, values := range r.Header {
		tooLong := slices.ContainsFunc(values, func(value string) bool { return len(value) > headerMax })
		if tooLong && !slices.Contains(s.headers, name) {
			return nil, http.StatusBadRequest, "a header has more than 2 KiB"
		}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, http.StatusBadRequest, "the query is malformed"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, "the body has more than 1 MiB"
	case err != nil:
		return nil, http.StatusBadRequest, "the body did not arrive whole: send it again"
	}
	return &request{
		method: r.Method, media: media, header: r.Header, query: query,
		body: string(body), plain: string(body), now: h.Now(),
	}, 0, ""
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
