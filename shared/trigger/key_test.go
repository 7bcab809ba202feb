package trigger_test

import (
	"strings"
	"testing"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

func TestComposedKey(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", snapshot.KeyMax)
	for name, c := range map[string]struct {
		parts []string
		want  string
	}{
		"one part":      {[]string{"42"}, "run:2:42"},
		"several parts": {[]string{"42", "1"}, "run:2:42:1:1"},
		"an empty part": {[]string{"", "1"}, "run:0::1:1"},
		"bytes":         {[]string{"é"}, "run:2:é"},
		"the longest":   {[]string{long[:snapshot.KeyMax-8]}, "run:247:" + long[:snapshot.KeyMax-8]},
	} {
		if got := trigger.ComposedKey("run", c.parts...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{"a:b", "c"}, {"a", "b:c"}, {"a", "b", "c"}, {"a:1:b", "c"}, {"a", "1:b:1:c"}, {"", "a"}, {"a", ""},
		{long}, {long + "x"}, {long, "x"}, {"x", long}, {long[:100], long[:200]}, {long[:200], long[:100]},
	} {
		key := trigger.ComposedKey("event", parts...)
		if before, twice := seen[key]; twice {
			t.Errorf("%q and %q have the key %s", before, parts, key)
		}
		if seen[key] = parts; len(key) > snapshot.KeyMax {
			t.Errorf("%q: a key of %d bytes", parts, len(key))
		}
	}
}
