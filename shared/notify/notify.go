// Package notify tells people what they should know: a snapshot that failed, a target that went stale, a server without
// a free slot, a snapshot that is done. It posts to robots of DingTalk, Feishu and Slack, and plain JSON to anything
// else.
//
// [Notifier.Tell] tells the facts that the core collects, and the core remembers which of them arrived:
//
//	notifier := notify.New(rules, nil, nil, log)
//	service.TellDone = notifier.Wants(snapshot.NotifyDone)
//	service.Tell = func(_ context.Context, fact snapshot.Notification) { facts = append(facts, fact) }
//	...
//	if notifier.Tell(ctx, fact) {
//		service.Told(ctx, fact)
//	}
//
// # What can go wrong
//
// A robot that cannot be reached never changes the outcome of an order. Each gets two tries of [TryTimeout]; then the
// failure is logged with the robot's host, and with nothing else of its URL, which is a credential. Nothing but the
// robot's own word counts as delivered: DingTalk and Feishu answer HTTP 200 to what they refuse.
//
// # Text
//
// What comes from people (names, reasons, texts of the API) is never markup: see [Plain].
package notify

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"swas-snapshot/shared/snapshot"
)

// Limits of one notification.
const (
	TryTimeout = 2 * time.Second // for one try, from the connection to the end of the reply
	Tries      = 2               // for one robot
	replyMax   = 64 << 10        // bytes of a reply that are read
	remembered = 1024            // messages that are not sent again, the latest
)

// Rule says who is told what. Its fields are those of a notify rule in the policy.
type Rule struct {
	URL    string // a bearer credential: never logged
	Form   string // dingtalk, feishu, slack or json
	Secret string // signs what goes to a DingTalk or Feishu robot; empty: not signed
	On     []snapshot.NotificationKind
}

// Notifier tells facts to robots. It is safe for concurrent use, and meant to live as long as the process: it remembers
// what it told.
type Notifier struct {
	rules  []Rule
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	told   memory
}

// New returns a notifier for rules that package policy has checked. Of client the transport is used; nil is one that
// takes the proxy of the environment, but never for a loopback host. A nil now is the machine's clock, a nil log is
// silent.
func New(rules []Rule, client *http.Client, now func() time.Time, log *slog.Logger) *Notifier {
	own := http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment, // which leaves out loopback hosts
		MaxResponseHeaderBytes: replyMax,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        30 * time.Second,
	}}
	if client != nil {
		own = *client
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Notifier{rules: rules, client: &own, now: now, log: log}
}

// Wants tells whether somebody wants to hear of this kind of fact.
func (n *Notifier) Wants(kind snapshot.NotificationKind) bool {
	return slices.ContainsFunc(n.rules, func(rule Rule) bool { return slices.Contains(rule.On, kind) })
}

// Tell posts the fact to every robot that wants its kind, to all at once, and returns when each has answered or failed.
// A robot gets the fact of one Key once; one that did not confirm it may get it again when it is told again. The result
// tells whether any robot has the fact, now or from before.
func (n *Notifier) Tell(ctx context.Context, fact snapshot.Notification) bool {
	var robots sync.WaitGroup
	var arrived atomic.Bool
	for i, rule := range n.rules {
		if !slices.Contains(rule.On, fact.Kind) {
			continue
		}
		key := strconv.Itoa(i) + " " + fact.Key
		if fact.Key != "" && !n.told.add(key) {
			arrived.Store(true)
			continue
		}
		robots.Go(func() {
			if err := n.post(ctx, rule, fact); err != nil {
				n.told.forget(key)
				n.log.WarnContext(ctx, "failed to notify", "host", host(rule.URL), "form", rule.Form,
					"kind", string(fact.Kind), "target", Plain(fact.Target), "error", err.Error())
				return
			}
			arrived.Store(true)
		})
	}
	robots.Wait()
	return arrived.Load()
}

// host is the part of a robot's URL that is no secret.
func host(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}
