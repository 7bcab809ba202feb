// Package notify sends the notifications of the core to the robots that the policy names: of DingTalk, Feishu and Slack,
// and as plain JSON to anything else.
//
//	notifier := notify.New(rules, nil, nil, log)
//	service.Notify = func(_ context.Context, n snapshot.Notification) { all = append(all, n) }
//	...
//	notifier.Send(ctx, n)
//
// # What can go wrong
//
// A robot that cannot be reached never changes the outcome of an order. Each gets two tries of [TryTimeout]; then the
// failure is logged with the robot's host, and with nothing else of its URL, which is a credential. Nothing but the
// robot's own word counts as delivered: DingTalk and Feishu answer HTTP 200 to what they refuse.
//
// # Text
//
// What comes from users (names, reasons, texts of the API) is never markup: see [Plain].
package notify

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
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

// Rule says which robot gets which kinds of notifications. Its fields are those of a notify rule in the policy.
type Rule struct {
	URL    string // a bearer credential: never logged
	Form   string // dingtalk, feishu, slack or json
	Secret string // signs what goes to a DingTalk or Feishu robot; empty: not signed
	On     []snapshot.NotificationKind
}

// Notifier sends notifications to robots. It is safe for concurrent use, and meant to live as long as the process: it
// remembers what it sent.
type Notifier struct {
	rules  []Rule
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	sent   memory
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

// Send posts a notification to every robot that wants its kind, to all at once, and returns when each has answered or
// failed. A robot gets the notification of one Key once; one that did not confirm it gets it again when it is sent again.
func (n *Notifier) Send(ctx context.Context, notification snapshot.Notification) {
	var robots sync.WaitGroup
	for i, rule := range n.rules {
		if !slices.Contains(rule.On, notification.Kind) {
			continue
		}
		key := strconv.Itoa(i) + " " + notification.Key
		if notification.Key != "" && !n.sent.add(key) {
			continue
		}
		robots.Go(func() {
			if err := n.post(ctx, rule, notification); err != nil {
				n.sent.forget(key)
				n.log.WarnContext(ctx, "failed to notify", "host", host(rule.URL), "form", rule.Form,
					"kind", string(notification.Kind), "target", Plain(notification.Target), "error", err.Error())
			}
		})
	}
	robots.Wait()
}

// host is the part of a robot's URL that is no secret.
func host(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}
