package policy

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// Notify is one rule of notify: which notifications go where. URL and Secret are bearer credentials: they must not be logged.
type Notify struct {
	URL    string // https; http for a loopback host only
	Form   string // dingtalk, feishu, slack or json
	Secret string // signs what goes to a DingTalk or Feishu robot; empty: not signed
	On     []snapshot.NotificationKind
}

var (
	notifyForms = []string{"dingtalk", "feishu", "slack", "json"}
	signedForms = []string{"dingtalk", "feishu"}
	notifyKinds = []string{string(snapshot.NotifyFailed), string(snapshot.NotifyStale), string(snapshot.NotifyBlocked),
		string(snapshot.NotifyDone), string(snapshot.NotifyDeleted)}
)

// notify reads one rule of notify.
func (r *reader) notify(at place) Notify {
	keys, ok := r.fields(at, "url", "form", "secret", "on")
	if !ok {
		return Notify{}
	}
	if _, ok := keys.get("url"); !ok {
		r.missing(keys, "url", `write the robot's URL, best from the environment: "${DINGTALK_ROBOT_URL}"`)
	}
	if _, ok := keys.get("form"); !ok {
		r.missing(keys, "form", "name one of "+strings.Join(notifyForms, ", "))
	}
	if _, ok := keys.get("on"); !ok {
		r.missing(keys, "on", "name some of "+strings.Join(notifyKinds, ", "))
	}
	rule := Notify{URL: r.robotURL(keys), Form: r.choice(keys, "form", notifyForms)}
	if at, ok := keys.get("secret"); ok {
		if rule.Form != "" && !slices.Contains(signedForms, rule.Form) {
			r.fail(at, "makes no sense for form %s: only %s sign", rule.Form, strings.Join(signedForms, " and "))
		}
		rule.Secret = r.optional(keys, "secret", anyText, "")
	}
	for _, kind := range r.texts(keys, "on", func(kind string) bool { return slices.Contains(notifyKinds, kind) }, "is none of "+strings.Join(notifyKinds, ", ")) {
		rule.On = append(rule.On, snapshot.NotificationKind(kind))
	}
	return rule
}

// robotURL reads url. The URL is a credential, so no defect quotes it.
func (r *reader) robotURL(keys fields) string {
	at, ok := keys.get("url")
	if !ok {
		return ""
	}
	one, ok := r.text(at)
	if !ok {
		return ""
	}
	parsed, err := url.Parse(one.value)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.Opaque != "":
		r.fail(at, "is not a URL: write one that begins with https:// and a host")
	case parsed.Scheme != "https" && !(parsed.Scheme == "http" && loopback(parsed.Hostname())):
		r.fail(at, "is not an https URL: http is for loopback hosts only")
	case parsed.User != nil:
		r.fail(at, "has a user name in front of the host: leave it out")
	default:
		return one.value
	}
	return ""
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
