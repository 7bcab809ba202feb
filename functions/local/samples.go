package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/webhook"
)

// samples are requests to try serve with.
type samples struct {
	env     []string // KEY=VALUE for the functions: the secrets that were generated
	token   string   // bearer token
	secrets webhook.Secrets
	rules   []policy.Allow
}

// newSamples generates a secret for every sender of the policy's allow that has none. With -json it generates none, so
// that a sender without a secret stays off.
func newSamples(s *session) samples {
	made := samples{token: s.getenv("API_TOKEN"), secrets: webhook.SecretsFromEnv(s.getenv)}
	if s.json {
		return made
	}
	if made.token == "" {
		made.token = "local-" + randomText(16)
		made.env = append(made.env, "API_TOKEN="+made.token)
	}
	p, _ := policy.Load(policy.Path(s.getenv), s.getenv) // the functions report a wrong policy
	made.rules = p.Allow
	for _, rule := range p.Allow {
		for _, secret := range webhook.SampleSecrets(rule.From) {
			if len(made.secrets[secret.Name]) == 0 {
				random := make([]byte, 32)
				_, _ = rand.Read(random) // never fails
				made.secrets[secret.Name] = []string{secret.Form(random)}
				made.env = append(made.env, secret.Name+"="+made.secrets[secret.Name][0])
			}
		}
	}
	return made
}

// print prints a curl line for each rule of allow.
func (s samples) print(w io.Writer, url string, now time.Time) error {
	if len(s.rules) > 0 {
		fmt.Fprintf(w, "\ntry it; the signatures are valid for %d minutes:\n", int(webhook.Window.Minutes()))
	}
	for _, rule := range s.rules {
		sample, err := s.sample(rule, now)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "\n# %s\ncurl", strings.TrimSpace(rule.From+" "+rule.On))
		for _, name := range slices.Sorted(maps.Keys(sample.Header)) {
			fmt.Fprintf(w, " -H %s", quote(name+": "+sample.Header.Get(name)))
		}
		if len(sample.Body) > 0 {
			fmt.Fprintf(w, " --data-raw %s", quote(string(sample.Body)))
		}
		fmt.Fprintf(w, " %s\n", quote(url+sample.Path))
	}
	return nil
}

// sample returns a request that a rule allows: an order, or for a rule of api without take, a question.
func (s samples) sample(rule policy.Allow, now time.Time) (webhook.Sample, error) {
	id := randomText(6)
	if rule.From != "api" {
		return webhook.NewSample(rule, s.secrets, now, id)
	}
	header := http.Header{"Authorization": {"Bearer " + s.token}}
	target := rule.Targets[0]
	switch {
	case slices.Contains(rule.Actions, policy.ActionTake):
		header.Set("Idempotency-Key", id)
		header.Set("Content-Type", "application/json")
		return webhook.Sample{Path: "/snapshots", Header: header, Body: fmt.Appendf(nil, `{"target":%q}`, target)}, nil
	case slices.Contains(rule.Actions, policy.ActionPlan) && !slices.Contains(rule.Actions, policy.ActionList):
		return webhook.Sample{Path: "/plan?target=" + target, Header: header}, nil
	}
	return webhook.Sample{Path: "/snapshots?target=" + target, Header: header}, nil
}

// quote returns text as one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
