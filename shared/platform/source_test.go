package platform_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/platform"
)

// key is made up, and distinctive enough to be found in any text that it leaks into.
var key = credentials.Credentials{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret",
	SecurityToken: "made-up-token"}

func env(pairs ...string) func(string) string {
	values := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return values[name] }
}

func requireClean(t testing.TB, text string) {
	t.Helper()
	if strings.Contains(text, "made-up") {
		t.Errorf("%q shows a secret", text)
	}
}

func TestEnvCredentials(t *testing.T) {
	t.Parallel()
	const id, secret, token = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
		"ALIBABA_CLOUD_SECURITY_TOKEN"
	cases := map[string]struct {
		env   []string
		want  credentials.Credentials
		names string // what the error names
	}{
		"temporary": {[]string{id, "made-up-id", secret, "made-up-secret", token, "made-up-token"}, key, ""},
		"long-lived": {[]string{id, "a", secret, "b"}, credentials.Credentials{AccessKeyID: "a", AccessKeySecret: "b"},
			""},
		"blanks": {[]string{id, " a\n", secret, "\tb "},
			credentials.Credentials{AccessKeyID: "a", AccessKeySecret: "b"}, ""},
		"nothing":      {nil, credentials.Credentials{}, "no credentials"},
		"only blanks":  {[]string{id, " ", secret, "\n"}, credentials.Credentials{}, "no credentials"},
		"no secret":    {[]string{id, "made-up-id"}, credentials.Credentials{}, secret + " is missing"},
		"no ID":        {[]string{secret, "made-up-secret"}, credentials.Credentials{}, id + " is missing"},
		"only a token": {[]string{token, "made-up-token"}, credentials.Credentials{}, id + " is missing"},
		"ID and token": {[]string{id, "made-up-id", token, "made-up-token"}, credentials.Credentials{},
			secret + " is missing"},
		"secret with token": {[]string{secret, "made-up-secret", token, "made-up-token"}, credentials.Credentials{},
			id + " is missing"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := platform.EnvCredentials(env(c.env...))
			if got != c.want {
				t.Error("got other credentials")
			}
			if c.names == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.names) {
				t.Fatalf("got %v, want an error that names %q", err, c.names)
			}
			if errors.Is(err, platform.ErrNoCredentials) != (c.names == "no credentials") {
				t.Errorf("got %v", err)
			}
			requireClean(t, err.Error())
		})
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const id, secret, secretID = "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
		"ALIBABA_CLOUD_SECRET_ID"
	for name, c := range map[string]struct {
		env    []string
		handed bool
		wrong  string
	}{
		"key":                   {[]string{id, "a", secret, "b"}, false, ""},
		"secret":                {[]string{secretID, "s"}, false, ""},
		"nothing":               {nil, false, ""},
		"half a key":            {[]string{id, "a"}, false, secret + " is missing"},
		"two sources":           {[]string{id, "a", secret, "b", secretID, "s"}, false, "two sources"},
		"half a key, handed":    {[]string{id, "a"}, true, ""},
		"half a key and secret": {[]string{secret, "b", secretID, "s"}, false, "two sources"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			invocation := platform.Invocation{}
			if c.handed {
				invocation.Credentials = key
			}
			err := (&platform.Source{Getenv: env(c.env...)}).Check(invocation)
			if (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want %q", err, c.wrong)
			}
		})
	}
}

// vault plays the Parameters-and-Secrets extension: it answers with the text of the moment and counts.
type vault struct {
	mu     sync.Mutex
	status int
	body   string
	reads  int
	port   string
}

func newVault(t testing.TB, secret string) *vault {
	v := &vault{status: 200}
	v.store(secret)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.reads++
		if r.Method != http.MethodGet || r.URL.Path != "/secretsmanager/get" ||
			r.URL.Query().Get("secretId") != "prod/swas key" ||
			r.Header.Get("X-Aws-Parameters-Secrets-Token") != "session" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if v.status/100 == 3 {
			w.Header().Set("Location", "/secretsmanager/get?secretId=prod/swas+key")
		}
		w.WriteHeader(v.status)
		_, _ = w.Write([]byte(v.body))
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	v.port = address.Port()
	return v
}

func (v *vault) store(secret string) {
	envelope, _ := json.Marshal(map[string]string{"Name": "prod/swas key", "SecretString": secret})
	v.mu.Lock()
	defer v.mu.Unlock()
	v.body = string(envelope)
}

func (v *vault) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reads
}

func (v *vault) env(more ...string) func(string) string {
	return env(append([]string{"ALIBABA_CLOUD_SECRET_ID", "prod/swas key", "AWS_SESSION_TOKEN", "session",
		"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", v.port}, more...)...)
}

func secretOf(c credentials.Credentials) string {
	return fmt.Sprintf(`{"accessKeyId":%q,"accessKeySecret":%q,"securityToken":%q,"owner":"ops"}`, c.AccessKeyID,
		c.AccessKeySecret, c.SecurityToken)
}

func TestSourcePrecedence(t *testing.T) {
	t.Parallel()
	v := newVault(t, secretOf(credentials.Credentials{AccessKeyID: "vault", AccessKeySecret: "v"}))
	cases := map[string]struct {
		handed credentials.Credentials
		getenv func(string) string
		keyID  string
		names  string
	}{
		"platform first": {key, env("ALIBABA_CLOUD_ACCESS_KEY_ID", "env", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "e"),
			"made-up-id", ""},
		"platform and both": {key, v.env("ALIBABA_CLOUD_ACCESS_KEY_ID", "env"), "made-up-id", ""},
		"environment": {credentials.Credentials{}, env("ALIBABA_CLOUD_ACCESS_KEY_ID", "env",
			"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "e"), "env", ""},
		"secret": {credentials.Credentials{}, v.env(), "vault", ""},
		"both": {credentials.Credentials{}, v.env("ALIBABA_CLOUD_ACCESS_KEY_ID", "env",
			"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "e"), "", "two sources"},
		"secret, half key": {credentials.Credentials{}, v.env("ALIBABA_CLOUD_ACCESS_KEY_ID", "env"), "", "two sources"},
		"half key": {credentials.Credentials{}, env("ALIBABA_CLOUD_ACCESS_KEY_ID", "made-up-id"), "",
			"ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
		"none": {credentials.Credentials{}, env(), "", "ALIBABA_CLOUD_SECRET_ID"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := &platform.Source{Getenv: c.getenv}
			got, err := source.Provider(platform.Invocation{Credentials: c.handed}).Credentials(t.Context())
			if c.names == "" {
				if err != nil || got.AccessKeyID != c.keyID {
					t.Errorf("got key %q, %v", got.AccessKeyID, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.names) {
				t.Fatalf("got %v, want an error that names %q", err, c.names)
			}
			requireClean(t, err.Error())
		})
	}
}

func TestOnlySecretsRefresh(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handed credentials.Credentials
		getenv func(string) string
	}{
		"platform": {key, env()},
		"environment": {credentials.Credentials{}, env("ALIBABA_CLOUD_ACCESS_KEY_ID", "a",
			"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "b")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			provider := (&platform.Source{Getenv: c.getenv}).Provider(platform.Invocation{Credentials: c.handed})
			if got, found, err := provider.Refresh(t.Context()); found || err != nil ||
				got != (credentials.Credentials{}) {
				t.Errorf("got %v, %v", found, err)
			}
		})
	}
}

func TestSecretIsKeptFiveMinutes(t *testing.T) {
	t.Parallel()
	v := newVault(t, secretOf(key))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	source := &platform.Source{Getenv: v.env(), Now: func() time.Time { return now }}
	for _, step := range []struct {
		after time.Duration
		reads int
	}{{0, 1}, {time.Minute, 1}, {4*time.Minute - 1, 1}, {1, 2}, {time.Minute, 2}, {-time.Hour, 3}} {
		now = now.Add(step.after)
		got, err := source.Provider(platform.Invocation{}).Credentials(t.Context())
		if err != nil || got != key {
			t.Fatalf("got other credentials or %v", err)
		}
		if v.count() != step.reads {
			t.Errorf("after another %v: got %d reads, want %d", step.after, v.count(), step.reads)
		}
	}
}

func TestSecretIsReadAgainWhenRefused(t *testing.T) {
	t.Parallel()
	v := newVault(t, secretOf(key))
	source := &platform.Source{Getenv: v.env()}
	first, second := source.Provider(platform.Invocation{}), source.Provider(platform.Invocation{})
	for _, provider := range []*platform.Provider{first, second} {
		if _, err := provider.Credentials(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	// The same credentials are none to try again with.
	if _, found, err := first.Refresh(t.Context()); found || err != nil || v.count() != 2 {
		t.Errorf("got %v, %v after %d reads", found, err, v.count())
	}
	rotated := credentials.Credentials{AccessKeyID: "rotated", AccessKeySecret: "r"}
	v.store(secretOf(rotated))
	if got, found, err := first.Refresh(t.Context()); !found || err != nil || got != rotated || v.count() != 3 {
		t.Errorf("got %v, %v after %d reads", found, err, v.count())
	}
	// What one invocation has read serves the others.
	if got, found, err := second.Refresh(t.Context()); !found || err != nil || got != rotated || v.count() != 3 {
		t.Errorf("got %v, %v after %d reads", found, err, v.count())
	}
	if got, err := source.Provider(platform.Invocation{}).Credentials(t.Context()); err != nil || got != rotated ||
		v.count() != 3 {
		t.Errorf("got %v after %d reads", err, v.count())
	}
	v.store("broken")
	if _, found, err := first.Refresh(t.Context()); found || err == nil {
		t.Errorf("a broken secret: got %v, %v", found, err)
	}
}

func TestSecretIsReadOnceByMany(t *testing.T) {
	t.Parallel()
	v := newVault(t, secretOf(key))
	source := &platform.Source{Getenv: v.env()}
	provider := source.Provider(platform.Invocation{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if got, err := provider.Credentials(t.Context()); err != nil || got != key {
				t.Errorf("got other credentials or %v", err)
			}
		})
	}
	group.Wait()
	if v.count() != 1 {
		t.Errorf("got %d reads, want 1", v.count())
	}
}

func TestSecretDefects(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		status int
		body   string
		env    []string
		names  string
	}{
		"refused":           {400, `made-up-secret`, nil, "HTTP 400"},
		"failing":           {500, `made-up-secret`, nil, "HTTP 500"},
		"redirect":          {302, ``, nil, "HTTP 302"},
		"answer not JSON":   {200, `made-up-secret`, nil, "answer is not JSON"},
		"empty answer":      {200, ``, nil, "answer is not JSON"},
		"no text":           {200, `{"SecretBinary":"made-up-secret"}`, nil, "no text"},
		"secret not JSON":   {200, `{"SecretString":"made-up-secret"}`, nil, "the secret is not JSON"},
		"secret a list":     {200, `{"SecretString":"[\"made-up-secret\"]"}`, nil, "the secret is not JSON"},
		"secret of numbers": {200, `{"SecretString":"{\"accessKeyId\":1}"}`, nil, "the secret is not JSON"},
		"no ID": {200, `{"SecretString":"{\"accessKeySecret\":\"made-up-secret\"}"}`, nil,
			"no accessKeyId"},
		"no key":     {200, `{"SecretString":"{\"accessKeyId\":\"made-up-id\"}"}`, nil, "no accessKeySecret"},
		"too large":  {200, strings.Repeat("made-up ", 1<<16), nil, "larger"},
		"no session": {200, ``, []string{"AWS_SESSION_TOKEN", ""}, "AWS_SESSION_TOKEN is not set"},
		"port is a word": {200, ``, []string{"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "http"},
			"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"},
		"port out of range": {200, ``, []string{"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "65536"},
			"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t, "")
			v.status, v.body = c.status, c.body
			source := &platform.Source{Getenv: v.env(c.env...)}
			_, err := source.Provider(platform.Invocation{}).Credentials(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.names) {
				t.Fatalf("got %v, want an error that names %q", err, c.names)
			}
			requireClean(t, err.Error())
		})
	}
	t.Run("nothing listens", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewServer(http.NotFoundHandler())
		address, _ := url.Parse(server.URL)
		server.Close()
		source := &platform.Source{Getenv: env("ALIBABA_CLOUD_SECRET_ID", "x", "AWS_SESSION_TOKEN", "session",
			"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", address.Port())}
		_, err := source.Provider(platform.Invocation{}).Credentials(t.Context())
		if err == nil || !strings.Contains(err.Error(), "nothing answers on localhost:"+address.Port()) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		arrived := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		}))
		t.Cleanup(server.Close)
		address, _ := url.Parse(server.URL)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		source := &platform.Source{Getenv: env("ALIBABA_CLOUD_SECRET_ID", "x", "AWS_SESSION_TOKEN", "session",
			"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", address.Port())}
		_, err := source.Provider(platform.Invocation{}).Credentials(ctx)
		if err == nil || !strings.Contains(err.Error(), "did not answer in time") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCredentialsAreNeverShown(t *testing.T) {
	t.Parallel()
	v := newVault(t, secretOf(key))
	source := &platform.Source{Getenv: v.env()}
	fromVault := source.Provider(platform.Invocation{})
	if _, err := fromVault.Credentials(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"credentials": key, "pointer": &key, "invocation": platform.Invocation{Credentials: key},
		"provider": source.Provider(platform.Invocation{Credentials: key}), "provider of a secret": fromVault,
		"source": source,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
				requireClean(t, fmt.Sprintf(verb, value))
			}
			if body, err := json.Marshal(value); err == nil {
				requireClean(t, string(body))
			}
			var log strings.Builder
			slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "value", value)
			slog.New(slog.NewTextHandler(&log, nil)).Info("m", "value", value)
			requireClean(t, log.String())
		})
	}
	requireClean(t, key.String()+key.GoString())
}

// FuzzSecret reads any answer of the extension: nothing panics, half a key never passes, no error shows the answer.
func FuzzSecret(f *testing.F) {
	f.Add(`{"SecretString":"{\"accessKeyId\":\"made-up-id\",\"accessKeySecret\":\"made-up-secret\"}"}`)
	f.Add(`{"SecretString":"{\"accessKeyId\":\"made-up-id\"}"}`)
	f.Add(`{"SecretString":"made-up-secret"}`)
	f.Add(`{"SecretString":null}`)
	f.Add(`made-up-secret`)
	f.Fuzz(func(t *testing.T, body string) {
		source := &platform.Source{
			Getenv:    env("ALIBABA_CLOUD_SECRET_ID", "x", "AWS_SESSION_TOKEN", "session"),
			Transport: answering(body),
		}
		got, err := source.Provider(platform.Invocation{}).Credentials(t.Context())
		switch {
		case err == nil && (got.AccessKeyID == "" || got.AccessKeySecret == ""):
			t.Errorf("%q: half a key passed", body)
		case err != nil:
			requireClean(t, err.Error())
		}
	})
}

// answering is a network on which every call gets the same body.
type answering string

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	_, _ = recorder.WriteString(string(a))
	return recorder.Result(), nil
}
