package swas_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// alone cuts the chain off from the machine's metadata server, files and variables, and returns its home.
func alone(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	t.Setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
	t.Setenv("HOME", home)
	for _, name := range []string{"ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN", "CREDENTIALS_URI", "PROFILE",
		"CREDENTIALS_FILE"} {
		t.Setenv("ALIBABA_CLOUD_"+name, "")
	}
	return home
}

func TestDefaultChain(t *testing.T) {
	alone(t)
	chain := &swas.DefaultChain{}
	network := &wire{script: []reply{{200, done}}}
	client := clientOf(t, settings{provider: chain, transport: network})
	_, err := create(t.Context(), client)
	answer := apiError(t, err)
	if answer.Code != snapshot.CodeNoCredentials || !strings.HasPrefix(answer.Message, "no credentials were found") {
		t.Errorf("got %v", answer)
	}
	if _, found, err := chain.Refresh(t.Context()); found || err != nil {
		t.Errorf("got %v, %v", found, err)
	}

	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "from-environment")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "made-up")
	_, err = create(t.Context(), client)
	if err != nil || network.queries[0].Get("AccessKeyId") != "from-environment" {
		t.Errorf("after a failure: got %v", err)
	}
}

func TestOrigin(t *testing.T) {
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"Code":"Success","AccessKeyId":"key","AccessKeySecret":"secret",` +
			`"SecurityToken":"token","Expiration":"` +
			time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05Z") + `"}`))
	}))
	defer issuer.Close()
	cases := map[string]struct {
		environment map[string]string
		profile     string
		want        swas.Origin
	}{
		"key in the environment": {map[string]string{"ACCESS_KEY_ID": "key", "ACCESS_KEY_SECRET": "secret"}, "",
			swas.Origin{AccessKeyID: "key", Link: "env"}},
		"token in the environment": {map[string]string{"ACCESS_KEY_ID": "key", "ACCESS_KEY_SECRET": "secret",
			"SECURITY_TOKEN": "token"}, "",
			swas.Origin{AccessKeyID: "key", Link: "env", Temporary: true}},
		"key in the profile": {nil, `{"name":"p","mode":"AK","access_key_id":"key","access_key_secret":"secret"}`,
			swas.Origin{AccessKeyID: "key", Link: "cli_profile/static_ak"}},
		"token in the profile": {nil,
			`{"name":"p","mode":"StsToken","access_key_id":"key","access_key_secret":"secret","sts_token":"token"}`,
			swas.Origin{AccessKeyID: "key", Link: "cli_profile/static_sts", Temporary: true}},
		"issuer": {map[string]string{"CREDENTIALS_URI": issuer.URL}, "",
			swas.Origin{AccessKeyID: "key", Link: "credential_uri", Temporary: true, Renewed: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			home := alone(t)
			for name, value := range c.environment {
				t.Setenv("ALIBABA_CLOUD_"+name, value)
			}
			if c.profile != "" {
				if err := os.Mkdir(filepath.Join(home, ".aliyun"), 0o700); err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(home, ".aliyun", "config.json")
				if err := os.WriteFile(file, []byte(`{"current":"p","profiles":[`+c.profile+`]}`), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := (&swas.DefaultChain{}).Origin(); err != nil || got != c.want {
				t.Errorf("got %+v, %v, want %+v", got, err, c.want)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		alone(t)
		if got, err := (&swas.DefaultChain{}).Origin(); err == nil {
			t.Errorf("got %+v", got)
		}
	})
}
