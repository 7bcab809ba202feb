package webhook

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Secrets holds secrets by the environment variable that they come from. A variable holds one secret, or several with
// blanks between while one is rotated: all are valid until the old one is removed.
type Secrets map[string][]string

// keyring holds the keys in secrets, by the environment variable.
type keyring map[string][]string

// variable is an environment variable that holds secrets.
type variable struct {
	name string
	form form
}

// form is how a secret is written.
type form int

const (
	plainForm    form = iota // the text is the key
	base64Form               // as Teams shows it, once
	standardForm             // whsec_ and base64, as Standard Webhooks specifies
	aesForm                  // 43 characters: 32 bytes in base64 without the padding
)

const standardPrefix = "whsec_"

// decode returns the key in a secret. Its error completes "an element that".
func (f form) decode(text string) (string, error) {
	switch f {
	case plainForm:
		return text, nil
	case aesForm:
		key, err := base64.StdEncoding.DecodeString(text + "=")
		if err != nil || len(key) != 32 {
			return "", errors.New("is not an AES key: copy all 43 characters")
		}
		return string(key), nil
	case standardForm:
		rest, found := strings.CutPrefix(text, standardPrefix)
		if !found {
			return "", errors.New("does not begin with " + standardPrefix)
		}
		text = rest
	}
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return "", errors.New("is not base64: copy it whole")
	}
	if len(key) < secretMin {
		return "", fmt.Errorf("has %d bytes once decoded: use at least %d", len(key), secretMin)
	}
	return string(key), nil
}

// encode writes 32 bytes as a secret.
func (f form) encode(random []byte) string {
	switch f {
	case base64Form:
		return base64.StdEncoding.EncodeToString(random)
	case standardForm:
		return standardPrefix + base64.StdEncoding.EncodeToString(random)
	case aesForm:
		return base64.RawStdEncoding.EncodeToString(random)
	}
	return hex.EncodeToString(random)
}

// unused is what a variable holds that cannot be left out, as in a secret with a field for each sender.
const unused = "off"

// SecretsFromEnv reads the variables of all senders; one that is "off" counts as unset. It checks nothing: [New]
// switches a sender off whose secret is missing, too short or still an example.
func SecretsFromEnv(getenv func(string) string) Secrets {
	secrets := Secrets{}
	for _, s := range senders {
		for _, v := range s.variables {
			if values := valuesOf(getenv, v.name); len(values) > 0 {
				secrets[v.name] = values
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

// ReadSecrets returns the secrets of one variable, such as API_TOKEN, by the rule for all: none, and an error that
// never holds a secret, if the variable is unset or off (then the error wraps [ErrUnset]), or one of them has fewer
// than 16 bytes or is still an example.
func ReadSecrets(getenv func(string) string, name string) ([]string, error) {
	return Secrets{name: valuesOf(getenv, name)}.read(variable{name, plainForm})
}

// secretMin is how many bytes a secret must have at least. A shorter one can be found by trying.
const secretMin = 16

// ErrUnset is the error of a variable that is not set, so that its sender is off on purpose.
var ErrUnset = errors.New("not set")

// read returns the keys in a variable, or says what is wrong with it. Its error never holds a secret.
func (s Secrets) read(v variable) ([]string, error) {
	values := s[v.name]
	if len(values) == 0 {
		return nil, fmt.Errorf("%s is %w", v.name, ErrUnset)
	}
	decoded := make([]string, len(values))
	for i, value := range values {
		if len(value) < secretMin {
			return nil, fmt.Errorf("%s has an element of %d bytes: use at least %d", v.name, len(value), secretMin)
		}
		if example().MatchString(value) {
			return nil, fmt.Errorf("%s is still an example value: set the secret that the sender shows", v.name)
		}
		key, err := v.form.decode(value)
		if err != nil {
			return nil, fmt.Errorf("%s has an element that %w", v.name, err)
		}
		decoded[i] = key
	}
	return decoded, nil
}

// example matches what users forget to replace: nothing but a word of templates, once or several times.
var example = lazily(`(?i)^[\W_]*((change|replace)[-_]?me[\W_]*)+$`)

// lazily compiles an expression when it is first used: a cold start needs none.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
