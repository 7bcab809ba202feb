package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/policy"
)

var update = flag.Bool("update", false, "write what the demo prints into README.md")

// block is a fenced block of README.md: the words behind the fence, and its lines.
type block struct{ info, text string }

// readme returns README.md, and its blocks.
func readme(t *testing.T) (string, []block) {
	t.Helper()
	root, err := sourceRoot()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, match := range regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, block{match[1], match[2]})
	}
	return string(text), blocks
}

// environment is this test's environment without what would change an answer.
func environment(set ...string) func(string) string {
	return func(name string) string {
		for _, one := range set {
			if value, ok := strings.CutPrefix(one, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

// atRoot is the environment of a command that was typed in the project's folder, with the policy that it came with.
func atRoot(t *testing.T, set ...string) func(string) string {
	t.Helper()
	root, err := sourceRoot()
	if err != nil {
		t.Fatal(err)
	}
	return environment(append(set, "SNAPSHOTS_FILE="+testPolicy(root))...)
}

// testPolicy is the policy of the tests; the user edits the one in the project's folder.
func testPolicy(root string) string {
	return filepath.Join(root, "functions", "local", "testdata", "snapshots.yaml")
}

// Every command of the README that needs no account runs as printed. The demo and the tests themselves run elsewhere.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	_, blocks := readme(t)
	found := 0
	for _, b := range blocks {
		if b.info != "sh" {
			continue
		}
		for line := range strings.Lines(b.text) {
			args, ours := strings.CutPrefix(strings.TrimSpace(line), "go run ./functions/local")
			switch {
			case strings.TrimSpace(line) == "go test ./...", ours && args == "":
				continue
			case !ours:
				t.Errorf("%q is none of our commands: mark the block as sh cloud", line)
				continue
			}
			found++
			t.Run(strings.TrimSpace(args), func(t *testing.T) {
				t.Parallel()
				words := strings.Fields(args)
				for i, word := range words {
					if strings.HasPrefix(word, "events/") {
						words[i] = filepath.Join("..", "..", word)
					}
				}
				var stdout, stderr bytes.Buffer
				if err := run(t.Context(), words, atRoot(t), strings.NewReader(""), &stdout, &stderr); err != nil {
					t.Errorf("%v\n%s%s", err, stdout.String(), stderr.String())
				}
			})
		}
	}
	if found < 5 {
		t.Errorf("%d commands were found: the README has more", found)
	}
}

// changing is what differs between two runs of the demo.
var changing = []struct {
	pattern *regexp.Regexp
	to      string
}{
	{regexp.MustCompile(`\bs-[0-9a-z]{20}`), "s-ID"},
	{regexp.MustCompile(`-\d{8}T\d{4}-`), "-TIME-"},
	{regexp.MustCompile(`-[a-z2-7]{8}\b`), "-TOKEN"},
	{regexp.MustCompile(`\d+\.\d s`), "N s"},
}

func settled(text string) string {
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.to)
	}
	return text
}

// The README shows what the demo really prints; -update writes it there.
func TestReadmeDemo(t *testing.T) {
	t.Parallel()
	text, blocks := readme(t)
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), nil, environment(), strings.NewReader(""), &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	var shown string
	for _, b := range blocks {
		if strings.HasPrefix(b.text, "building the three functions") || strings.Contains(b.text, "<!-- demo -->") {
			shown = b.text
		}
	}
	if *update {
		root, _ := sourceRoot()
		if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(strings.Replace(text, shown, stdout.String(), 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if settled(shown) != settled(stdout.String()) {
		t.Errorf("the README shows another demo; run go test ./functions/local -run TestReadmeDemo -update. It prints\n%s", stdout.String())
	}
}

// The policies of the README are ones that the program takes.
func TestReadmePolicies(t *testing.T) {
	t.Parallel()
	_, blocks := readme(t)
	found := 0
	for _, b := range blocks {
		switch {
		case b.info != "yaml":
			continue
		case strings.HasPrefix(b.text, "region:"):
		case strings.HasPrefix(b.text, "allow:"), strings.HasPrefix(b.text, "notify:"):
			b.text = "region: cn-hangzhou\ntargets: {web-1: {disk: d-bp18kjxg9ebrhsgi0001}}\n" + b.text
		default:
			continue // of a pipeline
		}
		found++
		if _, err := policy.Parse([]byte(b.text), func(string) string { return "https://oapi.dingtalk.com/robot/send" }); err != nil {
			t.Errorf("%s\n%v", b.text, err)
		}
	}
	if found < 5 {
		t.Errorf("%d policies were found: the README has more", found)
	}
}

// The RAM policies of the README are JSON, and name every action that the functions call.
func TestReadmeRAM(t *testing.T) {
	t.Parallel()
	_, blocks := readme(t)
	found := 0
	for _, b := range blocks {
		if b.info != "json ram" {
			continue
		}
		found++
		var document struct {
			Statement []struct{ Action []string }
		}
		if err := json.Unmarshal([]byte(b.text), &document); err != nil || len(document.Statement) != 1 {
			t.Fatalf("%s: %v", b.text, err)
		}
		for _, action := range []string{"CreateSnapshot", "ListSnapshots", "ListDisks"} {
			if !strings.Contains(b.text, `"swas-open:`+action+`"`) {
				t.Errorf("the policy lacks %s:\n%s", action, b.text)
			}
		}
		if deletes := strings.Contains(b.text, "DeleteSnapshot"); deletes != (found == 1) {
			t.Errorf("policy %d: deletion is %v", found, deletes)
		}
	}
	if found != 2 {
		t.Errorf("%d RAM policies were found, not 2", found)
	}
}

// senders.json has a field for every secret that template.yml takes from it.
func TestReadmeSenders(t *testing.T) {
	t.Parallel()
	_, blocks := readme(t)
	root, _ := sourceRoot()
	template, err := os.ReadFile(filepath.Join(root, "template.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var senders map[string]string
	for _, b := range blocks {
		if b.info == "json senders" {
			if err := json.Unmarshal([]byte(b.text), &senders); err != nil {
				t.Fatal(err)
			}
		}
	}
	fields := regexp.MustCompile(`SecretString:([A-Z_]+)`).FindAllStringSubmatch(string(template), -1)
	for _, field := range fields {
		if senders[field[1]] == "" {
			t.Errorf("senders.json lacks %s", field[1])
		}
	}
	if len(fields) != len(senders) || len(fields) == 0 {
		t.Errorf("template.yml takes %d fields, senders.json has %d", len(fields), len(senders))
	}
}

// lineWriter gives the first line that is written to it, and drops the others.
type lineWriter struct {
	line chan string
	seen bytes.Buffer
}

func (l *lineWriter) Write(data []byte) (int, error) {
	l.seen.Write(data)
	if line, _, whole := strings.Cut(l.seen.String(), "\n"); whole {
		select {
		case l.line <- line:
		default:
		}
	}
	return len(data), nil
}

// serving starts serve -json with a policy and an environment, and returns where everything is.
func serving(t *testing.T, set ...string) served {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out := &lineWriter{line: make(chan string, 1)}
	ended := make(chan error, 1)
	getenv := atRoot(t, set...)
	go func() {
		ended <- run(ctx, []string{"serve", "-json", "-addr", "127.0.0.1:0", "-takes", "1s"}, getenv, strings.NewReader(""), out, io.Discard)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	select {
	case line := <-out.line:
		var here served
		if err := json.Unmarshal([]byte(line), &here); err != nil {
			t.Fatalf("the first line is no JSON: %s", line)
		}
		return here
	case err := <-ended:
		ended <- nil
		t.Fatalf("serve ended: %v", err)
	}
	return served{}
}

// The gate of the README, as a shell runs it: it waits until the snapshot is accomplished, and says so when it fails.
func TestReadmeGate(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "openssl", "od", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("%s is not here, so the gate cannot be tried; .ci/run has it", tool)
			if os.Getenv("CI") != "" {
				t.Fail()
			}
			return
		}
	}
	_, blocks := readme(t)
	var gate string
	for _, b := range blocks {
		if b.info == "sh gate" {
			gate = b.text
		}
	}
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("gate"), 8))
	here := serving(t, "WEBHOOK_SECRET="+secret, "SNAPSHOT_CALLS_PER_MINUTE=0")
	cases := map[string]struct {
		env  []string
		says string
		code int
	}{
		"Accomplished": {nil, "is accomplished", 0},
		"NotAllowed":   {[]string{"TARGET=db-9"}, `"retryable":false`, 1},
		"GoOn":         {[]string{"TARGET=db-9", "ON_FAILURE=go-on"}, `"retryable":false`, 0},
		"WrongSecret":  {[]string{"WEBHOOK_SECRET=whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("else"), 8))}, "Unauthenticated", 1},
		"Unreachable":  {[]string{"SNAPSHOT_URL=http://127.0.0.1:1", "WAIT_SECONDS=0"}, "in time", 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			command := exec.Command("sh", "-c", gate)
			command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "SNAPSHOT_URL=" + here.HTTP, "WEBHOOK_SECRET=" + secret,
				"TARGET=web-1", "KEY=run-" + name, "POLL_SECONDS=0.1"}, c.env...)
			command.WaitDelay = 30 * time.Second
			said, _ := command.CombinedOutput()
			if code := command.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(said), c.says) {
				t.Errorf("exit status %d, not %d, and it says\n%s", code, c.code, said)
			}
		})
	}
}
