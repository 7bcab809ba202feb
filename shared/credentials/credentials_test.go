package credentials_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"swas-snapshot/shared/credentials"
)

func TestNothingShows(t *testing.T) {
	t.Parallel()
	key := credentials.Credentials{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret",
		SecurityToken: "made-up-token"}
	var all strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&all, verb+verb+verb, key, &key, struct{ C credentials.Credentials }{key})
	}
	all.WriteString(key.String() + key.GoString())
	slog.New(slog.NewJSONHandler(&all, nil)).Info("key", "a", key, "b", &key, "c", []credentials.Credentials{key})
	encoded, err := json.Marshal(map[string]any{"a": key, "b": &key})
	if err != nil {
		t.Fatal(err)
	}
	all.Write(encoded)
	if text := all.String(); strings.Contains(text, "made-up") || strings.Contains(text, "6d6164652d7570") ||
		!strings.Contains(text, credentials.Hidden) {
		t.Errorf("it shows in\n%s", text)
	}
}
