package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// now is the time of all tests.
var now = time.Date(2026, 11, 24, 6, 0, 3, 0, time.UTC)

// Secrets of the tests: made up, and long enough.
const (
	slackSecret    = "slack-0123456789abcdef"
	dingSecret     = "ding-0123456789abcdef"
	callbackToken  = "callback-token-0123456789"
	callbackAES    = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	feishuKey      = "feishu-key-0123456789"
	feishuToken    = "feishu-token-0123456789"
	corpID         = "ww0123456789abcdef"
	teamsSecret    = "dGVhbXMtdGVhbXMtdGVhbXMtMDEyMzQ1Njc4OTAxMjM="
	githubSecret   = "github-0123456789abcdef"
	gitlabSigning  = "whsec_Z2l0bGFiLXNpZ25pbmctdG9rZW4tMDEyMzQ1Njc="
	gitlabToken    = "gitlab-token-0123456789"
	giteeSecret    = "gitee-0123456789abcdef"
	standardSecret = "whsec_c3RhbmRhcmQtc2VjcmV0LTAxMjM0NTY3ODkwMTI="
)

func allSecrets() Secrets {
	return Secrets{
		envSlack: {slackSecret}, envDingTalk: {dingSecret}, envFeishuEncrypt: {feishuKey},
		envFeishuToken: {feishuToken},
		envWeComToken:  {callbackToken}, envWeComAES: {callbackAES}, envWeComCorp: {corpID}, envTeams: {teamsSecret},
		envGitHub: {githubSecret}, envGitLabSigning: {gitlabSigning}, envGitee: {giteeSecret},
		envStandard: {standardSecret},
	}
}

const policyText = `
region: cn-hangzhou
targets:
  web-1:
    disk: d-bp18kjxg9ebrhsgi0001
    keep: {manual: 1, deploy: 1}
  db-1:
    disk: d-bp18kjxg9ebrhsgi0002
    keep: {manual: 1, deploy: 1}
  hidden-1:
    disk: d-bp18kjxg9ebrhsgi0003
allow:
  - {from: slack, tenant: T1, channels: [C1], actors: [U1, U2],
     targets: [web-1, db-1], actions: [take, list, plan, keep], role: manual}
  - {from: slack, tenant: T1, channels: [C1], actors: [U3], targets: [web-1], actions: [list], role: manual}
  - {from: slack, tenant: T1, channels: [C1], actors: [U4], targets: [web-1], actions: [take], role: manual}
  - {from: slack, tenant: T1, channels: [C1], actors: [U4], targets: [db-1], actions: [keep]}
  - {from: dingtalk, tenant: corp1, channels: [cid1], actors: [staff1, staff2],
     targets: [web-1, db-1], actions: [take, list, plan, keep], role: manual}
  - {from: feishu, tenant: tk1, targets: [web-1], actions: [take, list, plan, keep], role: manual}
  - {from: wecom, tenant: ww0123456789abcdef, actors: [zhang],
     targets: [web-1], actions: [take, list, plan, keep], role: manual}
  - {from: teams, tenant: tenant1, targets: [web-1], actions: [take, list, plan, keep], role: manual}
  - {from: github, repository: acme/shop, on: deployment, environments: [production], targets: [web-1], role: deploy}
  - {from: github, repository: acme/shop, on: push, refs: [refs/heads/main], targets: [web-1, db-1], role: deploy}
  - {from: github, repository: acme/shop, on: workflow_run, workflow: .github/workflows/deploy.yml,
     refs: [refs/heads/main], targets: [web-1], role: deploy}
  - {from: gitlab, repository: acme/shop, on: deployment, environments: [production], targets: [web-1], role: deploy}
  - {from: gitlab, repository: acme/shop, on: pipeline, refs: [refs/heads/main], targets: [web-1], role: deploy}
  - {from: gitlab, repository: acme/shop, on: push, refs: [refs/heads/main], targets: [web-1], role: deploy}
  - {from: gitee, repository: acme/shop, on: push, refs: [refs/heads/main], targets: [web-1], role: deploy}
  - {from: standard, targets: [web-1], actions: [take, list, plan]}
  - {from: standard, targets: [db-1], actions: [take], role: deploy}
`

// account is the API as the tests need it: client tokens and three slots for each disk.
type account struct {
	mu        sync.Mutex
	snapshots []snapshot.Snapshot
	calls     int
	fail      map[string]string // action to code
}

func (a *account) begin(action string) error {
	a.calls++
	if code := a.fail[action]; code != "" {
		return &snapshot.APIError{Action: action, Code: code, Message: "upstream words", RequestID: "req-failed"}
	}
	return nil
}

func (a *account) CreateSnapshot(_ context.Context, r snapshot.Request) (snapshot.Created, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begin("CreateSnapshot"); err != nil {
		return snapshot.Created{}, err
	}
	used := 0
	for _, one := range a.snapshots {
		if token, _ := one.Tag(snapshot.TagToken); token != "" && token == r.ClientToken {
			return snapshot.Created{SnapshotID: one.ID, RequestID: "req-again"}, nil
		}
		if one.DiskID == r.DiskID {
			used++
		}
	}
	if used >= 3 {
		return snapshot.Created{}, &snapshot.APIError{Action: "CreateSnapshot", Code: snapshot.CodeLimitExceed,
			RequestID: "req-full"}
	}
	id := fmt.Sprintf("s-%04d", len(a.snapshots)+1000)
	a.snapshots = append(a.snapshots, snapshot.Snapshot{
		ID: id, Name: r.SnapshotName, RegionID: r.RegionID, DiskID: r.DiskID, Status: snapshot.Progressing,
		Progress:     "0%",
		CreationTime: now, Tags: r.Tags,
	})
	return snapshot.Created{SnapshotID: id, RequestID: "req-created"}, nil
}

func (a *account) ListSnapshots(context.Context, string, int) (snapshot.SnapshotPage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begin("ListSnapshots"); err != nil {
		return snapshot.SnapshotPage{}, err
	}
	return snapshot.SnapshotPage{Snapshots: slices.Clone(a.snapshots), Total: len(a.snapshots)}, nil
}

func (a *account) DeleteSnapshot(_ context.Context, _, id, _ string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begin("DeleteSnapshot"); err != nil {
		return err
	}
	a.snapshots = slices.DeleteFunc(a.snapshots, func(one snapshot.Snapshot) bool { return one.ID == id })
	return nil
}

func (a *account) ListDisks(context.Context, string, int) (snapshot.DiskPage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	disks := []snapshot.Disk{{ID: "d-bp18kjxg9ebrhsgi0001", InstanceID: "i1"},
		{ID: "d-bp18kjxg9ebrhsgi0002", InstanceID: "i2"}, {ID: "d-bp18kjxg9ebrhsgi0003", InstanceID: "i3"}}
	return snapshot.DiskPage{Disks: disks, Total: len(disks)}, a.begin("ListDisks")
}

func (a *account) TagSnapshot(_ context.Context, _, id string, tags []snapshot.Tag) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.snapshots {
		if a.snapshots[i].ID == id {
			a.snapshots[i].Tags = append(a.snapshots[i].Tags, tags...)
		}
	}
	return a.begin("TagResources")
}

// fill occupies all slots of web-1's server with accomplished snapshots of ours.
func (a *account) fill() {
	for i := range 3 {
		a.snapshots = append(a.snapshots, snapshot.Snapshot{
			ID: fmt.Sprintf("s-old%d", i+1), Name: fmt.Sprintf("manual-web-1-20261123T2000-aaaaaaa%d",
				i+2), RegionID: "cn-hangzhou", DiskID: "d-bp18kjxg9ebrhsgi0001",
			Status: snapshot.Accomplished, Progress: "100%", CreationTime: now.Add(time.Duration(i-10) * time.Hour),
			Tags: []snapshot.Tag{{Key: snapshot.TagToken, Value: fmt.Sprintf("sn1-old%d", i)},
				{Key: snapshot.TagMeta, Value: "manual/slack/0123456789ab"}},
		})
	}
}

func (a *account) ids() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var ids []string
	for _, one := range a.snapshots {
		ids = append(ids, one.ID)
	}
	return ids
}

// bench is a handler with everything around it.
type bench struct {
	account *account
	handler http.Handler
	at      time.Time     // what the handler takes for the present
	log     *bytes.Buffer // every line of the log
	mu      *sync.Mutex
	orders  []snapshot.Order
	pinner  policy.Caller // who pinned last
	options Options
}

// touched reports whether a request reached the core: an order, a pin, or a call of the API for anything else.
func (b *bench) touched() bool {
	return b.account.calls > 0 || len(b.orders) > 0 || b.pinner != (policy.Caller{})
}

// spy keeps the orders that reach the core.
type spy struct {
	*snapshot.Service
	b *bench
}

func (s spy) TakeAll(ctx context.Context, orders []snapshot.Order) []snapshot.Result {
	s.b.mu.Lock()
	s.b.orders = append(s.b.orders, orders...)
	s.b.mu.Unlock()
	return s.Service.TakeAll(ctx, orders)
}

func (s spy) Pin(ctx context.Context, id, until string, may func(snapshot.Target) error) (snapshot.Pinned, error) {
	s.b.mu.Lock()
	s.b.pinner = policy.CallerOf(ctx)
	s.b.mu.Unlock()
	return s.Service.Pin(ctx, id, until, may)
}

// scripted is a core whose answers to orders and plans a test writes; what it leaves nil is that of the core beneath.
type scripted struct {
	Core
	take func(snapshot.Order) snapshot.Result
	plan func(target string) (snapshot.Plan, error)
}

func (s scripted) TakeAll(ctx context.Context, orders []snapshot.Order) []snapshot.Result {
	if s.take == nil {
		return s.Core.TakeAll(ctx, orders)
	}
	results := make([]snapshot.Result, len(orders))
	for i, o := range orders {
		results[i] = s.take(o)
	}
	return results
}

func (s scripted) Plan(ctx context.Context, target string) (snapshot.Plan, error) {
	if s.plan == nil {
		return s.Core.Plan(ctx, target)
	}
	return s.plan(target)
}

// script puts the answers of a test before the core of the bench.
func (b *bench) script(s scripted) {
	s.Core = b.options.Core
	b.options.Core = s
	b.handler = New(b.options)
}

func newBench(tb testing.TB, secrets Secrets) *bench {
	tb.Helper()
	rules, err := policy.Parse([]byte(policyText), func(string) string { return "" })
	if err != nil {
		tb.Fatalf("policy: %v", err)
	}
	b := &bench{account: &account{fail: map[string]string{}}, at: now, log: &bytes.Buffer{}, mu: &sync.Mutex{}}
	log := slog.New(slog.NewJSONHandler(&locked{w: b.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.options = Options{
		Senders: OpenSenders(secrets, log), Policy: rules, Log: log, Now: func() time.Time { return b.at },
		Core: spy{&snapshot.Service{API: b.account, Policy: rules.Policy, Instance: snapshot.NewInstance(0),
			Now: func() time.Time { return now }}, b},
	}
	b.handler = New(b.options)
	return b
}

type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (b *bench) do(d delivery) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, d.request())
	return w
}
