package webhook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// call is one authentic request and what answers it.
type call struct {
	*handler
	*sender
	*request
	w       http.ResponseWriter
	started time.Time
}

func (i ignored) act(ctx context.Context, c *call) {
	c.logDecision(ctx, "ignored", "why", string(i))
	httpapi.WriteJSON(c.w, http.StatusOK, map[string]string{"ignored": string(i)})
}

func (h handshake) act(ctx context.Context, c *call) {
	c.logDecision(ctx, "handshake")
	c.send(http.StatusOK, content(h))
}

// act does what a user asks.
func (m message) act(ctx context.Context, c *call) {
	asked := chat{
		from: c.name, policy: c.Policy, core: c.Core, now: c.now, message: m, lang: m.replyLanguage(c.language),
		targets: c.Policy.Visible(c.name, m.tenant, m.channel, m.actor),
	}
	answer, late := within(ctx, c.Log, func() reply { return asked.answer(ctx) })
	if late != nil {
		answer = asked.late(late)
	}
	c.reply(ctx, m, answer)
}

// act takes a snapshot of each target that the policy names for the event.
func (e pipelineEvent) act(ctx context.Context, c *call) {
	grants := c.Policy.Pipeline(e.question(c.name))
	if len(grants) == 0 {
		e.refused().act(ctx, c)
		return
	}
	c.take(ctx, e.key, e.orders(c.name, grants))
}

// act takes the snapshot that a machine ordered.
func (o machineOrder) act(ctx context.Context, c *call) {
	order, err := httpapi.ReadOrder(c.Policy, c.name, []byte(c.plain), string(o), nil)
	if err != nil {
		c.fail(ctx, nil, snapshot.AsError(err))
		return
	}
	c.take(ctx, order.Key, []snapshot.Order{order})
}

// fail answers that nothing was done: to a chat with a text, like any other answer, of which in is the message as far
// as it could be read.
func (c *call) fail(ctx context.Context, in inbound, err *snapshot.Error) {
	c.logDecision(ctx, "failed", "code", err.Code, "message", visible(err.Message))
	switch {
	case c.render != nil:
		m, _ := in.(message)
		c.reply(ctx, m, reply{lang: m.replyLanguage(c.language)}.fail(err))
	case c.forgive && !err.Retryable:
		httpapi.WriteJSON(c.w, http.StatusOK, map[string]any{"error": public(err)})
	default:
		httpapi.WriteError(c.w, err)
	}
}

// reply answers a user: always 200, with a text.
func (c *call) reply(ctx context.Context, m message, p reply) {
	c.logDecision(ctx, "answered", "actor", plain(m.actor), "tenant", plain(m.tenant), "channel", plain(m.channel),
		"event", hash(m.key), "done", p.done)
	p.requestID = cmp.Or(p.requestID, trigger.RequestID(ctx))
	body, err := c.render(c.request, m, p)
	if err != nil {
		c.Log.ErrorContext(ctx, "webhook answer cannot be written", "sender", c.name, "error", err.Error())
		httpapi.WriteError(c.w, snapshot.AsError(err))
		return
	}
	c.send(http.StatusOK, body)
}

// take does the orders of a machine.
func (c *call) take(ctx context.Context, key string, orders []snapshot.Order) {
	results, late := within(ctx, c.Log, func() []snapshot.Result { return c.Core.TakeAll(ctx, orders) })
	if late != nil {
		for _, order := range orders {
			results = append(results, deferred(order, late))
		}
	}
	c.finish(ctx, key, results)
}

// finish answers a machine: a single result as POST /snapshots does, several as a list with the status of the worst.
func (c *call) finish(ctx context.Context, key string, results []snapshot.Result) {
	status := http.StatusOK
	var worst *snapshot.Result
	forgiven := c.forgive
	for i, r := range results {
		code := ""
		if r.Error != nil {
			code = r.Error.Code
			forgiven = forgiven && (!r.Error.Retryable || r.Outcome == snapshot.OutcomeDeferred)
			results[i].Error = public(r.Error)
			if r.Outcome == snapshot.OutcomeDeferred && r.Error.Kind == snapshot.KindTimeout {
				results[i].Error.Message, results[i].Error.Advice = underWay, ""
			}
			if worst == nil || r.Error.Retryable && !worst.Error.Retryable {
				worst = &results[i]
			}
		} else if r.Status == snapshot.Progressing {
			status = http.StatusAccepted
		}
		c.logDecision(ctx, "ordered", "event", hash(key), "target", r.Target, "outcome", r.Outcome, "code", code,
			"apiRequestId", r.RequestID)
	}
	forgiven = forgiven && worst != nil
	switch {
	case len(results) == 1 && !forgiven:
		httpapi.WriteResult(c.w, httpapi.ShownResult(c.Policy, c.name, results[0]), c.now)
		return
	case forgiven:
		status = http.StatusOK
	case worst != nil:
		status = httpapi.ResultStatus(c.w, *worst, c.now)
	}
	httpapi.WriteJSON(c.w, status, map[string]any{"results": results})
}

// public returns an error without what the API itself wrote.
func public(err *snapshot.Error) *snapshot.Error {
	shown := *err
	shown.Message = err.Public()
	return &shown
}

func (c *call) send(status int, body content) {
	c.w.Header().Set("Content-Type", body.media)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body.body)
}

// logDecision logs what became of the request. Texts of the request come in here only through plain or hash.
func (c *call) logDecision(ctx context.Context, decision string, args ...any) {
	args = append([]any{
		"sender", c.name, "decision", decision, "durationMs", c.Now().Sub(c.started).Milliseconds(),
	}, args...)
	c.Log.InfoContext(ctx, "webhook", args...)
}

// hash names an event in the log without its text.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}
