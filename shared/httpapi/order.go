package httpapi

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// take answers POST /snapshots.
func (a *api) take(w http.ResponseWriter, r *http.Request, c caller) error {
	if !isJSON(r.Header) {
		WriteStatus(w, http.StatusUnsupportedMediaType, "Content-Type: send the order as application/json")
		return nil
	}
	order, err := ReadOrder(a.Policy, c.from, c.body, c.eventID, r.Header.Values("Idempotency-Key"))
	if err != nil {
		return err
	}
	WriteResult(w, ShownResult(a.Policy, c.from, a.Core.Take(r.Context(), order)), a.Now())
	return nil
}

// ShownResult returns a result as its caller may see it: the plan in it needs the action plan.
func ShownResult(p policy.Policy, from string, result snapshot.Result) snapshot.Result {
	if _, may := p.Permit(policy.Question{From: from, Target: result.Target, Action: policy.ActionPlan}); !may {
		result.Plan = nil
	}
	result.Plan = shownPlan(p, from, result.Plan)
	return result
}

// shownPlan hides what a plan of a server says of the snapshots of targets that no rule of the caller names.
func shownPlan(p policy.Policy, from string, items []snapshot.PlanItem) []snapshot.PlanItem {
	visible := p.Visible(from, "", "", "")
	shown := slices.Clone(items)
	for i, item := range shown {
		if !slices.Contains(visible, item.Target) {
			shown[i] = snapshot.PlanItem{Action: item.Action, Reason: "an occupied slot"}
		}
	}
	return shown
}

// ReadOrder reads the order of a machine and completes it by the policy, for POST /snapshots and /hooks/standard alike.
// from is api or standard, as in allow. Its business key is that of the body, else the ID of the signed message, else
// the header Idempotency-Key; a header must not differ from the others, which alone are signed. The error is a
// [*snapshot.Error]: the order cannot be read, has no key, or the policy does not grant it.
func ReadOrder(p policy.Policy, from string, body []byte, eventID string, header []string) (snapshot.Order, error) {
	order, err := trigger.DecodeOrder(body)
	if err != nil {
		return snapshot.Order{}, err
	}
	if order.Key, err = orderKey(header, order.Key, eventID); err != nil {
		return snapshot.Order{}, err
	}
	grant, refused := p.Machine(from, order.Target, policy.ActionTake)
	if refused == nil && order.DryRun {
		_, refused = p.Machine(from, order.Target, policy.ActionPlan)
	}
	if refused == nil {
		order.Role, refused = p.RoleOf(grant, order.Role)
	}
	if refused != nil {
		return snapshot.Order{}, refused
	}
	order.ExplicitKey, order.Sender, order.Actor, order.Paced, order.Repeated = true, from, from, true, true
	return order, nil
}

// WriteResult answers with a result: 202 with the URL to poll while its snapshot is in progress, 200 once it is
// accomplished or planned, and the problem document of its error.
func WriteResult(w http.ResponseWriter, result snapshot.Result, now time.Time) {
	if result.Error != nil {
		writeProblem(w, ResultStatus(w, result, now), result.Error, result.Plan)
		return
	}
	status := http.StatusOK
	if result.SnapshotID != "" {
		w.Header().Set("Location", "/snapshots/"+result.SnapshotID)
	}
	if result.Status == snapshot.Progressing {
		status = http.StatusAccepted
		setRetryAfter(w, pollInterval)
	}
	WriteJSON(w, status, result)
}

// pollInterval is how many seconds a caller should wait between two looks at a snapshot: it takes 10 to 30 minutes, and
// an account has about 10 calls a minute.
const pollInterval = 30

// codeMissingKey is the code of an order without a business key.
const codeMissingKey = "MissingIdempotencyKey"

// orderKey returns the business key of an order; see [ReadOrder]. The header is quoted, as its draft has it, or bare.
func orderKey(header []string, inBody, eventID string) (string, error) {
	var inHeader string
	switch {
	case len(header) > 1:
		return "", snapshot.Malformed("Idempotency-Key: is there more than once: send it once")
	case len(header) == 1:
		var ok bool
		if inHeader, ok = unquote(strings.TrimSpace(header[0])); !ok {
			return "", snapshot.Malformed("Idempotency-Key: is not ASCII text, or is there twice: " +
				`send it once, bare without commas or whole in quotes, such as "run-42"`)
		}
	}
	key := cmp.Or(inBody, eventID, inHeader)
	switch {
	case inHeader != "" && inHeader != key && inHeader != eventID:
		return "", snapshot.Malformed("Idempotency-Key: differs from the key of the body or the ID of the signed " +
			"message: send the same, or leave it out")
	case strings.TrimSpace(key) == "":
		return "", &snapshot.Error{Code: codeMissingKey, Kind: snapshot.KindMalformed,
			Message: "Idempotency-Key: is missing: send the ID of your run or deployment, the same at each retry"}
	case strings.ContainsFunc(key, unicode.IsControl):
		return "", snapshot.Malformed("key: has a control character: leave it out")
	}
	return key, nil
}

// unquote returns the value of a structured-field string (RFC 8941), or of a bare text, and reports whether the text is
// one of them and whole.
func unquote(text string) (string, bool) {
	inside, quoted := strings.CutPrefix(text, `"`)
	if !quoted { // both platforms join repeated headers by commas; a byte beyond ASCII does not arrive as it was sent
		return text, !strings.ContainsFunc(text, func(c rune) bool { return c == ',' || c < ' ' || c > '~' })
	}
	var value strings.Builder
	for i := 0; i < len(inside); i++ {
		switch c := inside[i]; {
		case c == '"':
			return value.String(), i == len(inside)-1
		case c == '\\':
			if i++; i == len(inside) || inside[i] != '"' && inside[i] != '\\' {
				return "", false
			}
			value.WriteByte(inside[i])
		case c < ' ' || c > '~':
			return "", false
		default:
			value.WriteByte(c)
		}
	}
	return "", false
}

// isJSON reports whether the Content-Type is JSON in UTF-8.
func isJSON(header http.Header) bool {
	media, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset := parameters["charset"]
	return err == nil && media == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}
