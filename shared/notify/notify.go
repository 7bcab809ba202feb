// Package notify sends the notifications of the core to the robots that the policy names: of DingTalk, Feishu and
// Slack, and as plain JSON to anything else.
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
// robot's own reply counts as delivered: DingTalk and Feishu answer HTTP 200 to what they refuse.
//
// # Text
//
// Text from users and from the API (names, reasons, errors) is never markup: see [Plain].
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// Limits of one notification.
const (
	TryTimeout = 2 * time.Second // for one try, from the connection to the end of the reply
	Tries      = 2               // for one robot
	replyMax   = 64 << 10        // bytes of a reply that are read
	remembered = 1024            // keys of the latest notifications, which are not sent again
)

// Notifier sends notifications to robots. It is safe for concurrent use, and meant to live as long as the process: it
// remembers what it sent.
type Notifier struct {
	rules  []policy.Notify
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	sent   memory
}

// New returns a notifier for the rules of a policy. A nil client is one that takes the proxy of the environment, but
// never for a loopback host. Redirects are never followed. A nil now is the machine's clock, a nil log is silent.
func New(rules []policy.Notify, client *http.Client, now func() time.Time, log *slog.Logger) *Notifier {
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

// Send posts a notification to every robot whose rule names its kind, to all at once, and returns when each has
// answered or failed. A robot gets the notification of one Key once; one that did not confirm it gets it again when it
// is sent again. Failures are logged.
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
				n.sent.remove(key)
				n.log.WarnContext(ctx, "failed to notify", "host", host(rule.URL), "form", rule.Form,
					"kind", string(notification.Kind), "target", Plain(notification.Target), "error", err.Error())
			}
		})
	}
	robots.Wait()
}

// host returns the part of a robot's URL that is not secret.
func host(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return parsed.Hostname()
}

// post sends a notification to one robot, at most [Tries] times. Its error holds nothing of the URL but what the
// resolver and the dialler say of the host, and nothing of the reply but a number.
func (n *Notifier) post(ctx context.Context, rule policy.Notify, notification snapshot.Notification) error {
	form, known := forms[rule.Form]
	if !known {
		return errors.New("the rule has no known form")
	}
	var err error
	for range Tries {
		if err = n.try(ctx, form, rule, notification); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// try sends a notification once. The signature has the time of the try.
func (n *Notifier) try(ctx context.Context, form form, rule policy.Notify, notification snapshot.Notification) error {
	ctx, cancel := context.WithTimeout(ctx, TryTimeout)
	defer cancel()
	now := n.now()
	body, err := json.Marshal(form.body(rule, notification, now))
	if err != nil {
		return fmt.Errorf("failed to encode message: %w", err)
	}
	address := rule.URL
	if form.address != nil {
		address = form.address(rule, now)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL of the rule cannot be read") // the error quotes it
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := n.client.Do(request)
	if err != nil {
		return fmt.Errorf("failed to reach robot: %w", withoutURL(err))
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, replyMax))
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		return fmt.Errorf("the robot answered HTTP %d: check the URL of the rule", response.StatusCode)
	case form.check == nil:
		return nil // the status is all that this form promises
	case err != nil:
		return fmt.Errorf("failed to read reply: %w", withoutURL(err))
	}
	return form.check(reply)
}

// withoutURL returns an error of net/http without the URL that it quotes.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// memory is the keys of the latest notifications, [remembered] at most. The zero memory is empty.
type memory struct {
	mu   sync.Mutex
	keys []string // the oldest first
}

// add adds a key and reports whether it was new. A search takes microseconds, a notification is rare.
func (m *memory) add(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.keys, key) {
		return false
	}
	if len(m.keys) == remembered {
		m.keys = slices.Delete(m.keys, 0, 1)
	}
	m.keys = append(m.keys, key)
	return true
}

func (m *memory) remove(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys = slices.DeleteFunc(m.keys, func(one string) bool { return one == key })
}
