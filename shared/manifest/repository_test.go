package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swas-snapshot/shared/manifest"
	"swas-snapshot/shared/strictyaml"
)

const root = "../.."

// The files of this repository, with everything that they have to agree with.
func TestCheck(t *testing.T) {
	t.Parallel()
	if err := manifest.Check(root, filepath.Join(root, "snapshots.yaml")); err != nil {
		t.Fatal(err)
	}
}

// policyText is a policy that the deployment files fit, as they are in this repository.
const policyText = `region: cn-hangzhou
targets:
  web-1:
    disk: d-bp18kjxg9ebrhsgi0001
    keep: {daily: 1, deploy: 1}
  scratch:
    disk: d-bp18kjxg9ebrhsgi0002
events:
  - {source: acs.oss, type: "oss:ObjectCreated:*", subject: "*/releases/web/*", targets: [web-1], role: deploy}
`

// A mistake is a text of a file of this repository, replaced where it stands first.
type mistake struct {
	old, new string
	at       string // text in the line that the error must name; the first line of new if empty
	want     string // of the error: field and defect
}

// wants returns the mistake with the error that it must give.
func (m mistake) wants(text string) mistake {
	m.want = text
	return m
}

// plant returns a folder with the repository's files, one of them with a mistake.
func plant(t *testing.T, file string, m mistake) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"s.yaml", "template.yml", "snapshots.yaml", "README.md"} {
		content := read(t, name)
		if name == "snapshots.yaml" {
			content = policyText // the user's own may say anything
		}
		if name == file {
			if !strings.Contains(content, m.old) {
				t.Fatalf("%s has no %q: the mistake is not planted", file, m.old)
			}
			content = strings.Replace(content, m.old, m.new, 1)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	functions, err := filepath.Abs(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(functions, filepath.Join(folder, "functions")); err != nil {
		t.Fatal(err)
	}
	return folder
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// refused plants each mistake in a file and expects the error with its line.
func refused(t *testing.T, file string, mistakes map[string]mistake) {
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := plant(t, file, m)
			err := manifest.Check(folder, filepath.Join(folder, "snapshots.yaml"))
			var found strictyaml.Errors
			if !errors.As(err, &found) {
				t.Fatalf("Check: %v, want strictyaml.Errors", err)
			}
			line := 0
			if m.at != "-" { // a defect of the file as a whole
				line = lineOf(t, filepath.Join(folder, file), m)
			}
			for _, one := range found {
				if one.File == file && one.Line == line && strings.Contains(one.Error(), m.want) {
					return
				}
			}
			t.Errorf("no error in line %d of %s with %q; got:\n%v", line, file, m.want, err)
		})
	}
}

// lineOf is the line that the error of a mistake must name.
func lineOf(t *testing.T, path string, m mistake) int {
	t.Helper()
	mark := m.at
	if mark == "" {
		mark, _, _ = strings.Cut(m.new, "\n")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := strings.Cut(string(content), mark)
	if !ok {
		t.Fatalf("%s has no %q", path, mark)
	}
	return strings.Count(before, "\n") + 1
}

// What other files say must be true of both.
func TestCheckDisagreement(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file string
		mistake
		want []string
	}{
		"PolicyIsWrong": {"snapshots.yaml", mistake{old: "targets:", new: "tragets:"}, []string{"snapshots.yaml: is wrong"}},
		"PolicyNeedsVariable": {"snapshots.yaml", mistake{old: "events:", new: "notify:\n  - {url: \"${DINGTALK_ROBOT_URL}\", form: dingtalk, on: [failed]}\nevents:"}, []string{
			"resources.timer: has no variable DINGTALK_ROBOT_URL", "Resources.EventFunction: has no variable DINGTALK_ROBOT_URL"}},
		"PolicyHasNoEvents": {"snapshots.yaml", mistake{old: "{source: acs.oss,", new: "{source: acs.ecs,"}, []string{
			"eventRuleFilterPattern: lets oss:ObjectCreated:PutObject of acs.oss through"}},
		"ReadmeForgetsVariable": {"README.md", mistake{old: "\n| `TEAMS_TOKEN` |", new: "\n| Teams |"}, []string{
			"environmentVariables.TEAMS_TOKEN: is a variable that nothing reads", "Variables.TEAMS_TOKEN: is a variable that nothing reads"}},
		"ReadmeHasAnother": {"README.md", mistake{old: "\n| `TEAMS_TOKEN` |", new: "\n| `ZOOM_TOKEN` | Zoom |\n| `TEAMS_TOKEN` |"}, []string{
			"resources.http: has no variable ZOOM_TOKEN", "Resources.HttpFunction: has no variable ZOOM_TOKEN"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := plant(t, tt.file, tt.mistake)
			err := manifest.Check(folder, filepath.Join(folder, "snapshots.yaml"))
			if err == nil {
				t.Fatal("Check: no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no error with %q; got:\n%v", want, err)
				}
			}
		})
	}
}
