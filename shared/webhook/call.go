package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
)

// call is one authentic request on its way to an answer.
type call struct {
	*handler
	enabled
	*request
	w       http.ResponseWriter
	started time.Time
}

// act does what the request turned out to be, and answers.
func (c *call) act(ctx context.Context, in inbound) {
	switch in := in.(type) {
	case ignored:
		c.log(ctx, "ignored", "why", string(in))
		c.sendJSON(http.StatusOK, map[string]string{"ignored": string(in)})
	case handshake:
		c.log(ctx, "handshake")
		c.send(http.StatusOK, answer(in))
	case ask:
		in.home = c.lang
		c.chat(ctx, in, c.reply(ctx, in))
	case pipeline:
		c.pipeline(ctx, in)
	case machineOrder:
		c.machineOrder(ctx, snapshot.Order(in))
	}
}

// unreadable answers an authentic request that cannot be read: a chat gets a text like any other.
func (c *call) unreadable(ctx context.Context, in inbound, err *snapshot.Error) {
	if _, chat := c.sender.(chatSender); !chat {
		c.fail(ctx, err)
		return
	}
	a, _ := in.(ask)
	a.home = c.lang
	c.log(ctx, "unreadable", "message", visible(err.Message))
	c.chat(ctx, a, reply{lang: a.language()}.fail(err).identified(ctx))
}

// chat answers a user: always 200, with a text.
func (c *call) chat(ctx context.Context, a ask, p reply) {
	c.log(ctx, "answered", "actor", plain(a.actor), "tenant", plain(a.tenant), "channel", plain(a.channel), "event", hash(a.key), "done", p.done)
	body, err := c.sender.(chatSender).render(c.request, a, p)
	if err != nil {
		c.Log.ErrorContext(ctx, "webhook answer cannot be written", "sender", c.name, "error", err.Error())
		problem.Write(c.w, snapshot.AsError(err))
		return
	}
	c.send(http.StatusOK, body)
}

// reply does what a user asks.
func (c *call) reply(ctx context.Context, a ask) reply {
	core, err := c.core(ctx)
	if err != nil {
		return reply{lang: a.language()}.fail(snapshot.AsError(err)).identified(ctx)
	}
	return chat{from: c.name, policy: c.Policy, core: core, now: c.request.now}.answer(ctx, a).identified(ctx)
}

// core returns the core for this call, which answers in time.
func (c *call) core(ctx context.Context) (Core, error) {
	core, err := c.Core(ctx)
	if err != nil {
		return nil, err
	}
	return punctual{core, c.Log}, nil
}

// pipeline takes a snapshot of each target that the policy names for the event.
func (c *call) pipeline(ctx context.Context, p pipeline) {
	grants := c.Policy.Pipeline(p.question(c.name))
	if len(grants) == 0 {
		c.act(ctx, p.refused())
		return
	}
	core, err := c.core(ctx)
	if err != nil {
		c.fail(ctx, snapshot.AsError(err))
		return
	}
	c.finish(ctx, p.key, core.TakeAll(ctx, p.orders(c.name, grants)))
}

// machineOrder takes the snapshot that a machine ordered.
func (c *call) machineOrder(ctx context.Context, order snapshot.Order) {
	grant, refused := c.Policy.Machine(c.name, order.Target, policy.ActionTake)
	if refused == nil {
		order.Role, refused = c.Policy.RoleOf(grant, order.Role)
	}
	if refused != nil {
		c.fail(ctx, refused)
		return
	}
	order.Sender, order.Actor, order.Paced, order.Repeated = c.name, c.name, true, true
	core, err := c.core(ctx)
	if err != nil {
		c.fail(ctx, snapshot.AsError(err))
		return
	}
	c.finish(ctx, order.Key, []snapshot.Result{core.Take(ctx, order)})
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
		c.log(ctx, "ordered", "event", hash(key), "target", r.Target, "outcome", r.Outcome, "code", code, "apiRequestId", r.RequestID)
	}
	forgiven = forgiven && worst != nil
	switch {
	case len(results) == 1 && !forgiven:
		httpapi.SendResult(c.w, results[0], c.request.now)
		return
	case forgiven:
		status = http.StatusOK
	case worst != nil:
		var seconds int
		status, seconds = problem.OfResult(*worst, c.request.now)
		problem.RetryAfter(c.w, seconds)
	}
	c.sendJSON(status, map[string]any{"results": results})
}

// fail answers that nothing was done.
func (c *call) fail(ctx context.Context, err *snapshot.Error) {
	c.log(ctx, "failed", "code", err.Code, "message", visible(err.Message))
	if c.forgive && !err.Retryable {
		c.sendJSON(http.StatusOK, map[string]any{"error": public(err)})
		return
	}
	problem.Write(c.w, err)
}

// public returns an error without what the API itself wrote.
func public(err *snapshot.Error) *snapshot.Error {
	shown := *err
	shown.Message = err.Public()
	return &shown
}

func (c *call) sendJSON(status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		problem.Write(c.w, snapshot.AsError(err))
		return
	}
	c.send(status, answer{mediaJSON, append(body, '\n')})
}

func (c *call) send(status int, a answer) {
	c.w.Header().Set("Content-Type", a.media)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(a.body)
}

// log logs a decision. Texts of the request come in here only through plain or hash.
func (c *call) log(ctx context.Context, decision string, args ...any) {
	args = append([]any{"sender", c.name, "decision", decision, "durationMs", c.Now().Sub(c.started).Milliseconds()}, args...)
	c.Log.InfoContext(ctx, "webhook", args...)
}

// hash names an event in the log without its text.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}
