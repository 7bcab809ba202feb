package policy

import (
	"net/url"
	"slices"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// Notify is one rule of notify: which notifications go where.
type Notify struct {
	// URL is https, or http for a loopback host. It is a bearer credential: never logged.
	URL string `yaml:"url"`
	// Form is dingtalk, feishu, slack or json.
	Form string `yaml:"form" check:"robot"`
	// Secret signs what goes to a DingTalk or Feishu robot; empty: not signed. Never logged.
	Secret string `yaml:"secret"`
	// On is the kinds that are sent; never empty.
	On []snapshot.NotificationKind `yaml:"on" check:"kind"`
}

var (
	robotForms  = []string{"dingtalk", "feishu", "slack", "json"}
	signedForms = []string{"dingtalk", "feishu"}
	notifyKinds = []string{string(snapshot.NotifyFailed), string(snapshot.NotifyStale), string(snapshot.NotifyBlocked),
		string(snapshot.NotifyDone), string(snapshot.NotifyDeleted)}
)

// notify reads one rule of notify.
func (r *reader) notify(at field) Notify {
	var rule Notify
	r.decode(at, &rule)
	r.need(at, "url", `write the robot's URL, best from the environment: "${DINGTALK_ROBOT_URL}"`)
	r.need(at, "form", "name one of "+strings.Join(robotForms, ", "))
	r.need(at, "on", "name some of "+strings.Join(notifyKinds, ", "))
	if secret := at.get("secret"); secret.exists() && rule.Form != "" && !slices.Contains(signedForms, rule.Form) {
		r.fail(secret, "makes no sense for form %s: only %s sign", rule.Form, strings.Join(signedForms, " and "))
	}
	if rule.URL != "" {
		r.checkRobot(at.get("url"), rule.URL)
	}
	return rule
}

// checkRobot reports a URL that is not one of a robot. It is a credential, so no defect quotes it.
func (r *reader) checkRobot(at field, address string) {
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Hostname() == "" || parsed.Opaque != "":
		r.fail(at, "is not a URL: write one that begins with https:// and a host")
	case parsed.Scheme != "https" && !(parsed.Scheme == "http" && snapshot.IsLoopback(parsed.Hostname())):
		r.fail(at, "is not an https URL: http is for loopback hosts only")
	case parsed.User != nil:
		r.fail(at, "has a user name in front of the host: leave it out")
	}
}
