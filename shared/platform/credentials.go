package platform

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// The variables of an access key, and the one that names a secret instead.
const (
	envKeyID    = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envSecret   = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	envToken    = "ALIBABA_CLOUD_SECURITY_TOKEN"
	envSecretID = "ALIBABA_CLOUD_SECRET_ID"
)

// hidden is what every printed form of credentials shows.
const hidden = "[credentials]"

// Credentials are an access key of Alibaba Cloud; SecurityToken is empty for a long-lived one. However they are
// printed, logged or marshalled, they show nothing of themselves.
type Credentials struct{ AccessKeyID, AccessKeySecret, SecurityToken string }

// String hides the credentials.
func (Credentials) String() string { return hidden }

// GoString hides the credentials from %#v.
func (Credentials) GoString() string { return hidden }

// Format hides the credentials from every verb, those for numbers included.
func (Credentials) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(hidden)) }

// LogValue hides the credentials from slog.
func (Credentials) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides the credentials from encoding/json.
func (Credentials) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }

// errNoCredentials says that neither the platform nor the environment has credentials.
var errNoCredentials = errors.New("no credentials: give the function a role, or set " + envKeyID + " and " + envSecret +
	", or on Lambda " + envSecretID)

// envCredentials returns the access key that the environment holds: ALIBABA_CLOUD_ACCESS_KEY_ID,
// ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for temporary ones, ALIBABA_CLOUD_SECURITY_TOKEN. Blanks around a value are
// dropped. The error is [errNoCredentials] if none of them is set; half a key is an error that names the missing part.
func envCredentials(getenv func(string) string) (Credentials, error) {
	found := Credentials{
		AccessKeyID:     strings.TrimSpace(getenv(envKeyID)),
		AccessKeySecret: strings.TrimSpace(getenv(envSecret)),
		SecurityToken:   strings.TrimSpace(getenv(envToken)),
	}
	switch {
	case found == Credentials{}:
		return Credentials{}, errNoCredentials
	case found.AccessKeyID == "":
		return Credentials{}, halfKey(envKeyID)
	case found.AccessKeySecret == "":
		return Credentials{}, halfKey(envSecret)
	}
	return found, nil
}

func halfKey(missing string) error {
	return fmt.Errorf("half an access key: %s is missing: set it, or unset the other variables of the key", missing)
}
