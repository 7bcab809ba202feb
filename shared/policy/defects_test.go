package policy_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"swas-snapshot/shared/policy"
)

// TestParseDefects reads the cases of testdata/defects.txt.
func TestParseDefects(t *testing.T) {
	t.Parallel()
	runCases(t, "testdata/defects.txt")
}

// TestSlots reads the cases of testdata/slots.txt.
func TestSlots(t *testing.T) {
	t.Parallel()
	runCases(t, "testdata/slots.txt")
}

// runCases parses the policies of a file and compares their errors, see its first line.
func runCases(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range strings.Split(string(data), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(one, "\n")
		text, want, found := strings.Cut(rest, ">>>\n")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Parse([]byte(text), env())
			if got, want := message(err), strings.TrimSpace(want); !found || got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestParseBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"targets:\n  a: {disk: \"\xff\"}\n": "snapshots.yaml:2: is not YAML: invalid leading UTF-8 octet",
		"#" + strings.Repeat(" ", sizeMax) + "\ntargets: {a: {disk: d-1}}": "snapshots.yaml: is larger than 1048576 bytes: " +
			"a policy of 15 slots needs far less",
	} {
		if _, err := policy.Parse([]byte(text), env()); message(err) != want {
			t.Errorf("%.20q: got %v, want %s", text, err, want)
		}
	}
}

// The search for the broken line of a file that is not a policy gives up before it takes long.
func TestLineOfALargeFile(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse([]byte("a: [\n"+strings.Repeat(strings.Repeat("x", 99)+",\n", 400)), env())
	if want := "snapshots.yaml: is not YAML: did not find expected node content"; message(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// inTarget is a policy with one target that has more keys, on line 2.
func inTarget(keys string) string { return "targets:\n  a: {disk: d-1, " + keys + "}\n" }

// tags is n tags, for a mapping in one line.
func tags(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("tag-%d: ''", i))
	}
	return strings.Join(list, ", ")
}

// withSchedule is a policy with a schedule on line 1 and, on the line after it, one target that keeps daily and deploy.
func withSchedule(schedule string) string {
	return "schedule: " + schedule + "\ntargets: {a: {disk: d-1, keep: {daily: 1, deploy: 1}}}\n"
}

// servers is a policy of n disks that keep the same slots; each disk is a server of its own.
func servers(n int, keep string) string {
	var text strings.Builder
	text.WriteString("targets:\n")
	for i := range n {
		fmt.Fprintf(&text, "  web-%d: {disk: d-%d, keep: {%s}}\n", i+1, i+1, keep)
	}
	return text.String()
}

// message is the text of an error, or nothing.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
