package httpapi

import (
	"cmp"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// take answers POST /snapshots.
func (a *api) take(w http.ResponseWriter, r *http.Request, c caller) {
	if !isJSON(r.Header.Get("Content-Type")) {
		problem.WriteStatus(w, http.StatusUnsupportedMediaType, problem.CodeMediaType, "Content-Type: send the order as application/json")
		return
	}
	if _, err := parameters(r); err != nil { // ?dryRun=true would be taken for a dry run
		problem.Write(w, err)
		return
	}
	order, err := trigger.DecodeOrder(c.body)
	if err != nil {
		problem.Write(w, snapshot.AsError(err))
		return
	}
	if refused := a.complete(&order, r.Header, c); refused != nil {
		problem.Write(w, refused)
		return
	}
	SendResult(w, c.core.Take(r.Context(), order), a.Now())
}

// complete fills in what the caller and the policy say of an order, or refuses it.
func (a *api) complete(order *snapshot.Order, header http.Header, c caller) *snapshot.Error {
	key, refused := orderKey(header.Values("Idempotency-Key"), order.Key, c.eventID)
	if refused != nil {
		return refused
	}
	grant, refused := a.permit(c, order.Target, policy.ActionTake)
	if refused != nil {
		return refused
	}
	role, refused := a.Policy.RoleOf(grant, order.Role)
	if refused != nil {
		return refused
	}
	order.Role, order.Key, order.ExplicitKey = role, key, true
	order.Sender, order.Actor, order.Paced, order.Repeated = c.from, c.from, true, true
	return nil
}

// SendResult answers with a result: 202 with the URL to poll while its snapshot is in progress, 200 once it is
// accomplished or planned, and the problem document of its error.
func SendResult(w http.ResponseWriter, result snapshot.Result, now time.Time) {
	if result.Error != nil {
		problem.WriteResult(w, result, now)
		return
	}
	status := http.StatusOK
	if result.SnapshotID != "" {
		w.Header().Set("Location", "/snapshots/"+result.SnapshotID)
	}
	if result.Status == snapshot.Progressing {
		status = http.StatusAccepted
		w.Header().Set("Retry-After", pollAfter)
	}
	send(w, status, result)
}

// pollAfter is how many seconds a poller should wait: a snapshot takes 10 to 30 minutes, and about 10 calls a minute
// are all that an account has.
const pollAfter = "30"

// orderKey returns the business key: the Idempotency-Key header (quoted, as its draft has it, or not) or the key of the
// body. Of a signed message only the body and its ID are signed, so a header alone counts for nothing there; one that says
// the same as either is welcome.
func orderKey(header []string, inBody, eventID string) (string, *snapshot.Error) {
	if len(header) > 1 {
		return "", malformed(snapshot.CodeMalformed, "Idempotency-Key: stands there more than once: send it once")
	}
	var fromHeader string
	if len(header) > 0 {
		var whole bool
		if fromHeader, whole = unquote(strings.TrimSpace(header[0])); !whole {
			return "", malformed(snapshot.CodeMalformed, `Idempotency-Key: is no ASCII text, or stands there twice: send it once, bare without commas or whole in quotes, such as "run-42"`)
		}
	}
	key := cmp.Or(inBody, eventID, fromHeader)
	switch {
	case fromHeader != "" && fromHeader != key && fromHeader != eventID:
		return "", malformed(snapshot.CodeMalformed, "Idempotency-Key: differs from the key of the body or the ID of the signed message, which alone are signed: send the same, or leave it out")
	case strings.TrimSpace(key) == "":
		return "", malformed(problem.CodeMissingKey, "Idempotency-Key: is missing: send the ID of your run or deployment, the same at each retry")
	case strings.ContainsFunc(key, unicode.IsControl):
		return "", malformed(snapshot.CodeMalformed, "key: has a control character: leave it out")
	}
	return key, nil
}

// unquote takes the quotes off a structured-field string (RFC 8941), and reports whether the text is bare or one
// whole string.
func unquote(text string) (string, bool) {
	inside, quoted := strings.CutPrefix(text, `"`)
	if !quoted { // both platforms join doubled headers with a comma; a byte beyond ASCII is lost on their way
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

func malformed(code, message string) *snapshot.Error {
	return &snapshot.Error{Code: code, Kind: snapshot.KindMalformed, Message: message}
}

// isJSON reports whether a Content-Type is JSON in UTF-8.
func isJSON(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	charset := parameters["charset"]
	return err == nil && media == "application/json" && (charset == "" || strings.EqualFold(charset, "utf-8"))
}
