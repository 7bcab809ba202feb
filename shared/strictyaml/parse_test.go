package strictyaml_test

import (
	"strings"
	"testing"

	"swas-snapshot/shared/strictyaml"
)

func TestParse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		data string
		want string // the defects, a line each
		root bool   // there is something to go on with
	}{
		"OK":             {"a: {b: [1, x]}\n", "", true},
		"List":           {"- a\n- b\n", "", true},
		"Tag":            {"a: !Ref b\n", "", true},
		"UnknownTag":     {"a: !Reff b\n", `f.yaml:1: a: has the tag "!Reff": use !Ref, !Sub`, true},
		"Empty":          {"", "", false},
		"Comments":       {"# later\n", "", false},
		"Null":           {"---\n", "", false},
		"Doubled":        {"a: 1\nb: 2\na: 3\n", "f.yaml:3: a: stands in line 1 already: write it once", true},
		"DoubledDeep":    {"a:\n  - {b: 1,\n     b: 2}\n", "f.yaml:3: a[0].b: stands in line 2 already: write it once", true},
		"NumberKey":      {"a: {1: x}\n", "f.yaml:1: a: has a number for a key: write text, in quotes", true},
		"BoolKey":        {"true: x\n", "f.yaml:1: has true or false for a key: write text, in quotes", true},
		"NullKey":        {"? \n: x\n", "f.yaml:1: has nothing for a key: write text, in quotes", true},
		"ListKey":        {"? [a]\n: x\n", "f.yaml:1: has a list for a key: write text, in quotes", true},
		"MappingKey":     {"? {a: b}\n: x\n", "f.yaml:1: has a mapping for a key: write text, in quotes", true},
		"DateKey":        {"2026-01-01: x\n", "f.yaml:1: has a date for a key: write text, in quotes", true},
		"Anchor":         {"a: &x 1\n", "f.yaml:1: a: has the anchor &x: leave it out, aliases are not allowed", true},
		"Alias":          {"a: &x 1\nb: *x\n", "f.yaml:1: a: has the anchor &x: leave it out, aliases are not allowed\nf.yaml:2: b: is the alias *x: write the value itself", true},
		"AliasKey":       {"a: &x k\n*x : 1\n", "f.yaml:1: a: has the anchor &x: leave it out, aliases are not allowed\nf.yaml:2: is the alias *x: write the value itself", true},
		"Merge":          {"a: {<<: {b: 1}}\n", `f.yaml:1: a."<<": is a merge key: write the keys themselves`, true},
		"SecondDocument": {"a: 1\n---\nb: 2\n", "f.yaml:2: begins a second document: keep one in the file", false},
		"BrokenSecond":   {"a: 1\n---\nb: [\n", "f.yaml:3: is not YAML: did not find expected node content", false},
		"Broken":         {"a:\n  b: 1\n c: 2\n", "f.yaml:3: is not YAML: did not find expected key", false},
		"Star":           {"a: 1\nb: * 3\n", "f.yaml:2: is not YAML: did not find expected alphabetic or numeric character: write text that begins with * or & in quotes", false},
		"FirstLine":      {"a: b: c\n", "f.yaml:1: is not YAML: mapping values are not allowed in this context", false},
		"StrangeKey":     {"'a.b: c': &x 1\n", `f.yaml:1: "a.b: c": has the anchor &x: leave it out, aliases are not allowed`, true},
		"LongKey":        {strings.Repeat("k", 70) + ": &x 1\n", `f.yaml:1: "` + strings.Repeat("k", 57) + `...": has the anchor &x: leave it out, aliases are not allowed`, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, wrong := strictyaml.Parse("f.yaml", []byte(c.data), "!Ref", "!Sub")
			if got := wrong.Error(); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if root.Exists() != c.root {
				t.Errorf("a root is there: %v, want %v", root.Exists(), c.root)
			}
		})
	}
}

// TestLineOfALargeFile: the search for the broken line gives up before it takes long.
func TestLineOfALargeFile(t *testing.T) {
	t.Parallel()
	_, wrong := strictyaml.Parse("f.yaml", []byte("a: [\n"+strings.Repeat("x,\n", 5000)))
	if len(wrong) != 1 || wrong[0].Line != 0 && wrong[0].Line != 1 {
		t.Errorf("got %v", wrong)
	}
}

// FuzzParse checks that nothing makes Parse panic, that every defect has a line of the file, and that whatever passes
// has each key once.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "a: {b: [1, x]}", "a: 1\na: 2", "a: &x [*x]", "<<: {a: b}", "---\n---", "? [a]\n: {b: !Ref c}", "a: \"\xff\"", "{a: {a: {a: }}}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			return // the search for a broken line tries each of them
		}
		root, wrong := strictyaml.Parse("f.yaml", data)
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + strings.Count(string(data), "\u0085") +
			strings.Count(string(data), "\u2028") + strings.Count(string(data), "\u2029") + 1
		for _, one := range wrong {
			if one.File != "f.yaml" || one.Defect == "" || one.Line < 0 || one.Line > lines {
				t.Errorf("%q: got %+v in a file of %d lines", data, one, lines)
			}
		}
		if root.Exists() && len(wrong) == 0 {
			distinct(t, root)
		}
	})
}

func distinct(t *testing.T, at strictyaml.Place) {
	t.Helper()
	if len(at.Entries()) != len(at.Distinct()) {
		t.Errorf("%s has a doubled key that passed", at.Path)
	}
	for _, child := range at.Children() {
		distinct(t, child)
	}
}
