package httpapi

import (
	"net/http"
	"slices"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// list answers GET /snapshots?target=web-1.
func (a *api) list(w http.ResponseWriter, r *http.Request, c caller) error {
	target := r.URL.Query().Get(parameterTarget)
	if _, denied := a.Policy.Machine(c.from, target, policy.ActionList); denied != nil {
		return denied
	}
	listing, err := a.Core.List(r.Context(), target)
	visible := a.Policy.Visible(c.from, "", "", "")
	listing.Listed = slices.DeleteFunc(listing.Listed, func(one snapshot.Listed) bool { // the others only count as slots
		return !slices.Contains(visible, one.Target)
	})
	return write(w, listing, err)
}

// plan answers GET /plan?target=web-1.
func (a *api) plan(w http.ResponseWriter, r *http.Request, c caller) error {
	target := r.URL.Query().Get(parameterTarget)
	if _, denied := a.Policy.Machine(c.from, target, policy.ActionPlan); denied != nil {
		return denied
	}
	plan, err := a.Core.Plan(r.Context(), target)
	plan.Items = shownPlan(a.Policy, c.from, plan.Items)
	return write(w, plan, err)
}

// find answers GET /snapshots/{id}.
func (a *api) find(w http.ResponseWriter, r *http.Request, c caller) error {
	one, target, err := a.Core.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if _, denied := a.Policy.Machine(c.from, target.Name, policy.ActionList); denied != nil {
		return hidden
	}
	if one.InProgress() {
		setRetryAfter(w, pollInterval)
	}
	return write(w, one.Show(target.Name), nil)
}

// pin answers POST /snapshots/{id}/keep {"until":"2026-12-01"}; without until, or with "forever", the pin has no end.
func (a *api) pin(w http.ResponseWriter, r *http.Request, c caller) error {
	var body struct {
		Until string `json:"until"`
	}
	if len(c.body) > 0 {
		if !isJSON(r.Header) {
			WriteStatus(w, http.StatusUnsupportedMediaType, "Content-Type: send the pin as application/json")
			return nil
		}
		if err := trigger.StrictJSON(c.body, &body); err != nil {
			return err
		}
	}
	pinned, err := a.Core.Pin(r.Context(), r.PathValue("id"), body.Until, a.mayPin(c))
	return write(w, pinned, err)
}

// unpin answers DELETE /snapshots/{id}/keep.
func (a *api) unpin(w http.ResponseWriter, r *http.Request, c caller) error {
	pinned, err := a.Core.Unpin(r.Context(), r.PathValue("id"), a.mayPin(c))
	return write(w, pinned, err)
}

// mayPin returns the check whether the caller may pin snapshots of a target. A signature does not cover the path and
// the method, so a captured one could be turned into the removal of a pin: pins need the bearer token.
func (a *api) mayPin(c caller) func(snapshot.Target) error {
	return func(target snapshot.Target) error {
		_, denied := a.Policy.Machine(c.from, target.Name, policy.ActionKeep)
		_, invisible := a.Policy.Machine(c.from, target.Name, policy.ActionList)
		switch {
		case denied != nil && invisible != nil:
			return hidden
		case c.from != fromAPI:
			return &snapshot.Error{Code: snapshot.CodeNotAllowed, Kind: snapshot.KindDenied,
				Message: "a signature cannot change pins: send the bearer token"}
		case denied != nil:
			return denied
		}
		return nil
	}
}

// hidden is the answer about a snapshot of a target that the caller may not see: as if it did not exist.
var hidden = snapshot.NoSuchSnapshot()

// write answers with a value, or returns the error that came in its place.
func write(w http.ResponseWriter, value any, err error) error {
	if err == nil {
		WriteJSON(w, http.StatusOK, value)
	}
	return err
}
