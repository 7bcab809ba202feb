// Package credentials is what signs the calls of the API, on its way from the platform to the client. Neither of these
// knows the other; both know this.
package credentials

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Hidden is what every printed form of credentials shows.
const Hidden = "[credentials]"

// Credentials are an access key of Alibaba Cloud. SecurityToken is empty for a long-lived one. However they are
// printed, logged or marshalled, they show nothing of themselves.
type Credentials struct{ AccessKeyID, AccessKeySecret, SecurityToken string }

// String hides the credentials.
func (Credentials) String() string { return Hidden }

// GoString hides the credentials from %#v.
func (Credentials) GoString() string { return Hidden }

// Format hides the credentials from every verb, those for numbers included.
func (Credentials) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(Hidden)) }

// LogValue hides the credentials from slog.
func (Credentials) LogValue() slog.Value { return slog.StringValue(Hidden) }

// MarshalJSON hides the credentials from encoding/json.
func (Credentials) MarshalJSON() ([]byte, error) { return json.Marshal(Hidden) }
