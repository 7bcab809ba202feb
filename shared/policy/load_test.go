package policy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swas-snapshot/shared/policy"
)

// sizeMax is what a policy file may have, in bytes.
const sizeMax = 1 << 20

func TestLoad(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, test := range map[string]struct {
		path string
		want string // beginning of the error; empty: none
	}{
		"OK":       {write("snapshots.yaml", "targets: {a: {disk: d-1}}"), ""},
		"Named":    {write("other.yaml", "targets: {a: {disk: x}}"), `other.yaml:1: targets.a.disk: "x" is not a disk ID`},
		"TooLarge": {write("large.yaml", strings.Repeat("#", sizeMax+1)), "large.yaml: is larger than 1048576 bytes"},
		"Missing":  {filepath.Join(folder, "none.yaml"), "none.yaml: does not exist: set SNAPSHOTS_FILE to the policy"},
		"Folder":   {folder, filepath.Base(folder) + ": failed to read policy: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := policy.Load(test.path, env())
			switch {
			case test.want == "" && (err != nil || len(p.Targets) != 1):
				t.Errorf("got %+v, %v", p, err)
			case test.want != "" && !strings.HasPrefix(message(err), test.want):
				t.Errorf("got %v, want %s", err, test.want)
			case test.want != "" && len(p.Targets) != 0:
				t.Errorf("got half a policy: %+v", p)
			}
		})
	}
}

func TestPath(t *testing.T) {
	t.Chdir(t.TempDir())
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(filepath.Dir(executable), policy.FileName)
	steps := []struct {
		name string
		make string // a file that is there from now on
		file string // SNAPSHOTS_FILE
		want string
	}{
		{"Nowhere", "", "", policy.FileName},
		{"BesideExecutable", beside, "", beside},
		{"WorkingDirectory", policy.FileName, "", policy.FileName},
		{"Named", "", "elsewhere.yaml", "elsewhere.yaml"},
	}
	t.Cleanup(func() { os.Remove(beside) })
	for _, step := range steps {
		if step.make != "" {
			if err := os.WriteFile(step.make, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := policy.Path(env("SNAPSHOTS_FILE", step.file)); got != step.want {
			t.Errorf("%s: got %s, want %s", step.name, got, step.want)
		}
	}
}
