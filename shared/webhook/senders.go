package webhook

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// senders is every sender. To add one, write its file, its row here and its rule keys in package policy.
var senders = []*sender{&slack, &dingtalk, &feishu, &wecom, &teams, &github, &gitlab, &gitee, &standard}

// sender is all that is known of one kind of sender.
type sender struct {
	name      string     // as in its path and as the policy names it
	variables []variable // that hold its secrets
	needs     needs      // which of them must be set
	headers   []string   // that carry its signature, canonical: one that is too long counts as wrong
	media     []string   // media types of its requests
	get       bool       // it checks the URL with a GET
	language  language   // of users whose text and locale do not name one
	// budget is the time within which it wants its answer, less what network and platform take of it.
	budget time.Duration
	// forgive says that a failure which is final, or whose order goes on, is answered 200, because the sender stops
	// calling an address that fails often.
	forgive bool

	// verify authenticates a request on its raw bytes and sets its plain text. Its error wraps ErrUnauthenticated.
	verify func(keyring, *request) error
	// parse reads an authentic request. Its error is a *snapshot.Error.
	parse func(*request) (inbound, error)
	// render gives a reply the form of a chat; nil for a sender that is no chat.
	render func(*request, message, reply) (content, error)
	// sample makes a signed request, without the path.
	sample func(sampler) Sample
}

// needs says which variables of a sender must be set.
type needs int

const (
	needsAll   needs = iota
	needsAny         // at least one; all that are set count
	needsFirst       // at least one; only the first that is set counts
)

// The media types of requests and answers.
const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
	mediaText = "text/plain; charset=utf-8"
)

// Budgets of time: Slack, DingTalk and Feishu give up after 3 s, Teams and WeCom after 5 s, the rest after 10 s. Work
// ends answerReserve earlier, so that the answer is written in time.
const (
	budgetShort  = 2300 * time.Millisecond
	budgetMedium = 4 * time.Second
	budgetLong   = 8 * time.Second

	answerReserve = 200 * time.Millisecond
)

// senderOf returns the sender of a name, or nil.
func senderOf(name string) *sender {
	i := slices.IndexFunc(senders, func(s *sender) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return senders[i]
}

// methods returns the HTTP methods that the sender uses.
func (s *sender) methods() []string {
	if s.get {
		return []string{http.MethodGet, http.MethodPost}
	}
	return []string{http.MethodPost}
}

// keys returns the keys in the secrets of the sender, or why it is off.
func (s *sender) keys(secrets Secrets) (keyring, error) {
	found := keyring{}
	var unset, wrong []error
	for _, v := range s.variables {
		values, err := secrets.read(v)
		switch {
		case err == nil:
			found[v.name] = values
		case errors.Is(err, ErrUnset):
			unset = append(unset, err)
			continue
		default:
			wrong = append(wrong, err)
		}
		if s.needs == needsFirst {
			break
		}
	}
	if s.needs == needsAll || len(unset) == len(s.variables) {
		wrong = append(wrong, unset...)
	}
	return found, errors.Join(wrong...)
}

// wanted reports whether any secret of the sender is set.
func (s *sender) wanted(secrets Secrets) bool {
	return slices.ContainsFunc(s.variables, func(v variable) bool { return len(secrets[v.name]) > 0 })
}

// SenderState is whether a sender is switched on.
type SenderState struct {
	Sender    string   // as the policy names it under from
	Variables []string // that hold its secrets; a sender may need only some of them
	Set       bool     // any of them is set
	Off       error    // why the sender is off; nil if it is on. It never holds a secret
}

// SenderStates returns of every sender what [New] would make of its secrets.
func SenderStates(secrets Secrets) []SenderState {
	all := make([]SenderState, len(senders))
	for i, s := range senders {
		_, err := s.keys(secrets)
		all[i] = SenderState{Sender: s.name, Set: s.wanted(secrets), Off: err}
		for _, v := range s.variables {
			all[i].Variables = append(all[i].Variables, v.name)
		}
	}
	return all
}
