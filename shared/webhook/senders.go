package webhook

import (
	"net/http"
	"slices"
	"time"
)

// sender verifies and reads the requests of one kind of sender.
type sender interface {
	// verify authenticates a request on its raw bytes and sets its plain text. Its error wraps ErrUnauthenticated.
	verify(*request) error
	// parse reads an authentic request. Its error is a *snapshot.Error.
	parse(*request) (inbound, error)
}

// chatSender is a sender whose requests come from users of a chat.
type chatSender interface {
	sender
	// render gives a reply the sender's own form.
	render(*request, ask, reply) (answer, error)
}

// The media types of requests and answers.
const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
	mediaText = "text/plain; charset=utf-8"
)

// kind is a kind of sender: what New needs to switch it on, and what is known of its requests before they are read.
type kind struct {
	name      string
	variables []string // that hold its secrets
	lang      language // of users whose text and locale do not name one
	open      func(Secrets) (sender, error)
	media     []string
	get       bool // it checks the URL with a GET
	// budget is within what time it wants its answer, less what network and platform take of it.
	budget time.Duration
	// forgive says that a failure which is final, or whose order goes on, is answered 200, because the sender stops
	// calling one that fails often.
	forgive bool
}

// Budgets of time: Slack, DingTalk and Feishu give up after 3 s, Teams and WeCom after 5 s, the rest after 10 s. Work
// ends answerReserve earlier, so that the answer is out in time.
const (
	budgetShort  = 2300 * time.Millisecond
	budgetMedium = 4 * time.Second
	budgetLong   = 8 * time.Second

	answerReserve = 200 * time.Millisecond
)

// kinds is every sender that there is.
var kinds = []kind{
	{name: "slack", variables: []string{envSlack}, open: openSlack, media: []string{mediaForm, mediaJSON}, budget: budgetShort},
	{name: "dingtalk", variables: []string{envDingTalk}, lang: zh, open: openDingTalk, media: []string{mediaJSON}, budget: budgetShort},
	{name: "feishu", variables: []string{envFeishuEncrypt, envFeishuToken}, lang: zh, open: openFeishu, media: []string{mediaJSON}, budget: budgetShort},
	{name: "wecom", variables: []string{envWeComToken, envWeComAES, envWeComCorp}, lang: zh, open: openWeCom, media: []string{"text/xml", "application/xml"}, get: true, budget: budgetMedium},
	{name: "teams", variables: []string{envTeams}, open: openTeams, media: []string{mediaJSON}, budget: budgetMedium},
	{name: "github", variables: []string{envGitHub}, open: openGitHub, media: []string{mediaJSON}, budget: budgetLong},
	{name: "gitlab", variables: []string{envGitLabSigning, envGitLabToken}, open: openGitLab, media: []string{mediaJSON}, budget: budgetLong, forgive: true},
	{name: "gitee", variables: []string{envGitee}, open: openGitee, media: []string{mediaJSON}, budget: budgetLong},
	{name: "standard", variables: []string{envStandard}, open: openStandard, media: []string{mediaJSON}, budget: budgetLong},
}

// allows reports whether the sender uses a method.
func (k kind) allows(method string) bool {
	return method == http.MethodPost || k.get && method == http.MethodGet
}

func (k kind) methods() string {
	if k.get {
		return "GET, POST"
	}
	return "POST"
}

// secretsOf returns all secrets of a sender, in the order of its variables.
func (k kind) secretsOf(secrets Secrets) []string {
	var all []string
	for _, name := range k.variables {
		all = slices.Concat(all, secrets[name])
	}
	return all
}

// wanted reports whether any secret of the sender is set.
func (k kind) wanted(secrets Secrets) bool { return len(k.secretsOf(secrets)) > 0 }
