package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// prebuiltVariable makes this test a process of the command, with the functions in a folder that exists.
const prebuiltVariable = "LOCAL_TEST_PREBUILT"

func buildAndRun(m *testing.M) int {
	if prebuilt = os.Getenv(prebuiltVariable); prebuilt != "" {
		os.Args = os.Args[:1]
		main()
	}
	flag.Parse()
	root, err := sourceRoot()
	if err == nil {
		prebuilt, err = os.MkdirTemp("", "swas-snapshot-local-test-")
	}
	defer os.RemoveAll(prebuilt)
	if err == nil {
		err = compile(context.Background(), root, prebuilt+string(filepath.Separator), "", functionNames...)
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
func typed(
	t *testing.T, getenv func(string) string, stdin io.Reader, args ...string,
) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = exitStatus(run(t.Context(), args, getenv, stdin, &out, &errs), &errs)
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
		"deploy":                        "use demo, serve, invoke, build, plan, list, pin, unpin, doctor",
		"serve now":                     "serve takes no arguments",
		"serve -arch arm64":             "serve has no flag -arch",
		"serve -live":                   "serve has no flag -live",
		"serve -takes 0s":               "positive duration",
		"serve -takes soon":             "positive duration",
		"invoke":                        "invoke takes other arguments: invoke timer|http|event FILE",
		"invoke timer":                  "invoke takes other arguments: invoke timer|http|event FILE",
		"invoke tiemr x.json":           `there is no function "tiemr"`,
		"invoke timer x.json y.json":    "invoke takes other arguments: invoke timer|http|event FILE",
		"invoke timer x.json -takes 5s": "invoke has no flag -takes",
		"build timer":                   "build takes no arguments",
		"build -arch riscv64":           "-arch: use amd64 or arm64",
		"build -live":                   "build has no flag -live",
		"plan web-1 db-1":               "plan takes other arguments: plan [TARGET]",
		"plan -role daily":              "plan has no flag -role",
		"list web-1 db-1":               "list takes other arguments: list [TARGET]",
		"lits":                          "did you mean list?",
		"plan -platform lambda":         "plan has no flag -platform",
		"pin":                           "pin takes other arguments: pin ID [DAY]",
		"pin s-1 2026-12-01 now":        "pin takes other arguments: pin ID [DAY]",
		"unpin":                         "unpin takes other arguments: unpin ID",
		"unpin s-1 2026-12-01":          "unpin takes other arguments: unpin ID",
		"doctor web-1":                  "doctor takes no arguments",
		"-platform gcp":                 "-platform: use fc or lambda",
		"-live":                         "demo has no flag -live",
		"-addr 127.0.0.1:0":             "demo has no flag -addr",
		"-colour":                       "demo has no flag -colour",
		"plan -lvie":                    "plan has no flag -lvie: did you mean -live?",
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

// TestHelp shows that the usage names every command and flag, and that of a command its flags and a valid example.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"-h", "-help", "help"} {
		status, stdout, stderr := typed(t, environment(), nil, line)
		if status != 0 || stderr != "" || stdout != usage {
			t.Errorf("%s: exit status %d\n%s%s", line, status, stdout, stderr)
		}
	}
	for _, c := range commands {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(usage, "\n  "+strings.TrimSpace(c.name+" "+c.args)+" ") {
				t.Error("the usage does not name it, with its arguments")
			}
			status, stdout, stderr := typed(t, environment(), nil, c.name, "-json", "-h")
			if status != 0 || stderr != "" || stdout != c.usage {
				t.Errorf("exit status %d\n%s%s", status, stdout, stderr)
			}
			lines := strings.Split(strings.TrimSpace(c.usage), "\n")
			first, example := lines[0], strings.TrimSpace(lines[len(lines)-1])
			if !strings.HasPrefix(first, "Usage: go run ./functions/local ") || !strings.HasSuffix(first, c.args) {
				t.Errorf("it begins with %s", first)
			}
			flags := flag.NewFlagSet("", flag.ContinueOnError)
			c.flags(&session{}, flags)
			flags.Bool("json", false, "")
			flags.VisitAll(func(f *flag.Flag) {
				if !strings.Contains(c.usage, "\n  -"+f.Name+" ") || !strings.Contains(usage, "\n  -"+f.Name+" ") {
					t.Errorf("the flag -%s is missing", f.Name)
				}
			})
			words, ok := strings.CutPrefix(example, "go run ./functions/local "+c.name)
			if err := new(session).parse(c, strings.Fields(words)); err != nil || !ok {
				t.Errorf("%s: %v", example, err)
			}
		})
	}
}

// TestClosedOutput closes the stdout of a real process, as head does after its lines: the demo ends early and removes
// its temporary folders.
func TestClosedOutput(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), prebuiltVariable+"="+prebuilt, "TMPDIR="+temporary)
	var stderr bytes.Buffer
	process.Stderr = &stderr
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "building") {
		t.Errorf("it prints %q, %v", line, err)
	}
	_ = stdout.Close()
	_ = process.Wait()
	if code := process.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr.String(), "failed to print: ") {
		t.Errorf("exit status %d, want 1\n%s", code, &stderr)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
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

// tagged is a policy with more tags than the core accepts.
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
	order := strings.NewReader(`{"target":"web-1","key":"k"}`)
	status, stdout, stderr := typed(t, good, order, "invoke", "event", "-", "-json")
	if status != 0 || !strings.HasPrefix(stdout, `{"results":[{"target":"web-1"`) || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit status %d: %s%s", status, stdout, stderr)
	}
	for name, stdin := range map[string]io.Reader{
		"more than 32 MiB": io.LimitReader(zeros{}, eventMax+1),
		"failed to read":   iotest.ErrReader(io.ErrUnexpectedEOF),
	} {
		status, _, stderr := typed(t, good, stdin, "invoke", "event", "-")
		if status != 1 || !strings.Contains(stderr, name) {
			t.Errorf("exit status %d, want 1 and %q: %s", status, name, stderr)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
