package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	flag.Parse()
	root, err := sourceRoot()
	if err == nil {
		prebuilt, err = os.MkdirTemp("", "swas-snapshot-local-test-")
	}
	defer os.RemoveAll(prebuilt)
	for _, name := range functionNames {
		if err == nil {
			err = compile(context.Background(), root, name, filepath.Join(prebuilt, name), "")
		}
	}
	if err == nil {
		err = flag.Set("test.parallel", "8") // most of these tests wait for processes
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// typed runs a command line, and returns its exit status and what it printed.
func typed(t *testing.T, getenv func(string) string, stdin io.Reader, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = exit(run(t.Context(), args, getenv, stdin, &out, &errs), &errs)
	for _, text := range []string{out.String(), errs.String()} {
		if strings.Contains(text, "goroutine ") {
			t.Errorf("there is a stack trace:\n%s", text)
		}
	}
	return status, out.String(), errs.String()
}

// TestMistyped types each command wrongly once: exit status 2 and a hint, without anything built or called.
func TestMistyped(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"sevre":                         "did you mean serve?",
		"invok":                         "did you mean invoke?",
		"plans":                         "did you mean plan?",
		"dcotor":                        "did you mean doctor?",
		"deploy":                        "use serve, invoke, build, plan, list, pin, unpin, doctor, or none for the demo",
		"serve now":                     "serve takes no arguments",
		"serve -arch arm64":             "-arch has no meaning for serve",
		"serve -live":                   "-live has no meaning for serve",
		"serve -takes 0s":               "positive duration",
		"serve -takes soon":             "positive duration",
		"invoke":                        "invoke takes a function",
		"invoke timer":                  "invoke takes a function",
		"invoke tiemr x.json":           `there is no function "tiemr"`,
		"invoke timer x.json y.json":    "invoke takes a function",
		"invoke timer x.json -takes 5s": "-takes has no meaning for invoke",
		"build timer":                   "build takes no arguments",
		"build -arch riscv64":           "-arch: is amd64 or arm64",
		"build -live":                   "-live has no meaning for build",
		"plan web-1 db-1":               "plan takes at most one target",
		"plan -role daily":              "there is no flag -role",
		"list web-1 db-1":               "list takes at most one target",
		"lits":                          "did you mean list?",
		"plan -platform lambda":         "-platform has no meaning for plan",
		"pin":                           "pin takes a snapshot ID",
		"pin s-1 2026-12-01 now":        "pin takes a snapshot ID",
		"unpin":                         "unpin takes a snapshot ID",
		"unpin s-1 2026-12-01":          "unpin takes a snapshot ID",
		"doctor web-1":                  "doctor takes no arguments",
		"-platform gcp":                 "-platform: is fc or lambda",
		"-live":                         "-live has no meaning for the demo",
		"-addr 127.0.0.1:0":             "-addr has no meaning for the demo",
		"-colour":                       "there is no flag -colour",
		"plan -lvie":                    "there is no flag -lvie: did you mean -live?",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := typed(t, environment(), nil, strings.Fields(line)...)
			if status != 2 || stdout != "" || !strings.Contains(stderr, says) || !strings.Contains(stderr, "-h") {
				t.Errorf("exit status %d, %q, want 2 and %q\n%s", status, stdout, says, stderr)
			}
		})
	}
}

// TestHelp shows that -h names every command and every flag.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"-h", "-help", "serve -h", "help"} {
		status, stdout, stderr := typed(t, environment(), nil, strings.Fields(line)...)
		if status != 0 || stderr != "" {
			t.Errorf("%s: exit status %d\n%s", line, status, stderr)
		}
		for name, c := range commands {
			if !strings.Contains(stdout, name) {
				t.Errorf("%s: the command %s is missing", line, name)
			}
			for _, f := range c.flags {
				if !strings.Contains(stdout, "  -"+f) {
					t.Errorf("%s: the flag -%s is missing", line, f)
				}
			}
		}
	}
}

// old is a policy of the first version.
const old = `region: cn-hangzhou
targets:
  web-1:
    disk: d-bp18kjxg9ebrhsgi0001
    keep: {daily: 2, deploy: 1}
allow:
  - {from: standard, targets: [web-1], actions: [take, list]}
`

// corrected is the line that old needs.
const corrected = "as in keep: {daily: 1, deploy: 1}"

// tagged is a policy with more tags than the core leaves room for.
const tagged = `region: cn-hangzhou
targets:
  web-1: {disk: d-1, tags: {a: "1", b: "1", c: "1", d: "1", e: "1", f: "1", g: "1", h: "1", i: "1", j: "1", k: "1"}}
`

// policyFile returns an environment whose policy has this text.
func policyFile(t *testing.T, text string, set ...string) func(string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return environment(append(set, "SNAPSHOTS_FILE="+file)...)
}

// TestFails shows what goes wrong once the command line is right: exit status 1 and one error that says what to do.
func TestFails(t *testing.T) {
	t.Parallel()
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("targets:\n  web-1: {disc: d-1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	nowhere := environment("SNAPSHOTS_FILE=" + filepath.Join(t.TempDir(), "nowhere.yaml"))
	bad := environment("SNAPSHOTS_FILE=" + wrong)
	good := atRoot(t)
	for name, c := range map[string]struct {
		getenv func(string) string
		line   string
		says   []string
	}{
		"NoEvent":         {good, "invoke timer nowhere.json", []string{"nowhere.json", "events/timer-fc.json"}},
		"NoPolicy":        {nowhere, "plan", []string{"nowhere.yaml", "does not exist"}},
		"WrongPolicy":     {bad, "plan", []string{"wrong.yaml:2", "disc"}},
		"WrongPolicyPin":  {bad, "pin s-1", []string{"wrong.yaml:2"}},
		"BuildNothing":    {bad, "build", []string{"nothing was built", "wrong.yaml:2"}},
		"BuildOldPolicy":  {policyFile(t, old), "build", []string{"nothing was built", "snapshots.yaml:5", "= 3", corrected}},
		"BuildManyTags":   {policyFile(t, tagged), "build", []string{"nothing was built", "has 11 tags: use at most 10"}},
		"ListNoTarget":    {good, "list web-2", []string{"did you mean web-1?"}},
		"UnknownTarget":   {good, "plan web-2", []string{"did you mean web-1?"}},
		"UnknownSnapshot": {good, "pin s-nothing", []string{"UnknownSnapshot"}},
		"NothingToUnpin":  {good, "unpin s-nothing", []string{"UnknownSnapshot"}},
		"PinInThePast":    {good, "pin s-nothing 2020-01-01", []string{"past"}},
		"AddressTaken":    {good, "serve -addr 192.0.2.1:9", []string{"-addr", "127.0.0.1:0"}},
		"NoAddress":       {good, "serve -addr here", []string{"-addr"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := typed(t, c.getenv, nil, strings.Fields(c.line)...)
			if status != 1 || stdout != "" {
				t.Errorf("exit status %d, %q", status, stdout)
			}
			for _, part := range c.says {
				if !strings.Contains(stderr, part) {
					t.Errorf("it does not say %q:\n%s", part, stderr)
				}
			}
		})
	}
}

// TestStdin shows that an event may come through standard input, up to what a platform takes.
func TestStdin(t *testing.T) {
	t.Parallel()
	good := atRoot(t)
	status, stdout, stderr := typed(t, good, strings.NewReader(`{"target":"web-1","key":"k"}`), "invoke", "event", "-", "-json")
	if status != 0 || !strings.HasPrefix(stdout, `{"results":[{"target":"web-1"`) || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit status %d: %s%s", status, stdout, stderr)
	}
	for name, stdin := range map[string]io.Reader{
		"more than 32 MiB": io.LimitReader(zeros{}, eventMax+1),
		"failed to read":   iotest.ErrReader(io.ErrUnexpectedEOF),
	} {
		if status, _, stderr := typed(t, good, stdin, "invoke", "event", "-"); status != 1 || !strings.Contains(stderr, name) {
			t.Errorf("exit status %d, want 1 and %q: %s", status, name, stderr)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
