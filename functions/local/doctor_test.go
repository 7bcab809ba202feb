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
	"swas-snapshot/shared/snapshot"
)

// doctorCase is one account and policy that the doctor looks at.
type doctorCase struct {
	policy     string // of the targets; default: web-1 with one daily
	schedule   string // default: a daily
	allow      string
	servers    int                  // beside those of d-web and d-data, and of d-other
	credential simulator.Credential // its key is the one that the chain finds
	token      string               // of the chain
	skew       time.Duration        // of the server's clock
	change     func(*simulator.Simulator)
	down       bool // the endpoint does not answer
	env        []string

	status int
	says   []string // regular expressions
}

const (
	onlyTarget = "  web-1: {disk: d-web, keep: {daily: 1}, maxAge: 26h}\n"
	bothRoles  = "  web-1: {disk: d-web, keep: {daily: 1, deploy: 1}, maxAge: 26h}\n"
	apiTakes   = "allow:\n  - {from: api, targets: [web-1], actions: [take]}\n"
)

// ours adds a snapshot of d-web as this project takes them, with tags besides.
func ours(s *simulator.Simulator, role string, old time.Duration, tags ...simulator.Tag) string {
	tags = append(tags, simulator.Tag{Key: snapshot.TagToken, Value: "sn1-" + role + fmt.Sprint(old)},
		simulator.Tag{Key: snapshot.TagMeta, Value: role + "/timer/f"})
	return s.AddSnapshot(simulator.Snapshot{DiskID: "d-web", Name: role + "-" + fmt.Sprint(old.Minutes()),
		CreationTime: time.Now().Add(-old), Tags: tags})
}

// foreign adds snapshots of a disk that are not ours.
func foreign(s *simulator.Simulator, disk string, count int) {
	for n := range count {
		s.AddSnapshot(simulator.Snapshot{DiskID: disk, Name: fmt.Sprint("foreign-", n)})
	}
}

// TestDoctor shows each thing that the doctor finds on the way to the real API, here a simulated one. The SDK's chain
// reads this process's environment, so the cases run one after the other.
func TestDoctor(t *testing.T) {
	cases := map[string]doctorCase{
		"healthy": {allow: apiTakes, policy: bothRoles, env: []string{"API_TOKEN=" + testToken}, says: []string{
			`ok +policy +targets: web-1`, `ok +timer sweep +next at \w{3} 20\S+ \d\d:\d0 CST`, `ok +endpoint .* answers`,
			`ok +clock`,
			`ok +credentials +yours are acs:ram::1234567890123456:user/swas-snapshot; ` +
				`access key LTAI\*\*\*\*e-id from env, which does not end by itself`,
			`ok +permission TagResources +allowed to you in cn-hangzhou`,
			`ok +target web-1 +disk d-web, 0 of 3 slots used, keep 2`,
			`ok +target web-1 +role daily is due next at \w{3} 20\S+ 03:00 CST`,
			`ok +account +0 of min\(3 x 2 servers, 15\) = 6 slots used, keep 2`, `ok +sender api`,
		}},
		"temporary": {credential: simulator.Credential{SecurityToken: "made-up-token"}, token: "made-up-token",
			says: []string{
				`ok +credentials +yours are \S+:assumed-role/\S+; .*temporary, and not renewed here: it ends when its issuer said`,
			}},
		"the account itself": {credential: simulator.Credential{ARN: "acs:ram::99:root"},
			says: []string{`warn +credentials +the account 99 itself, which may do everything`}},
		"disabled key": {credential: simulator.Credential{Inactive: true}, status: 1,
			says: []string{`fail +credentials +InvalidAccessKeyId.Inactive`}},
		"wrong secret": {credential: simulator.Credential{AccessKeySecret: "another"}, status: 1,
			says: []string{`fail +credentials +SignatureDoesNotMatch`}},
		"take key": {credential: simulator.Credential{Actions: simulator.TakeActions}, says: []string{
			`warn +permission DeleteSnapshot +NoPermission in cn-hangzhou: the timer function needs it, or slots fill`,
			`ok +permission TagResources`,
		}},
		"no tags": {credential: simulator.Credential{Actions: []string{"ListSnapshots", "ListDisks", "CreateSnapshot",
			"DeleteSnapshot"}}, says: []string{
			`warn +permission TagResources +NoPermission in cn-hangzhou: nothing can be pinned, and no order can join`,
		}},
		"no creation": {credential: simulator.Credential{Actions: []string{"ListSnapshots", "ListDisks"}}, status: 1,
			says: []string{`fail +permission CreateSnapshot +NoPermission`}},
		"wrong environment": {env: []string{"SNAPSHOT_LOG_LEVEL=loud", "SNAPSHOT_CALLS_PER_MINUTE=x",
			"ALIBABA_CLOUD_REGION_ID=Hangzhou"}, status: 1, says: []string{
			`fail +environment +InvalidConfig\n +SNAPSHOT_CALLS_PER_MINUTE`,
			`fail +environment +InvalidConfig\n +ALIBABA_CLOUD_REGION_ID`,
			`fail +environment +InvalidConfig\n +SNAPSHOT_LOG_LEVEL`,
		}},
		"a role that nothing takes": {policy: bothRoles,
			says: []string{`warn +target web-1 +nothing takes role deploy: it has no schedule, and no rule of allow or`}},
		"a rule for one role": {policy: "  web-1: {disk: d-web, keep: {manual: 1, deploy: 1}, maxAge: 26h}\n", schedule: "{}",
			allow: "allow:\n" +
				"  - {from: github, repository: a/b, on: push, refs: [refs/heads/main], targets: [web-1], role: deploy}\n",
			says: []string{`warn +target web-1 +nothing takes role manual`}},
		"no rule for uploads": {says: []string{`warn +deployment +s.yaml:\d+: .*has no rule under events`}},
		"wrong clock": {skew: time.Hour, status: 1,
			says: []string{`fail +clock +this machine's clock is off by (1h|59m)`}},
		"down": {down: true, status: 1, says: []string{`fail +endpoint +\S+ does not answer`}},
		"no disk": {policy: "  web-1: {disk: d-wrong, keep: {daily: 1}, maxAge: 26h}\n", status: 1,
			says: []string{`fail +target web-1 +InvalidDiskId.NotFound`, `region cn-hangzhou has no disk d-wrong: correct`}},
		"no server": {policy: "  web-1: {instance: i-wrong, keep: {daily: 1}, maxAge: 26h}\n", status: 1,
			says: []string{`fail +target web-1`}},
		"busy disk": {change: func(s *simulator.Simulator) { _ = s.SetDiskStatus("d-web", "Attaching") }, says: []string{
			`(?i)warn +target web-1 .*the disk is Attaching`,
		}},
		"two targets of a server": {policy: "  web-1: {disk: d-web, keep: {daily: 2}, maxAge: 26h}\n" +
			"  data: {disk: d-data, keep: {daily: 2}, maxAge: 26h}\n", status: 1, says: []string{
			`fail +server i-web +its targets keep daily of web-1 2 \+ daily of data 2 = 4 slots, and it has 3`,
		}},
		"two targets and orders": {policy: bothRoles + "  data: {disk: d-data, keep: {daily: 1}, maxAge: 26h}\n",
			allow: apiTakes, status: 1, says: []string{
				`fail +server i-web +its targets keep daily of web-1 1 \+ deploy of web-1 1 \+ daily of data 1 = 3 slots, ` +
					`which leaves none free for an order`,
			}},
		"two targets by schedule": {policy: onlyTarget + "  data: {disk: d-data, keep: {daily: 2}, maxAge: 26h}\n", status: 1,
			says: []string{
				`fail +server i-web +its targets keep .* = 3 slots on several disks`,
			}},
		"one disk twice": {policy: onlyTarget + "  boot: {instance: i-web, keep: {daily: 1}, maxAge: 26h}\n", status: 1,
			says: []string{
				`fail +target boot +it has the disk of web-1, d-web`,
			}},
		"six servers": {servers: 4, policy: onlyTarget, change: func(s *simulator.Simulator) {
			for n := range 4 {
				foreign(s, fmt.Sprint("d-more-", n), 3)
			}
		}, says: []string{
			`warn +account +12 of min\(3 x 6 servers, 15\) = 15 slots used, keep 1`,
			`; 12 are of servers that are no target: fewer`,
			`set maxEventAge: 4h`,
		}},
		"six servers, mostly free": {servers: 4,
			says: []string{`ok +account +0 of min\(3 x 6 servers, 15\) = 15 slots used`}},
		"others fill the account": {policy: "  web-1: {disk: d-web, keep: {daily: 2}, maxAge: 26h}\n",
			change: func(s *simulator.Simulator) { foreign(s, "d-other", 5) }, says: []string{
				`warn +account +.*keep 2.*; 5 are of servers that are no target`,
			}},
		"full of others": {policy: bothRoles, allow: apiTakes, change: func(s *simulator.Simulator) {
			foreign(s, "d-web", 3)
		}, status: 1, says: []string{
			`fail +target web-1 +role daily of web-1 is due since 20\S+ 03:00 CST and finds no slot: s-\w+ \(not ours\), `,
			`warn +target web-1 +role daily of web-1, due at 20\S+ 03:00 CST, will be blocked: `,
			`warn +target web-1 +an order for role deploy of web-1 will be blocked: `,
		}},
		"pins": {policy: bothRoles, allow: apiTakes, change: func(s *simulator.Simulator) {
			ours(s, "daily", time.Minute)
			ours(s, "deploy", 24*time.Hour, simulator.Tag{Key: snapshot.TagKeep, Value: "forever"})
			ours(s, "deploy", 48*time.Hour, simulator.Tag{Key: snapshot.TagKeep, Value: "2099-12-31"})
		}, says: []string{`warn +target web-1 +an order for role deploy of web-1 will be blocked: ` +
			`.*\(deploy, pinned for ever\), s-\w+ \(deploy, pinned until 2099-12-31\)`}},
		"hidden tags": {change: func(s *simulator.Simulator) {
			s.AddSnapshot(simulator.Snapshot{DiskID: "d-web", Name: "deploy-web-1-abcdefgh"})
		}, says: []string{`warn +target web-1 +s-\w+ has a name of ours and no tags: the API shows no tags`}},
		"unknown status": {change: func(s *simulator.Simulator) {
			_ = s.SetSnapshotStatus(ours(s, "daily", time.Hour), "Frozen")
		}, says: []string{
			`warn +target web-1 +s-\w+ has the status "\w+", which the API does not document`,
		}},
		"no keep": {policy: "  web-1: {disk: d-web}\n", schedule: "{}",
			says: []string{`warn +target web-1 .*nothing is ever deleted`}},
		"no maxAge": {policy: "  web-1: {disk: d-web, keep: {daily: 1}}\n",
			says: []string{`warn +target web-1 .*no maxAge: you are not notified`}},
		"senders": {allow: "allow:\n  - {from: slack, tenant: T1, targets: [web-1], actions: [list]}\n",
			env: []string{"GITEE_SECRET=short", "GITHUB_WEBHOOK_SECRET=" + testToken}, says: []string{
				`warn +sender slack +a rule under allow is for it, but its secret is not set here`,
				`warn +sender gitee +GITEE_SECRET has an element of 5 bytes`,
				`warn +sender github +its secret is set, but no rule under allow is for it`,
			}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { c.run(t) })
	}
}

// run runs the doctor, and looks for what it should say.
func (c doctorCase) run(t *testing.T) {
	const keyID, secret = "LTAI-made-up-key-e-id", "made-up-secret"
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", keyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", c.token)
	c.credential.AccessKeyID = keyID
	if c.credential.AccessKeySecret == "" {
		c.credential.AccessKeySecret = secret
	}
	servers := []simulator.Instance{
		{ID: "i-web", RegionID: "cn-hangzhou", Disks: []simulator.Disk{{ID: "d-web"}, {ID: "d-data"}}},
		{ID: "i-other", RegionID: "cn-hangzhou", Disks: []simulator.Disk{{ID: "d-other"}}},
	}
	for n := range c.servers {
		servers = append(servers, simulator.Instance{ID: fmt.Sprint("i-more-", n), RegionID: "cn-hangzhou",
			Disks: []simulator.Disk{{ID: fmt.Sprint("d-more-", n)}}})
	}
	api := simulator.New(simulator.Config{Credentials: []simulator.Credential{c.credential}, Instances: servers})
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
	if c.schedule == "" {
		c.schedule = "{daily: 0 3 * * *}"
	}
	text := "region: cn-hangzhou\ntimeZone: Asia/Shanghai\nschedule: " + c.schedule + "\ntargets:\n" + c.policy + c.allow
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	before := len(api.Snapshots())
	status, stdout, stderr := typed(t, environment(append(c.env, "SNAPSHOTS_FILE="+file, "SWAS_ENDPOINT="+server.URL)...),
		nil, "doctor", "-live")
	if status != c.status {
		t.Errorf("exit status %d, want %d", status, c.status)
	}
	for _, pattern := range c.says {
		if !regexp.MustCompile(pattern).MatchString(stdout) {
			t.Errorf("it does not say %s", pattern)
		}
	}
	text = stdout + stderr
	if strings.Contains(text, secret) || strings.Contains(text, keyID) || strings.Contains(text, testToken) {
		t.Error("it shows a secret")
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
