package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// The environment variables that switch senders on. Each holds one secret, or several with blanks between while one is
// rotated: all are good until the old one is taken out.
const (
	envSlack         = "SLACK_SIGNING_SECRET"
	envDingTalk      = "DINGTALK_APP_SECRET"
	envFeishuEncrypt = "FEISHU_ENCRYPT_KEY"
	envFeishuToken   = "FEISHU_VERIFICATION_TOKEN"
	envWeComToken    = "WECOM_TOKEN"
	envWeComAES      = "WECOM_AES_KEY" // 43 characters
	envWeComCorp     = "WECOM_CORP_ID"
	envTeams         = "TEAMS_TOKEN" // base64, as Teams shows it once
	envGitHub        = "GITHUB_WEBHOOK_SECRET"
	envGitLabSigning = "GITLAB_SIGNING_TOKEN" // whsec_...
	envGitLabToken   = "GITLAB_TOKEN"
	envGitee         = "GITEE_SECRET"
	envStandard      = "WEBHOOK_SECRET" // whsec_...
)

// Secrets holds secrets by the environment variable that they come from.
type Secrets map[string][]string

// unused is what a variable holds that cannot be left out, as in a secret with a field for each sender.
const unused = "off"

// SecretsFromEnv reads the variables of all senders; one that is "off" counts as unset. It judges nothing: [New] switches
// a sender off whose secret is missing, too short or still an example.
func SecretsFromEnv(getenv func(string) string) Secrets {
	secrets := Secrets{}
	for _, kind := range kinds {
		for _, name := range kind.variables {
			if values := valuesOf(getenv, name); len(values) > 0 {
				secrets[name] = values
			}
		}
	}
	return secrets
}

func valuesOf(getenv func(string) string, name string) []string {
	values := strings.Fields(getenv(name))
	if len(values) > 0 && values[0] == unused {
		return nil
	}
	return values
}

// ReadSecrets returns the secrets of one variable, such as API_TOKEN, by the rule for all: none, and an error that never
// tells a secret, if the variable is unset or off, or one of them is too short or still an example.
func ReadSecrets(getenv func(string) string, name string) ([]string, error) {
	return Secrets{name: valuesOf(getenv, name)}.read(name)
}

// secretMin is how many bytes a secret must have at least. A shorter one can be found by trying.
const secretMin = 16

// ErrUnset says that this sender is not wanted; that is no mistake.
var ErrUnset = errors.New("not set")

// read returns the secrets of a variable, or says which one of them switches the sender off. It never tells a secret.
func (s Secrets) read(name string) ([]string, error) {
	values := s[name]
	if len(values) == 0 {
		return nil, fmt.Errorf("%s is %w", name, ErrUnset)
	}
	for _, value := range values {
		if len(value) < secretMin {
			return nil, fmt.Errorf("%s has an element of %d bytes: use at least %d", name, len(value), secretMin)
		}
		if example().MatchString(value) {
			return nil, fmt.Errorf("%s is still an example value: set the secret that the sender shows", name)
		}
	}
	return values, nil
}

// readAll reads several variables that a sender needs together.
func (s Secrets) readAll(names ...string) ([][]string, error) {
	all := make([][]string, len(names))
	var wrong []error
	for i, name := range names {
		values, err := s.read(name)
		wrong = append(wrong, err)
		all[i] = values
	}
	return all, errors.Join(wrong...)
}

// decoded reads secrets that stand in base64, behind a prefix if there is one, and returns their bytes.
func (s Secrets) decoded(name, prefix string) ([]string, error) {
	values, err := s.read(name)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(values))
	for i, value := range values {
		text, found := strings.CutPrefix(value, prefix)
		key, err := base64.StdEncoding.Strict().DecodeString(text)
		switch {
		case !found:
			return nil, fmt.Errorf("%s has an element that does not begin with %s", name, prefix)
		case err != nil:
			return nil, fmt.Errorf("%s has an element that is not base64: copy it whole", name)
		case len(key) < secretMin:
			return nil, fmt.Errorf("%s has an element of %d bytes once decoded: use at least %d", name, len(key), secretMin)
		}
		keys[i] = string(key)
	}
	return keys, nil
}

// example is what users forget to replace: nothing but a word of templates, once or several times. A secret that only
// holds such a word is one.
var example = lazily(`(?i)^[\W_]*((change|replace)[-_]?me[\W_]*)+$`)

// lazily compiles an expression when it is first used: a cold start needs none.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
