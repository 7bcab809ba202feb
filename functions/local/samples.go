package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/webhook"
)

// samples are requests to try serve with, signed with secrets that are made for the run.
type samples struct {
	env     []string // of the functions
	token   string   // bearer token
	secrets webhook.Secrets
	rules   []policy.Allow
}

// newSamples makes a secret for every sender of the policy's allow that has none. With -json it makes none: a machine
// sets its own, and what it does not set stays off.
func newSamples(s *session) samples {
	made := samples{token: s.getenv("API_TOKEN"), secrets: webhook.SecretsFromEnv(s.getenv)}
	if s.json {
		return made
	}
	set := func(name, value string) { made.env = append(made.env, name+"="+value) }
	if made.token == "" {
		made.token = "local-" + randomText(16)
		set("API_TOKEN", made.token)
	}
	p, err := policy.Load(policy.Path(s.getenv), s.getenv)
	if err != nil {
		return made // the functions answer with what is wrong
	}
	for _, rule := range p.Allow {
		made.rules = append(made.rules, rule)
		for _, secret := range webhook.SampleSecrets(rule.From) {
			if len(made.secrets[secret.Name]) > 0 {
				continue
			}
			random := make([]byte, 32)
			_, _ = rand.Read(random) // never fails
			value := secret.Form(random)
			made.secrets[secret.Name] = []string{value}
			set(secret.Name, value)
		}
	}
	return made
}

// print prints a curl line for each rule of allow.
func (s samples) print(w io.Writer, url string, now time.Time) error {
	if len(s.rules) > 0 {
		fmt.Fprintf(w, "\ntry it within %d minutes, so long do the signatures hold:\n", int(webhook.Window.Minutes()))
	}
	for _, rule := range s.rules {
		line, err := s.curl(rule, url, now)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "\n# %s\n%s\n", strings.TrimSpace(rule.From+" "+rule.On), line); err != nil {
			return fmt.Errorf("failed to print: %w", err)
		}
	}
	return nil
}

// curl returns the line that sends what a rule lets in.
func (s samples) curl(rule policy.Allow, url string, now time.Time) (string, error) {
	id := randomText(6)
	switch {
	case rule.From == "api" && !slices.Contains(rule.Actions, policy.ActionTake):
		return fmt.Sprintf(`curl -H %s %s`, quote("Authorization: Bearer "+s.token), quote(url+lookAt(rule))), nil
	case rule.From == "api":
		return fmt.Sprintf(`curl -H %s -H %s -H 'Content-Type: application/json' -d %s %s/snapshots`,
			quote("Authorization: Bearer "+s.token), quote("Idempotency-Key: "+id), quote(fmt.Sprintf(`{"target":%q}`, rule.Targets[0])), url), nil
	}
	sample, err := webhook.NewSample(rule, s.secrets, now, id)
	if err != nil {
		return "", err
	}
	var line strings.Builder
	line.WriteString("curl")
	for _, name := range slices.Sorted(maps.Keys(sample.Header)) {
		fmt.Fprintf(&line, " -H %s", quote(name+": "+sample.Header.Get(name)))
	}
	fmt.Fprintf(&line, " --data-raw %s %s", quote(string(sample.Body)), quote(url+sample.Path))
	return line.String(), nil
}

// lookAt is a path that a rule which may not take lets be asked.
func lookAt(rule policy.Allow) string {
	if slices.Contains(rule.Actions, policy.ActionPlan) && !slices.Contains(rule.Actions, policy.ActionList) {
		return "/plan?target=" + rule.Targets[0]
	}
	return "/snapshots?target=" + rule.Targets[0]
}

// quote makes text one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
