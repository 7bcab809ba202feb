package swas

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
)

// hidden is what every printed form of credentials shows.
const hidden = "[credentials]"

// Credentials sign a call. SecurityToken is empty for a long-lived access key. However they are printed, logged or
// marshalled, they show nothing of themselves.
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

// missing names the part without which nothing can be signed, or is empty.
func (c Credentials) missing() string {
	switch {
	case c.AccessKeyID == "" && c.AccessKeySecret == "":
		return "access key"
	case c.AccessKeyID == "":
		return "access key ID"
	case c.AccessKeySecret == "":
		return "access key secret"
	}
	return ""
}

// Provider hands out the credentials of a call. Its errors reach people, so they carry no secret.
type Provider interface {
	// Credentials returns the credentials to use now.
	Credentials(ctx context.Context) (Credentials, error)
	// Refresh returns other credentials after the API said that the last ones are invalid or expired, or false if
	// the platform has no others.
	Refresh(ctx context.Context) (Credentials, bool, error)
}

// Static is a [Provider] of credentials that never change.
type Static Credentials

// Credentials returns the credentials.
func (s Static) Credentials(context.Context) (Credentials, error) { return Credentials(s), nil }

// Refresh has no others.
func (s Static) Refresh(context.Context) (Credentials, bool, error) { return Credentials{}, false, nil }

// Format hides the credentials from every verb.
func (Static) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(hidden)) }

// LogValue hides the credentials from slog.
func (Static) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalJSON hides the credentials from encoding/json.
func (Static) MarshalJSON() ([]byte, error) { return json.Marshal(hidden) }
