package swas

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"swas-snapshot/shared/credentials"
)

// missing names the part without which nothing can be signed, or is empty.
func missing(c credentials.Credentials) string {
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
	Credentials(ctx context.Context) (credentials.Credentials, error)
	// Refresh returns other credentials after the API said that the last ones are invalid or expired, or false if
	// the platform has no others.
	Refresh(ctx context.Context) (credentials.Credentials, bool, error)
}

// Static is a [Provider] of credentials that never change.
type Static credentials.Credentials

// Credentials returns the credentials.
func (s Static) Credentials(context.Context) (credentials.Credentials, error) {
	return credentials.Credentials(s), nil
}

// Refresh has no others.
func (s Static) Refresh(context.Context) (credentials.Credentials, bool, error) {
	return credentials.Credentials{}, false, nil
}

// Format hides the credentials from every verb.
func (Static) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(credentials.Hidden)) }

// LogValue hides the credentials from slog.
func (Static) LogValue() slog.Value { return slog.StringValue(credentials.Hidden) }

// MarshalJSON hides the credentials from encoding/json.
func (Static) MarshalJSON() ([]byte, error) { return json.Marshal(credentials.Hidden) }
