package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
)

// caller is who asks: by which rule of allow, and with which bytes.
type caller struct {
	from    string // api or standard, as in allow
	eventID string // of a signed message: its business event
	body    []byte
	core    Core
}

// The senders of the API, as allow names them.
const (
	fromAPI      = "api"
	fromStandard = "standard"
)

// let passes a request on once its caller is authenticated. Nothing else of the request is looked at before.
func (a *api) let(in func(http.ResponseWriter, *http.Request, caller)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(a.Bearer) == 0 && a.Signed == nil {
			notFound(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			problem.WriteStatus(w, http.StatusRequestEntityTooLarge, problem.CodeTooLarge, "the body has more than 1 MiB: an order needs a few hundred bytes")
			return
		case err != nil:
			problem.WriteStatus(w, http.StatusBadRequest, snapshot.CodeMalformed, "the body did not arrive whole: send it again")
			return
		}
		c, why := a.authenticate(r.Header, body)
		if why != "" {
			if a.Refused != nil {
				a.Refused(r.Context(), why)
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem.WriteStatus(w, http.StatusUnauthorized, problem.CodeUnauthenticated, "send the header Authorization with Bearer and the API_TOKEN, or a Standard Webhooks signature")
			return
		}
		if c.core, err = a.Core(r.Context()); err != nil {
			problem.Write(w, snapshot.AsError(err))
			return
		}
		c.body = body
		in(w, r.WithContext(policy.WithCaller(r.Context(), policy.Caller{From: c.from})), c)
	}
}

// authenticate returns who the caller is, or why the request is refused. A request with a bearer token is judged by it
// alone.
func (a *api) authenticate(header http.Header, body []byte) (c caller, why string) {
	if given := header.Values("Authorization"); len(given) > 0 {
		scheme, token, _ := strings.Cut(given[0], " ")
		switch {
		case len(given) > 1:
			return caller{}, "more than one Authorization header"
		case !strings.EqualFold(scheme, "Bearer"):
			return caller{}, "Authorization is no bearer token"
		case !oneOf(strings.TrimSpace(token), a.Bearer):
			return caller{}, "the bearer token is not in API_TOKEN"
		}
		return caller{from: fromAPI}, ""
	}
	if a.Signed == nil {
		return caller{}, "no Authorization header"
	}
	id, ok := a.Signed(header, body)
	if !ok {
		return caller{}, "neither a bearer token nor a valid signature"
	}
	return caller{from: fromStandard, eventID: id}, ""
}

// Bears reports whether a request carries one of the bearer tokens.
func Bears(header http.Header, tokens []string) bool {
	c, why := (&api{Config{Bearer: tokens}}).authenticate(header, nil)
	return why == "" && c.from == fromAPI
}

// oneOf compares a token with all that are valid, in a time that does not depend on where they differ.
func oneOf(token string, valid []string) bool {
	given := sha256.Sum256([]byte(token))
	found := 0
	for _, one := range valid {
		want := sha256.Sum256([]byte(one))
		found |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return found == 1
}

// permit answers what the policy grants the caller for a target.
func (a *api) permit(c caller, target string, action policy.Action) (policy.Grant, *snapshot.Error) {
	return a.Policy.Machine(c.from, target, action)
}
