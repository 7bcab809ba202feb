package platform

import (
	"errors"
	"fmt"
	"strings"

	"swas-snapshot/shared/credentials"
)

// The variables of an access key, and the one that names a secret instead.
const (
	envKeyID    = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	envSecret   = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
	envToken    = "ALIBABA_CLOUD_SECURITY_TOKEN"
	envSecretID = "ALIBABA_CLOUD_SECRET_ID"
)

// errNoCredentials says that neither the platform nor the environment has credentials.
var errNoCredentials = errors.New("no credentials: give the function a role, or set " + envKeyID + " and " + envSecret +
	", or on Lambda " + envSecretID)

// envCredentials returns the access key that the environment holds: ALIBABA_CLOUD_ACCESS_KEY_ID,
// ALIBABA_CLOUD_ACCESS_KEY_SECRET and, for temporary ones, ALIBABA_CLOUD_SECURITY_TOKEN. Blanks around a value are
// dropped. The error is [errNoCredentials] if none of them is set; half a key is an error that names the missing part.
func envCredentials(getenv func(string) string) (credentials.Credentials, error) {
	found := credentials.Credentials{
		AccessKeyID:     strings.TrimSpace(getenv(envKeyID)),
		AccessKeySecret: strings.TrimSpace(getenv(envSecret)),
		SecurityToken:   strings.TrimSpace(getenv(envToken)),
	}
	missing := ""
	switch {
	case found == credentials.Credentials{}:
		return found, errNoCredentials
	case found.AccessKeyID == "":
		missing = envKeyID
	case found.AccessKeySecret == "":
		missing = envSecret
	default:
		return found, nil
	}
	return credentials.Credentials{}, fmt.Errorf(
		"half an access key: %s is missing: set it, or unset the other variables of the key", missing)
}
