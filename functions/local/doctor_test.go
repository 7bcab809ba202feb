package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
)

// patient is one state of the world that the doctor looks at.
type patient struct {
	policy     string // of the targets; default: web-1 with one slot
	allow      string
	credential simulator.Credential // its key is the one that the chain finds
	token      string               // of the chain
	skew       time.Duration        // of the server's clock
	change     func(*simulator.Simulator)
	down       bool // the endpoint does not answer
	env        []string

	status int
	says   []string // regular expressions
}

const onlyTarget = "  web-1: {disk: d-web, keep: {daily: 2}, maxAge: 26h}\n"

// TestDoctor shows each thing that the doctor finds on the way to the real API, here a simulated one. The SDK's chain
// reads this process's environment, so the cases run one after the other.
func TestDoctor(t *testing.T) {
	cases := map[string]patient{
		"healthy": {allow: "allow:\n  - {from: api, targets: [web-1], actions: [take]}\n", env: []string{"API_TOKEN=" + testToken}, says: []string{
			`ok +policy +targets: web-1`, `ok +timer daily +next at `, `ok +endpoint .* answers`, `ok +clock`,
			`ok +credentials +yours are acs:ram::1234567890123456:user/swas-snapshot; access key LTAI\*\*\*\*e-id from env, which does not end by itself`,
			`ok +permission TagResources +allowed to you in cn-hangzhou`, `ok +target web-1 +disk d-web, 0 of 3 slots used, 2 planned`,
			`ok +account +0 of min\(3 x 2 servers, 15\) = 6 slots used, 2 planned`, `ok +sender api`,
		}},
		"temporary": {credential: simulator.Credential{SecurityToken: "made-up-token"}, token: "made-up-token", says: []string{
			`ok +credentials +yours are \S+:assumed-role/\S+; .*temporary, and not renewed here: it ends when its issuer said`,
		}},
		"the account itself": {credential: simulator.Credential{ARN: "acs:ram::99:root"}, says: []string{`warn +credentials +the account 99 itself, which may do everything`}},
		"disabled key":       {credential: simulator.Credential{Inactive: true}, status: 1, says: []string{`fail +credentials +InvalidAccessKeyId.Inactive`}},
		"wrong secret":       {credential: simulator.Credential{AccessKeySecret: "another"}, status: 1, says: []string{`fail +credentials +SignatureDoesNotMatch`}},
		"no deletion": {credential: simulator.Credential{Actions: []string{"ListSnapshots", "ListDisks", "CreateSnapshot"}}, says: []string{
			`warn +permission DeleteSnapshot +Forbidden.RAM in cn-hangzhou: nothing rotates`, `warn +permission TagResources +Forbidden.RAM in cn-hangzhou: nothing can be pinned`,
		}},
		"no creation": {credential: simulator.Credential{Actions: []string{"ListSnapshots", "ListDisks"}}, status: 1, says: []string{`fail +permission CreateSnapshot +Forbidden.RAM`}},
		"rules without slots": {policy: "  web-1: {disk: d-web, keep: {daily: 2}, maxAge: 26h}\n",
			allow: "allow:\n  - {from: slack, tenant: T1, targets: [web-1], actions: [take]}\n  - {from: slack, tenant: T2, targets: [web-1], actions: [list]}\n  - {from: github, repository: a/b, on: push, refs: [refs/heads/main], targets: [web-1]}\n  - {from: api, targets: [web-1], actions: [take]}\n",
			says:  []string{`warn +target web-1 +allow\[0\] \(slack\) takes snapshots of role manual, for which keep has no slots`, `warn +target web-1 +allow\[2\] \(github\) takes snapshots of role deploy`}},
		"wrong environment": {env: []string{"SNAPSHOT_LOG_LEVEL=loud", "SNAPSHOT_CALLS_PER_MINUTE=x", "ALIBABA_CLOUD_REGION_ID=Hangzhou"}, status: 1, says: []string{
			`fail +environment +InvalidConfig\n +SNAPSHOT_CALLS_PER_MINUTE`, `fail +environment +InvalidConfig\n +ALIBABA_CLOUD_REGION_ID`, `fail +environment +InvalidConfig\n +SNAPSHOT_LOG_LEVEL`,
		}},
		"role without a slot": {policy: "  web-1: {disk: d-web, keep: {nightly: 2}, maxAge: 26h}\n", says: []string{`warn +deployment +s.yaml:\d+: .*names the role "daily", which no target`}},
		"no rule for uploads": {says: []string{`warn +deployment +s.yaml:\d+: .*has no rule under events`}},
		"wrong clock":         {skew: time.Hour, status: 1, says: []string{`fail +clock +this machine's clock is off by (1h|59m)`}},
		"down":                {down: true, status: 1, says: []string{`fail +endpoint +\S+ does not answer`}},
		"no disk":             {policy: "  web-1: {disk: d-wrong, keep: {daily: 1}, maxAge: 26h}\n", status: 1, says: []string{`fail +target web-1 +InvalidDiskId.NotFound`, `region cn-hangzhou has no disk d-wrong: correct`}},
		"no server":           {policy: "  web-1: {instance: i-wrong, keep: {daily: 1}, maxAge: 26h}\n", status: 1, says: []string{`fail +target web-1`}},
		"busy disk": {change: func(s *simulator.Simulator) { _ = s.SetDiskStatus("d-web", "Attaching") }, says: []string{
			`warn +target web-1 .*the disk is Attaching`,
		}},
		"two targets of a server": {policy: onlyTarget + "  boot: {instance: i-web, keep: {weekly: 2}, maxAge: 200h}\n", status: 1, says: []string{
			`fail +server i-web +its targets web-1 and boot plan 4 slots together, and it has 3`,
		}},
		"others fill the account": {change: func(s *simulator.Simulator) {
			for n := range 5 {
				s.AddSnapshot(simulator.Snapshot{DiskID: "d-other", Name: fmt.Sprint("foreign-", n)})
			}
		}, says: []string{`warn +account +.*2 planned.*; 5 are of servers that are no target`}},
		"no keep":        {policy: "  web-1: {disk: d-web}\n", says: []string{`warn +target web-1 .*nothing is ever deleted`}},
		"one slot, full": {policy: "  web-1: {disk: d-web, keep: {daily: 2, deploy: 1}, maxAge: 26h}\n", says: []string{`warn +target web-1 .*role deploy cannot rotate twice`}},
		"no maxAge":      {policy: "  web-1: {disk: d-web, keep: {daily: 1}}\n", says: []string{`warn +target web-1 .*a missed tick goes unnoticed`}},
		"senders": {allow: "allow:\n  - {from: slack, tenant: T1, targets: [web-1], actions: [take]}\n", env: []string{"GITEE_SECRET=short", "GITHUB_WEBHOOK_SECRET=" + testToken}, says: []string{
			`warn +sender slack +a rule under allow is for it, but its secret is not set here`, `warn +sender gitee +GITEE_SECRET has an element of 5 bytes`,
			`warn +sender github +its secret is set, but no rule under allow is for it`,
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { c.see(t) })
	}
}

// see runs the doctor over a patient.
func (c patient) see(t *testing.T) {
	const keyID, secret = "LTAI-made-up-key-e-id", "made-up-secret"
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", c.token)
	c.credential.AccessKeyID = keyID
	if c.credential.AccessKeySecret == "" {
		c.credential.AccessKeySecret = secret
	}
	api := simulator.New(simulator.Config{
		Credentials: []simulator.Credential{c.credential},
		Instances: []simulator.Instance{
			{ID: "i-web", RegionID: "cn-hangzhou", Disks: []simulator.Disk{{ID: "d-web"}}},
			{ID: "i-other", RegionID: "cn-hangzhou", Disks: []simulator.Disk{{ID: "d-other"}}},
		},
	})
	if c.change != nil {
		c.change(api)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(c.skew).UTC().Format(http.TimeFormat))
		api.ServeHTTP(w, r)
	}))
	defer server.Close()
	if c.down {
		server.Close()
	}
	if c.policy == "" {
		c.policy = onlyTarget
	}
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	if err := os.WriteFile(file, []byte("region: cn-hangzhou\ntargets:\n"+c.policy+c.allow), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(api.Snapshots())
	status, stdout, stderr := typed(t, environment(append(c.env, "SNAPSHOTS_FILE="+file, "SWAS_ENDPOINT="+server.URL)...), nil, "doctor", "-live")
	if status != c.status {
		t.Errorf("exit status %d, want %d", status, c.status)
	}
	for _, pattern := range c.says {
		if !regexp.MustCompile(pattern).MatchString(stdout) {
			t.Errorf("it does not say %s", pattern)
		}
	}
	if text := stdout + stderr; strings.Contains(text, secret) || strings.Contains(text, keyID) || strings.Contains(text, testToken) {
		t.Error("it tells a secret")
	}
	if counts := api.CallCounts(); counts["ListSnapshots"] > 1 || counts["ListDisks"] > 1 {
		t.Errorf("it lists more than once: %v", counts)
	}
	if len(api.Snapshots()) != before {
		t.Error("it took or deleted a snapshot")
	}
	if t.Failed() {
		t.Log("\n" + stdout + stderr)
	}
}
