package strictyaml_test

import (
	"fmt"
	"testing"

	"swas-snapshot/shared/strictyaml"
)

func parse(t *testing.T, data string) strictyaml.Place {
	t.Helper()
	root, _ := strictyaml.Parse("f.yaml", []byte(data))
	if !root.Exists() {
		t.Fatalf("%q has no root", data)
	}
	return root
}

func TestPlace(t *testing.T) {
	t.Parallel()
	root := parse(t, "a:\n  b: [x, 2.5]\n  n: 7\nc: true\nd:\n")
	for _, c := range []struct {
		keys       []string
		path, text string
		line       int
		kind       string // "": there is no such place
	}{
		{nil, "", "", 1, "a mapping"},
		{[]string{"a"}, "a", "", 1, "a mapping"},
		{[]string{"a", "b"}, "a.b", "", 2, "a list"},
		{[]string{"a", "n"}, "a.n", "7", 3, "a number"},
		{[]string{"c"}, "c", "true", 4, "true or false"},
		{[]string{"d"}, "d", "", 5, "nothing"},
		{[]string{"a", "z"}, "a.z", "", 1, ""},
		{[]string{"a", "z", "y"}, "a.z.y", "", 1, ""},
		{[]string{"c", "y"}, "c.y", "", 4, ""},
	} {
		at := root.Get(c.keys...)
		if at.Path != c.path || at.Text() != c.text || at.Line != c.line || at.Exists() != (c.kind != "") || at.Exists() && at.Kind() != c.kind {
			t.Errorf("%v: got %s in line %d, %q", c.keys, at.Path, at.Line, at.Text())
		}
	}
	list := root.Get("a", "b").Elements()
	if len(list) != 2 || list[1].Path != "a.b[1]" || list[0].Kind() != "text" {
		t.Errorf("got %+v", list)
	}
	if n, ok := list[1].Number(); n != 2.5 || !ok {
		t.Errorf("got %v, %v", n, ok)
	}
	if _, ok := list[0].Number(); ok {
		t.Error("a text passed for a number")
	}
	if got := len(root.Children()); got != 3 {
		t.Errorf("got %d children", got)
	}
	if root.Elements() != nil || list[0].Entries() != nil || list[0].Children() != nil {
		t.Error("what is no list has elements, or what is no mapping entries")
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	root := parse(t, "a: 1\nb: 2\na: 3\n4: 5\n<<: {c: d}\n")
	var names []string
	for _, one := range root.Distinct() {
		names = append(names, one.Name+"="+one.Text())
	}
	if got := fmt.Sprint(names); got != "[a=1 b=2]" || len(root.Entries()) != 5 {
		t.Errorf("got %s of %d", got, len(root.Entries()))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	found := strictyaml.Errors{
		{File: "b.yaml", Line: 1, Defect: "third"}, {File: "a.yaml", Line: 9, Field: "x", Defect: "second"},
		{File: "a.yaml", Defect: "first"}, {File: "a.yaml", Line: 9, Field: "x", Defect: "second"},
	}
	if got := found.Err().Error(); got != "a.yaml: first\na.yaml:9: x: second\nb.yaml:1: third" {
		t.Errorf("got\n%s", got)
	}
	if err := (strictyaml.Errors{}).Err(); err != nil {
		t.Errorf("no defect is the error %v", err)
	}
}
