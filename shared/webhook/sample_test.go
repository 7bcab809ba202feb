package webhook_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/webhook"
)

// takeCore takes every order, and fails at everything else.
type takeCore struct {
	webhook.Core
	orders []snapshot.Order
}

func (c *takeCore) TakeAll(_ context.Context, orders []snapshot.Order) []snapshot.Result {
	c.orders = append(c.orders, orders...)
	results := make([]snapshot.Result, len(orders))
	for i, order := range orders {
		results[i] = snapshot.Result{Target: order.Target, Outcome: snapshot.OutcomeCreated, SnapshotID: "s-1",
			Status: snapshot.Progressing}
	}
	return results
}

func (c *takeCore) Plan(context.Context, string) (snapshot.Plan, error) {
	return snapshot.Plan{Used: 1, Of: 3}, nil
}

const samplePolicy = `
region: cn-hangzhou
targets: {web-1: {disk: d-bp18kjxg9ebrhsgi0001}}
allow:
  - {from: slack, tenant: T1DC2JH3J, channels: [C0PS], actors: [U2CERLKJA], targets: [web-1], actions: [take]}
  - {from: dingtalk, tenant: ding6ccabc44d2c8d38b, targets: [web-1], actions: [take]}
  - {from: feishu, tenant: tenant-1, targets: [web-1], actions: [take]}
  - {from: wecom, tenant: TENANT, targets: [web-1], actions: [take]}
  - {from: teams, tenant: tenant-2, targets: [web-1], actions: [take]}
  - {from: github, repository: acme/shop, on: deployment, environments: [production], targets: [web-1]}
  - {from: github, repository: acme/run, on: workflow_run, refs: [refs/heads/main], targets: [web-1]}
  - {from: github, repository: acme/push, on: push, refs: ["refs/heads/release-*"], targets: [web-1]}
  - {from: gitlab, repository: acme/shop, on: deployment, environments: [production], targets: [web-1]}
  - {from: gitlab, repository: acme/run, on: pipeline, refs: [refs/heads/main], targets: [web-1]}
  - {from: gitlab, repository: acme/push, on: push, refs: [refs/heads/main], targets: [web-1]}
  - {from: gitee, repository: acme/shop, on: push, refs: [refs/heads/main], targets: [web-1]}
  - {from: standard, targets: [web-1], actions: [take]}
`

// Every sample is a request that its own sender lets in, and that takes one snapshot.
func TestSamplesAreLetIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	secrets := webhook.Secrets{}
	for _, from := range webhook.SenderStates(nil) {
		for i, one := range webhook.SampleSecrets(from.Sender) {
			secrets[one.Name] = []string{one.Form(bytes.Repeat([]byte{byte(17 * (i + 1)), 5, 99, 200}, 8))}
		}
	}
	text := strings.ReplaceAll(samplePolicy, "TENANT", secrets["WECOM_CORP_ID"][0])
	p, err := policy.Parse([]byte(text), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for n, rule := range p.Allow {
		t.Run(rule.From+" "+rule.On, func(t *testing.T) {
			t.Parallel()
			core := &takeCore{}
			handler := webhook.New(webhook.Options{
				Senders: webhook.OpenSenders(secrets, slog.New(slog.DiscardHandler)), Policy: p, Core: core,
				Now: func() time.Time { return now },
			})
			sample, err := webhook.NewSample(rule, secrets, now, hex.EncodeToString([]byte{1, 2, byte(n)}))
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequest(http.MethodPost, sample.Path, bytes.NewReader(sample.Body))
			request.Header = sample.Header
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if answer.Code >= 300 || len(core.orders) != 1 {
				t.Errorf("status %d, %d orders: %s", answer.Code, len(core.orders), answer.Body)
			}
		})
	}
}
