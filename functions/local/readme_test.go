package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
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
	return environment(append(slices.Clone(set), "SNAPSHOTS_FILE="+testPolicy(root))...)
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
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`), "TIME"},
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
		text = strings.Replace(text, shown, stdout.String(), 1)
		if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if settled(shown) != settled(stdout.String()) {
		t.Errorf("the README shows another demo; run go test ./functions/local -run TestReadmeDemo -update. It prints\n%s",
			stdout.String())
	}
}

// robotURL is an environment for policies with ${NAME} in the URL of a notification.
func robotURL(string) string { return "https://oapi.dingtalk.com/robot/send" }

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
		if _, err := policy.Parse([]byte(b.text), robotURL); err != nil {
			t.Errorf("%s\n%v", b.text, err)
		}
	}
	if found < 5 {
		t.Errorf("%d policies were found: the README has more", found)
	}
}

// The README creates the RAM roles that s.yaml names, each with its policy.
func TestReadmeRoles(t *testing.T) {
	t.Parallel()
	text, _ := readme(t)
	root, _ := sourceRoot()
	manifest := string(content(t, filepath.Join(root, "s.yaml")))
	if !strings.Contains(text, "for role in sweep take; do\n  aliyun ram CreateRole --RoleName swas-snapshot-$role ") ||
		!strings.Contains(text, `"$(cat docs/ram/$role-policy.json)"`) {
		t.Error("the README does not create the two RAM roles with their policies")
	}
	for _, role := range []string{"sweep", "take"} {
		if !strings.Contains(manifest, "role/swas-snapshot-"+role+"\n") {
			t.Errorf("s.yaml does not name the RAM role swas-snapshot-%s", role)
		}
	}
}

// The README's commands for AWS Lambda make the secrets that template.yml takes, and its orders name a role.
func TestReadmeOrders(t *testing.T) {
	t.Parallel()
	text, _ := readme(t)
	root, _ := sourceRoot()
	template := string(content(t, filepath.Join(root, "template.yml")))
	for _, name := range regexp.MustCompile(`\w+SecretArn`).FindAllString(text, -1) {
		if name != "CredentialsSecretArn" && !strings.Contains(template, "\n  "+name+":\n") { // that is the old one
			t.Errorf("template.yml has no parameter %s", name)
		}
	}
	command := regexp.MustCompile(`(?m)^(?:s event invoke -e|aws lambda invoke .* --payload) '([^']+)'`)
	orders := command.FindAllStringSubmatch(text, -1)
	if len(orders) != 2 {
		t.Fatalf("%d first orders were found, not 2", len(orders))
	}
	for _, order := range orders {
		status, stdout, stderr := typed(t, atRoot(t), strings.NewReader(order[1]), "invoke", "event", "-")
		if status != 0 || !strings.Contains(stdout, `"role": "deploy"`) || !strings.Contains(stdout, `"outcome": "created"`) {
			t.Errorf("%s: exit status %d\n%s%s", order[1], status, stdout, stderr)
		}
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
func serving(t *testing.T, set ...string) addresses {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out := &lineWriter{line: make(chan string, 1)}
	ended := make(chan error, 1)
	getenv := atRoot(t, set...)
	go func() {
		args := []string{"serve", "-json", "-addr", "127.0.0.1:0", "-takes", "1s"}
		ended <- run(ctx, args, getenv, strings.NewReader(""), out, io.Discard)
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	select {
	case line := <-out.line:
		var here addresses
		if err := json.Unmarshal([]byte(line), &here); err != nil {
			t.Fatalf("the first line is no JSON: %s", line)
		}
		return here
	case err := <-ended:
		ended <- nil
		t.Fatalf("serve ended: %v", err)
	}
	return addresses{}
}

// gate is the script of the README. It returns nil where the tools are missing that it needs; CI has them.
func gate(t *testing.T) func(t *testing.T, env ...string) (code int, said string) {
	t.Helper()
	for _, tool := range []string{"sh", "curl", "openssl", "od", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("%s is not here, so the gate cannot be tried; .ci/run has it", tool)
			if os.Getenv("CI") != "" {
				t.Fail()
			}
			return nil
		}
	}
	_, blocks := readme(t)
	var script string
	for _, b := range blocks {
		if b.info == "sh gate" {
			script = b.text
		}
	}
	return func(t *testing.T, env ...string) (int, string) {
		t.Helper()
		command := exec.Command("sh", "-c", script)
		command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TARGET=web-1", "POLL_SECONDS=0.1"}, env...)
		command.WaitDelay = 30 * time.Second
		said, _ := command.CombinedOutput()
		return command.ProcessState.ExitCode(), string(said)
	}
}

// The gate of the README, as a shell runs it: it waits until the snapshot is accomplished, and says so when it fails.
func TestReadmeGate(t *testing.T) {
	t.Parallel()
	open := gate(t)
	if open == nil {
		return
	}
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("gate"), 8))
	here := serving(t, "WEBHOOK_SECRET="+secret, "SNAPSHOT_CALLS_PER_MINUTE=0")
	const failure = -1 // shells differ in the exit status of an unset variable
	other := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("else"), 8))
	cases := map[string]struct {
		env  []string
		says string
		code int
	}{
		"Accomplished": {nil, "is accomplished", 0},
		"Slash":        {[]string{"SNAPSHOT_URL=" + here.HTTP + "/"}, "is accomplished", 0},
		"NotAllowed":   {[]string{"TARGET=db-9"}, `"retryable":false`, 1},
		"GoOn":         {[]string{"TARGET=db-9", "ON_FAILURE=go-on"}, `"retryable":false`, 0},
		"WrongSecret":  {[]string{"WEBHOOK_SECRET=" + other}, "Unauthenticated", 1},
		"PlainSecret":  {[]string{"WEBHOOK_SECRET=abc"}, "WEBHOOK_SECRET: is not whsec_ and base64", 1},
		"NoBase64":     {[]string{"WEBHOOK_SECRET=whsec_***"}, "WEBHOOK_SECRET: is not whsec_ and base64", 1},
		"NoSecret":     {[]string{"WEBHOOK_SECRET="}, "set it to whsec_", failure},
		"Blank":        {[]string{"KEY=run 1"}, "KEY: has a character", 1},
		"OtherPath":    {[]string{"SNAPSHOT_URL=" + here.HTTP + "/elsewhere"}, "there is nothing at this path", 1},
		"Unreachable":  {[]string{"SNAPSHOT_URL=http://127.0.0.1:1", "WAIT_SECONDS=0"}, "in time", 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			env := []string{"SNAPSHOT_URL=" + here.HTTP, "WEBHOOK_SECRET=" + secret, "KEY=run-" + name}
			code, said := open(t, append(env, c.env...)...)
			if code != c.code && !(c.code == failure && code != 0) || !strings.Contains(said, c.says) {
				t.Errorf("exit status %d, not %d, and it says\n%s", code, c.code, said)
			}
		})
	}
}

// At a full server the gate repeats an order that is deferred, and gives one up that is blocked.
func TestReadmeGateOfAFullServer(t *testing.T) {
	t.Parallel()
	open := gate(t)
	if open == nil {
		return
	}
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	text := "region: cn-hangzhou\ntargets:\n  web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {deploy: 1}}\n" +
		"  db-1: {disk: d-bp18kjxg9ebrhsgi0002}\nallow:\n" +
		"  - {from: standard, targets: [web-1, db-1], actions: [take, list], role: deploy}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("gate"), 8))
	here := serving(t, "SNAPSHOTS_FILE="+file, "WEBHOOK_SECRET="+secret, "SNAPSHOT_CALLS_PER_MINUTE=0")
	run := func(target, key, says string, want int, env ...string) {
		t.Helper()
		env = append(env, "SNAPSHOT_URL="+here.HTTP, "WEBHOOK_SECRET="+secret, "TARGET="+target, "KEY="+key)
		code, said := open(t, env...)
		if code != want || !strings.Contains(said, says) {
			t.Fatalf("%s of %s: exit status %d, not %d, and it says\n%s", key, target, code, want, said)
		}
	}
	for n := range 3 {
		run("web-1", fmt.Sprint("run-", n), "is accomplished", 0)
		run("db-1", fmt.Sprint("db-run-", n), "is accomplished", 0)
	}
	run("web-1", "run-3", "is not accomplished in time", 1, "WAIT_SECONDS=0")
	deleteOldest(t, here, "d-bp18kjxg9ebrhsgi0001")
	run("web-1", "run-3", "is accomplished", 0)
	run("db-1", "db-run-3", "no slot of the server comes free by itself", 1)
}

// deleteOldest deletes a disk's oldest snapshot as an operator does.
func deleteOldest(t *testing.T, here addresses, disk string) {
	t.Helper()
	key := credentials.Credentials{AccessKeyID: here.AccessKeyID, AccessKeySecret: here.AccessKeySecret}
	client, err := swas.New(here.SWAS, swas.Static(key))
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.ListSnapshots(t.Context(), here.RegionID, 1)
	if err != nil {
		t.Fatal(err)
	}
	var oldest snapshot.Snapshot
	for _, one := range page.Snapshots {
		if one.DiskID == disk && (oldest.ID == "" || one.CreationTime.Before(oldest.CreationTime)) {
			oldest = one
		}
	}
	err = swas.Deleter{Client: client}.DeleteSnapshot(t.Context(), here.RegionID, oldest.ID, "operator")
	if err != nil {
		t.Fatal(err)
	}
}

// code is a constant that is an error code, and its text.
var code = regexp.MustCompile(`(?m)^\s+[cC]ode[A-Z]\w*\s+= "([A-Za-z.]+)"`)

// Users look an error up by its code: the README says of each what to do.
func TestReadmeCodes(t *testing.T) {
	t.Parallel()
	text, _ := readme(t)
	root, _ := sourceRoot()
	found := 0
	for _, folder := range []string{"snapshot", "problem"} {
		files, err := filepath.Glob(filepath.Join(root, "shared", folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, match := range code.FindAllStringSubmatch(string(content(t, file)), -1) {
				found++
				if !strings.Contains(text, "`"+match[1]+"`") {
					t.Errorf("the README does not say what to do about %s", match[1])
				}
			}
		}
	}
	if found < 50 {
		t.Errorf("%d codes were found: there are more", found)
	}
}

// Every function that the README names is deployed under that name on both platforms.
func TestReadmeFunctionNames(t *testing.T) {
	t.Parallel()
	text, _ := readme(t)
	root, _ := sourceRoot()
	names := regexp.MustCompile(`--function-name (\S+)`).FindAllStringSubmatch(text, -1)
	if len(names) == 0 {
		t.Error("no function is named")
	}
	for _, name := range names {
		for file, key := range map[string]string{"s.yaml": "functionName: ", "template.yml": "FunctionName: "} {
			if !strings.Contains(string(content(t, filepath.Join(root, file))), key+name[1]+"\n") {
				t.Errorf("%s does not deploy %s", file, name[1])
			}
		}
	}
}

// Every relative link of README.md and of docs names a file that exists and, with #, a heading of it.
func TestDocumentLinks(t *testing.T) {
	t.Parallel()
	root, err := sourceRoot()
	if err != nil {
		t.Fatal(err)
	}
	files := []string{filepath.Join(root, "README.md")}
	for _, pattern := range []string{"docs/*.md", "docs/*/*.md"} {
		some, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(some) < 4 {
			t.Fatalf("%s: %d documents were found: there are more; %v", pattern, len(some), err)
		}
		files = append(files, some...)
	}
	found := 0
	for _, file := range files {
		for _, link := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(prose(t, file), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			found++
			path, heading, _ := strings.Cut(link[1], "#")
			to := file
			if path != "" {
				to = filepath.Join(filepath.Dir(file), path)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(file), link[1], err)
			} else if heading != "" && !slices.Contains(anchors(t, to), heading) {
				t.Errorf("%s links to %s, and there is no such heading", filepath.Base(file), link[1])
			}
		}
	}
	if found < 40 {
		t.Errorf("%d links were found: there are more", found)
	}
}

// prose returns a document without its blocks of code.
func prose(t *testing.T, file string) string {
	t.Helper()
	return regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(string(content(t, file)), "")
}

// anchors returns the names by which the headings of a document are linked: lower case, without punctuation, with
// hyphens for blanks.
func anchors(t *testing.T, file string) []string {
	t.Helper()
	var names []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(prose(t, file), -1) {
		name := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		names = append(names, strings.ReplaceAll(name, " ", "-"))
	}
	return names
}

// The policy of the contract is one that the program takes.
func TestContractPolicy(t *testing.T) {
	t.Parallel()
	root, err := sourceRoot()
	if err != nil {
		t.Fatal(err)
	}
	text := string(content(t, filepath.Join(root, "docs", "contract.md")))
	_, text, _ = strings.Cut(text, "```yaml\n")
	text, _, found := strings.Cut(text, "```\n")
	if !found {
		t.Fatal("the contract has no policy")
	}
	if _, err := policy.Parse([]byte(text), robotURL); err != nil {
		t.Error(err)
	}
}
