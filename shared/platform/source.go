package platform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"swas-snapshot/shared/credentials"
)

// secretTTL is how long a secret is used before it is read again.
const secretTTL = 5 * time.Minute

// Source finds credentials for invocations and keeps what it read of a secret for 5 minutes. The zero value is ready;
// one Source serves all invocations of a process, at once too.
type Source struct {
	Getenv    func(string) string // nil: os.Getenv
	Now       func() time.Time    // nil: time.Now
	Transport http.RoundTripper   // reaches the extension that reads secrets; nil: one without proxies

	mu     sync.Mutex
	kept   *credentials.Credentials // of the secret
	keptAt time.Time
}

// Format hides what was read of the secret from every verb: fmt looks into fields that are not exported.
func (*Source) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(credentials.Hidden)) }

// Provider returns the credentials for one invocation. It reads nothing: what is wrong with them shows when they are
// asked for.
func (s *Source) Provider(invocation Invocation) *Provider {
	provider := &Provider{source: s}
	if invocation.Credentials != (credentials.Credentials{}) {
		provider.handed = &invocation.Credentials
	}
	return provider
}

// Check returns what is wrong with the credentials of the environment without asking for any: half a key, or two
// sources. Where the platform handed credentials over, the environment does not count, and where there are none at all,
// that shows when they are asked for.
func (s *Source) Check(invocation Invocation) error {
	if invocation.Credentials != (credentials.Credentials{}) {
		return nil
	}
	if _, _, err := s.environment(); err != nil && !errors.Is(err, errNoCredentials) {
		return err
	}
	return nil
}

// Provider returns the credentials of one invocation. It is safe for concurrent use.
type Provider struct {
	source *Source
	handed *credentials.Credentials                // by the platform
	used   atomic.Pointer[credentials.Credentials] // the last ones of the secret
}

// Format hides the credentials from every verb.
func (*Provider) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte(credentials.Hidden)) }

// Credentials returns the credentials to use now: those that the platform handed over, else those of the environment,
// else those of the secret that ALIBABA_CLOUD_SECRET_ID names. An environment with both a key and a secret is an error.
// Errors name the variable and say what to do, and hold no secret.
func (p *Provider) Credentials(ctx context.Context) (credentials.Credentials, error) {
	found, _, err := p.find(ctx, nil)
	return found, err
}

// Refresh returns other credentials after the API said that the last ones are invalid or expired. Only a secret can
// have changed: it is read again, and the result is false if it holds the same credentials as before.
func (p *Provider) Refresh(ctx context.Context) (credentials.Credentials, bool, error) {
	stale := p.used.Load()
	if stale == nil {
		stale = &credentials.Credentials{}
	}
	found, fromSecret, err := p.find(ctx, stale)
	if err != nil || !fromSecret || found == *stale {
		return credentials.Credentials{}, false, err
	}
	return found, true, nil
}

// find returns the credentials to use now, those of a secret only if they are not the stale ones, and reports whether
// they are of a secret.
func (p *Provider) find(ctx context.Context, stale *credentials.Credentials) (credentials.Credentials, bool, error) {
	if p.handed != nil {
		return *p.handed, false, nil
	}
	found, secretID, err := p.source.environment()
	if err != nil || secretID == "" {
		return found, false, err
	}
	if found, err = p.source.secret(ctx, secretID, stale); err != nil {
		return credentials.Credentials{}, true, err
	}
	p.used.Store(&found)
	return found, true, nil
}

func (s *Source) getenv(name string) string {
	if s.Getenv == nil {
		return os.Getenv(name)
	}
	return s.Getenv(name)
}

// environment returns what the environment holds: a key, or the name of a secret.
func (s *Source) environment() (credentials.Credentials, string, error) {
	secretID := strings.TrimSpace(s.getenv(envSecretID))
	found, err := envCredentials(s.getenv)
	switch {
	case secretID == "":
		return found, "", err
	case errors.Is(err, errNoCredentials):
		return found, secretID, nil
	}
	return credentials.Credentials{}, "", errors.New("two sources of credentials: unset either " + envSecretID +
		" or the variables of the access key (" + envKeyID + ", " + envSecret + ", " + envToken + ")")
}

// secret returns the credentials of a secret: those kept, if they are fresh and not the stale ones, else read again.
func (s *Source) secret(
	ctx context.Context, id string, stale *credentials.Credentials,
) (credentials.Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	if s.kept != nil && (stale == nil || *s.kept != *stale) {
		if age := now().Sub(s.keptAt); age >= 0 && age < secretTTL {
			return *s.kept, nil
		}
	}
	s.kept = nil
	found, err := s.readSecret(ctx, id)
	if err != nil {
		return credentials.Credentials{}, err
	}
	s.kept, s.keptAt = &found, now()
	return found, nil
}
