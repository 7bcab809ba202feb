package httpapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// list answers GET /snapshots?target=web-1.
func (a *api) list(w http.ResponseWriter, r *http.Request, c caller) {
	query, err := parameters(r, "target")
	if err == nil {
		_, err = a.permit(c, query.Get("target"), policy.ActionList)
	}
	if err != nil {
		problem.Write(w, err)
		return
	}
	listing, failed := c.core.List(r.Context(), query.Get("target"))
	answer(w, listing, failed)
}

// plan answers GET /plan?target=web-1.
func (a *api) plan(w http.ResponseWriter, r *http.Request, c caller) {
	query, err := parameters(r, "target")
	if err == nil {
		_, err = a.permit(c, query.Get("target"), policy.ActionPlan)
	}
	if err != nil {
		problem.Write(w, err)
		return
	}
	plan, failed := c.core.Plan(r.Context(), query.Get("target"))
	answer(w, plan, failed)
}

// find answers GET /snapshots/{id}.
func (a *api) find(w http.ResponseWriter, r *http.Request, c caller) {
	if _, err := parameters(r); err != nil {
		problem.Write(w, err)
		return
	}
	one, target, err := c.core.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		problem.Write(w, snapshot.AsError(err))
		return
	}
	if _, err := a.permit(c, target.Name, policy.ActionList); err != nil {
		problem.Write(w, hidden)
		return
	}
	if one.InProgress() {
		w.Header().Set("Retry-After", pollAfter)
	}
	send(w, http.StatusOK, one.Show(target.Name))
}

// pin answers POST /snapshots/{id}/keep {"until":"2026-12-01"}; without until, or with "forever", it has no end.
func (a *api) pin(w http.ResponseWriter, r *http.Request, c caller) {
	var body struct {
		Until string `json:"until"`
	}
	if _, err := parameters(r); err != nil {
		problem.Write(w, err)
		return
	}
	if len(c.body) > 0 {
		if !isJSON(r.Header.Get("Content-Type")) {
			problem.WriteStatus(w, http.StatusUnsupportedMediaType, problem.CodeMediaType, "Content-Type: send the pin as application/json")
			return
		}
		if err := trigger.StrictJSON(c.body, &body); err != nil {
			problem.Write(w, snapshot.AsError(err))
			return
		}
	}
	pinned, err := c.core.Pin(r.Context(), r.PathValue("id"), body.Until, a.mayKeep(c))
	answer(w, pinned, err)
}

// unpin answers DELETE /snapshots/{id}/keep.
func (a *api) unpin(w http.ResponseWriter, r *http.Request, c caller) {
	if _, err := parameters(r); err != nil {
		problem.Write(w, err)
		return
	}
	pinned, err := c.core.Unpin(r.Context(), r.PathValue("id"), a.mayKeep(c))
	answer(w, pinned, err)
}

// mayKeep reports whether the caller may pin snapshots of a target. A signature does not cover the path and the method,
// so a captured one could be turned into the removal of a pin: pins want the bearer token.
func (a *api) mayKeep(c caller) func(snapshot.Target) error {
	return func(target snapshot.Target) error {
		_, denied := a.permit(c, target.Name, policy.ActionKeep)
		if _, invisible := a.permit(c, target.Name, policy.ActionList); denied != nil && invisible != nil {
			return hidden
		}
		if c.from != fromAPI {
			return &snapshot.Error{Code: snapshot.CodeNotAllowed, Kind: snapshot.KindDenied, Message: "a signature cannot change pins: send the bearer token"}
		}
		if denied != nil {
			return denied
		}
		return nil
	}
}

// hidden is the answer about a snapshot of a target that the caller may not see: as if it did not exist.
var hidden = snapshot.NoSuchSnapshot()

// parameters returns the query, in which only the named parameters may stand, each once.
func parameters(r *http.Request, names ...string) (url.Values, *snapshot.Error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, malformed(snapshot.CodeMalformed, "the query cannot be read: encode it as name=value&name=value")
	}
	for name, values := range query {
		switch {
		case !slices.Contains(names, name):
			return nil, malformed(snapshot.CodeMalformed, "the query has an unknown parameter: this path takes "+taken(names))
		case len(values) > 1, strings.Contains(values[0], ","): // Function Compute joins doubled ones; no target or role has a comma
			return nil, malformed(snapshot.CodeMalformed, name+": stands in the query more than once: send it once")
		}
	}
	return query, nil
}

func taken(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	text := names[0]
	for _, name := range names[1:] {
		text += " and " + name
	}
	return text
}

// answer sends a value, or the problem document of an error.
func answer(w http.ResponseWriter, value any, err error) {
	if err != nil {
		problem.Write(w, snapshot.AsError(err))
		return
	}
	send(w, http.StatusOK, value)
}

func send(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		problem.Write(w, snapshot.AsError(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
