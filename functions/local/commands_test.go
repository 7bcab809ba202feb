package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

const testToken = "demo-token-not-a-secret-0001" // as in the fixtures of events/

// TestInvoke sends every example through its function, as if it happened now.
func TestInvoke(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "events", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	fails := map[string]string{ // the policy of the project has no rule for it
		"event-codepipeline-aws.json": "NoRule",
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			function, _, _ := strings.Cut(name, "-")
			platform := "fc"
			if strings.Contains(name, "aws") || strings.Contains(name, "lambda") || strings.Contains(name, "sqs") {
				platform = "lambda"
			}
			status, stdout, stderr := typed(t, atRoot(t, "API_TOKEN="+testToken), nil, "invoke", "-now",
				"-platform", platform, function, file)
			want := 0
			if fails[name] != "" {
				want = 1
			}
			answered := json.Valid([]byte(stdout)) && strings.Contains(stdout, fails[name]) &&
				!strings.Contains(stdout, "EventTooOld")
			if status != want || !answered || strings.Contains(stderr, "EventTooOld") {
				t.Errorf("exit status %d, want %d:\n%s%s", status, want, stdout, stderr)
			}
			if fails[name] != "" && !strings.Contains(stderr, "function error "+fails[name]) {
				t.Errorf("standard error does not say %s:\n%s", fails[name], stderr)
			}
		})
	}
}

// TestInvokeHTTP shows that an HTTP answer of 400 and more is exit status 1.
func TestInvokeHTTP(t *testing.T) {
	t.Parallel()
	event := filepath.Join("..", "..", "events", "http-fc-post.json")
	status, stdout, _ := typed(t, atRoot(t, "API_TOKEN=another-token-0000000"), nil, "invoke", "http", event)
	if status != 1 || !strings.Contains(stdout, "401") {
		t.Errorf("exit status %d:\n%s", status, stdout)
	}
}

// TestDemo runs the demo on both platforms, for users and for machines.
func TestDemo(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"fc", "lambda"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := typed(t, environment(), nil, "-platform", platform, "-json")
			var report struct {
				OK    bool `json:"ok"`
				Steps []struct {
					OK      bool              `json:"ok"`
					Results []snapshot.Result `json:"results"`
				} `json:"steps"`
			}
			err := json.Unmarshal([]byte(stdout), &report)
			if err != nil || status != 0 || !report.OK || len(report.Steps) != len(steps) {
				t.Fatalf("exit status %d, %v:\n%s%s", status, err, stdout, stderr)
			}
			for i, step := range report.Steps {
				if !step.OK || len(step.Results) == 0 {
					t.Errorf("step %d, %s: %+v", i+1, steps[i].name, step)
				}
			}
		})
	}
	status, stdout, stderr := typed(t, environment(), nil)
	if status != 0 || strings.Count(stdout, "\nok ") != len(steps) || strings.Contains(stdout, "FAIL") {
		t.Errorf("exit status %d:\n%s%s", status, stdout, stderr)
	}
}

// TestLargeEnvironment shows that of a user's environment only what the functions read counts against the platform's
// 4 KB.
func TestLargeEnvironment(t *testing.T) {
	t.Parallel()
	s := &session{getenv: environment("API_TOKEN="+testToken, "LS_COLORS="+strings.Repeat("x", 5000),
		"ROBOT=https://example.com/robot", "OTHER=x", "SWAS_ENDPOINT=https://example.com", "ALIBABA_CLOUD_ACCESS_KEY_ID=id",
		"GITHUB_WEBHOOK_SECRET=0123456789abcdef")}
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	content := "region: cn-hangzhou\ntargets: {web-1: {disk: d-1}}\n" +
		"notify: [{url: \"${ROBOT}\", form: json, on: [failed]}]\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for _, pair := range functionEnvironment(s, cloudConfig{policyFile: file, env: []string{"EXTRA=1"}}) {
		name, _, _ := strings.Cut(pair, "=")
		got[name] = true
	}
	for _, name := range []string{"API_TOKEN", "ROBOT", "GITHUB_WEBHOOK_SECRET", "SNAPSHOTS_FILE",
		"SNAPSHOT_CALLS_PER_MINUTE", "EXTRA"} {
		if !got[name] {
			t.Errorf("%s does not reach the functions", name)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("the functions get %v, too", got)
	}
}

// TestBuild builds what is deployed: the policy beside each function, the same bytes each time.
func TestBuild(t *testing.T) {
	t.Parallel()
	root, err := sourceRoot()
	if err != nil {
		t.Fatal(err)
	}
	dist := t.TempDir()
	var out, warnings bytes.Buffer
	s := &session{arch: "amd64", json: true, getenv: atRoot(t), stdout: &out, stderr: &warnings}
	if err := buildInto(t.Context(), s, root, dist); err != nil {
		t.Fatal(err)
	}
	if warnings.Len() > 0 {
		t.Errorf("it warns:\n%s", &warnings)
	}
	var report struct {
		Arch      string
		Functions []builtFunction
	}
	err = json.Unmarshal(out.Bytes(), &report)
	if err != nil || report.Arch != "amd64" || len(report.Functions) != len(functionNames) {
		t.Fatalf("%s: %v", &out, err)
	}
	for i, name := range functionNames {
		binary := content(t, filepath.Join(dist, name, "bootstrap"))
		if int64(len(binary)) != report.Functions[i].Bytes {
			t.Errorf("%s has %d bytes, the report says %d", name, len(binary), report.Functions[i].Bytes)
		}
		if !bytes.Equal(content(t, filepath.Join(dist, name, "snapshots.yaml")), content(t, testPolicy(root))) {
			t.Errorf("another policy is packed with %s", name)
		}
		for _, inside := range []string{root, ".symtab"} {
			if bytes.Contains(binary, []byte(inside)) {
				t.Errorf("%s has %q in it", name, inside)
			}
		}
	}
	again := filepath.Join(t.TempDir(), "event")
	if err := compile(t.Context(), root, again, "amd64", "event"); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, again), content(t, filepath.Join(dist, "event", "bootstrap"))) {
		t.Error("two builds differ")
	}
}

func content(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestPlanAndDoctor shows what users and machines read of a healthy deployment.
func TestPlanAndDoctor(t *testing.T) {
	t.Parallel()
	good := atRoot(t, "API_TOKEN="+testToken, "GITEE_SECRET=short")
	for line, says := range map[string]string{
		"plan": `(?s)web-1 +0 of 3 slots used\n +create +daily-web-1-\S+ +role daily is due since 20\S+ 03:00 CST\n` +
			` +role daily is due next at \w{3} 20\S+ 03:00 CST\n$`,
		"list":       `web-1 +0 of 3 slots used\n +no snapshots\n$`,
		"list web-1": `web-1 +0 of 3 slots used`,
		"list -json": `^\{"listings":\[\{"target":"web-1","slots":\{"used":0,"of":3\},"snapshots":\[\]\}\]\}\n$`,
		"doctor": `(?s)ok +policy.*warn +sender gitee.*ok +credentials +yours are acs:ram::.*` +
			`ok +permission CreateSnapshot +allowed to you in cn-hangzhou.*ok +target web-1 +disk .*` +
			`ok +target web-1 +role daily is due next.*ok +account`,
		"plan -json":   `^\{"plans":\[\{"target":"web-1"`,
		"doctor -json": `^\{"findings":\[\{"check":"policy","state":"ok".*"ok":true\}`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := typed(t, good, nil, strings.Fields(line)...)
			if status != 0 || !regexp.MustCompile(says).MatchString(stdout) {
				t.Errorf("exit status %d, want %s:\n%s%s", status, says, stdout, stderr)
			}
			if strings.HasSuffix(line, "-json") && !json.Valid([]byte(stdout)) {
				t.Errorf("no JSON:\n%s", stdout)
			}
			if strings.Contains(stdout, testToken) {
				t.Errorf("it shows a secret:\n%s", stdout)
			}
		})
	}
}

// TestDoctorOfAWrongPolicy shows that the doctor finds it, says where, and exits with 1.
func TestDoctorOfAWrongPolicy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	text := "region: cn-hangzhou\ntargets:\n  web-1: {disk: d-1, keep: {daily: 4}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, _ := typed(t, environment("SNAPSHOTS_FILE="+file), nil, "doctor")
	if status != 1 || !strings.Contains(stdout, "fail  policy") || !strings.Contains(stdout, "snapshots.yaml:3") {
		t.Errorf("exit status %d:\n%s", status, stdout)
	}
}

// TestServe shows that the first line for machines is enough to order a snapshot, on both platforms, and to look at the
// simulated API directly.
func TestServe(t *testing.T) {
	t.Parallel()
	here := serving(t, "API_TOKEN="+testToken)
	request, err := http.NewRequest(http.MethodPost, here.HTTP+"/snapshots", strings.NewReader(`{"target":"web-1"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Authorization": {"Bearer " + testToken}, "Content-Type": {"application/json"},
		"Idempotency-Key": {"k"}}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var result snapshot.Result
	err = json.NewDecoder(answer.Body).Decode(&result)
	if err != nil || answer.StatusCode != http.StatusAccepted || result.Outcome != snapshot.OutcomeCreated {
		t.Errorf("status %d, %+v, %v", answer.StatusCode, result, err)
	}
	if here.AccessKeyID == "" || here.AccessKeySecret == "" || here.RegionID != "cn-hangzhou" ||
		len(here.Disks) == 0 || !strings.HasPrefix(here.SWAS, "http://127.0.0.1:") {
		t.Errorf("the first line is %+v", here)
	}
}

// TestLive runs each command with -live against a simulated API, with the default credentials and SWAS_ENDPOINT. The
// SDK's chain reads this process's environment, so this test runs alone.
func TestLive(t *testing.T) {
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "made-up-id")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "made-up-secret")
	api := simulator.New(simulator.Config{
		Credentials: []simulator.Credential{{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret"}},
		Instances:   []simulator.Instance{{ID: "i-web", RegionID: "cn-hangzhou", Disks: []simulator.Disk{{ID: firstDisk}}}},
	})
	server := httptest.NewServer(api)
	defer server.Close()
	getenv := atRoot(t, "SWAS_ENDPOINT="+server.URL)
	for _, platform := range []string{"fc", "lambda"} {
		order := strings.NewReader(`{"target":"web-1","role":"deploy","key":"build-1"}`)
		status, stdout, stderr := typed(t, getenv, order, "invoke", "-live", "-platform", platform, "event", "-")
		if status != 0 || !strings.Contains(stdout, `"created"`) {
			t.Fatalf("invoke: exit status %d:\n%s%s", status, stdout, stderr)
		}
	}
	if all := api.Snapshots(); len(all) != 1 {
		t.Fatalf("there are %d snapshots, want 1", len(all))
	}
	id := api.Snapshots()[0].ID
	foreign := api.AddSnapshot(simulator.Snapshot{DiskID: firstDisk})
	for _, step := range []struct {
		line   string
		status int
		says   string
	}{
		{"pin -live " + id, 0, id + " of web-1 is kept: forever"},
		{"plan -live web-1", 0, "pinned"},
		{"pin -live " + id + " 2099-12-31 -json", 0, `"keep":"2099-12-31"`},
		{"unpin -live " + id, 0, id + " of web-1 is no longer kept beyond the count of its role"},
		{"unpin -live -json " + id, 0, `"snapshotId":"` + id + `"`},
		{"pin -live " + foreign, 1, "ForeignSnapshot"},
		{"plan -live -json", 0, `"action":"foreign"`},
		{"list -live", 0, id + "  deploy"},
		{"doctor -live", 0, "endpoint"},
	} {
		status, stdout, stderr := typed(t, getenv, nil, strings.Fields(step.line)...)
		all := stdout + stderr
		if status != step.status || !strings.Contains(all, step.says) || strings.Contains(all, "made-up-secret") {
			t.Errorf("%s: exit status %d, want %d and %q:\n%s", step.line, status, step.status, step.says, all)
		}
	}
	api.AddSnapshot(simulator.Snapshot{DiskID: firstDisk})
	status, stdout, stderr := typed(t, getenv, nil, "pin", "-live", id)
	if status != 0 || !strings.Contains(stdout, "\nwarning: web-1 has no free slot while this is pinned: ") {
		t.Errorf("a pin that leaves no slot: exit status %d\n%s%s", status, stdout, stderr)
	}
}
