package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// caller is an authenticated caller and what it sent.
type caller struct {
	from    string // api or standard, as in allow
	eventID string // the ID of a signed message
	body    []byte
}

// The senders of the API, as allow names them.
const (
	fromAPI      = "api"
	fromStandard = "standard"
)

// parameterTarget is the only query parameter that any path takes.
const parameterTarget = "target"

// authenticated returns a handler that calls do once the caller is authenticated and the query holds nothing but the
// parameter, if any; nothing else of the request is looked at before. An error of do becomes the answer.
func (a *api) authenticated(
	parameter string, do func(http.ResponseWriter, *http.Request, caller) error,
) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(a.Bearer) == 0 && a.Signed == nil {
			notFound(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			WriteStatus(w, http.StatusRequestEntityTooLarge,
				"the body has more than 1 MiB: an order needs a few hundred bytes")
			return
		case err != nil:
			WriteStatus(w, http.StatusBadRequest, "the body did not arrive whole: send it again")
			return
		}
		c, why := a.authenticate(r.Header, body)
		if why != "" {
			if a.Refused != nil {
				a.Refused(why)
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			WriteStatus(w, http.StatusUnauthorized,
				"send the header Authorization with Bearer and the API_TOKEN, or a Standard Webhooks signature")
			return
		}
		ctx := policy.WithCaller(r.Context(), policy.Caller{From: c.from})
		if err = checkQuery(r, parameter); err == nil {
			err = do(w, r.WithContext(ctx), c)
		}
		if err != nil {
			WriteError(w, snapshot.AsError(err))
		}
	}
}

// authenticate returns the caller, or why the request is refused. A request with a bearer token is judged by that
// alone.
func (a *api) authenticate(header http.Header, body []byte) (c caller, why string) {
	if a.Signed == nil || len(header.Values("Authorization")) > 0 {
		return caller{from: fromAPI, body: body}, bearerDefect(header, a.Bearer)
	}
	id, ok := a.Signed(header, body)
	if !ok {
		return caller{}, "neither a bearer token nor a valid signature"
	}
	return caller{from: fromStandard, eventID: id, body: body}, ""
}

// HasBearer reports whether a request carries one of the bearer tokens.
func HasBearer(header http.Header, tokens []string) bool { return bearerDefect(header, tokens) == "" }

// bearerDefect returns why a request carries none of the bearer tokens; "" if it carries one.
func bearerDefect(header http.Header, tokens []string) string {
	values := header.Values("Authorization")
	if len(values) == 0 {
		return "no Authorization header"
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	switch {
	case len(values) > 1:
		return "more than one Authorization header"
	case !strings.EqualFold(scheme, "Bearer"):
		return "Authorization is not a bearer token"
	case !contains(tokens, strings.TrimSpace(token)):
		return "the bearer token is not in API_TOKEN"
	}
	return ""
}

// contains reports whether a token is one of those that are valid, in a time that does not depend on where they differ.
func contains(valid []string, token string) bool {
	given := sha256.Sum256([]byte(token))
	found := 0
	for _, one := range valid {
		want := sha256.Sum256([]byte(one))
		found |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return found == 1
}

// checkQuery returns an error unless the query has at most the parameter of that name, once; none if the name is "".
func checkQuery(r *http.Request, parameter string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return snapshot.Malformed("the query cannot be read: encode it as name=value&name=value")
	}
	for name, values := range query {
		switch {
		case parameter == "":
			return snapshot.Malformed("the query has an unknown parameter: this path takes none")
		case name != parameter:
			return snapshot.Malformed("the query has an unknown parameter: this path takes %s", parameter)
		case len(values) > 1, strings.Contains(values[0], ","): // Function Compute joins repeated ones by commas
			return snapshot.Malformed("%s: is in the query more than once: send it once", name)
		}
	}
	return nil
}
