package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/manifest"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/webhook"
	"swas-snapshot/shared/wiring"
)

// deployment reads both deployment files as strictly as the platforms would.
func (x *examination) deployment() {
	root, err := sourceRoot()
	if err == nil {
		err = manifest.Check(root)
	}
	if err != nil {
		x.fail("deployment", err.Error(), "correct s.yaml, template.yml or what they name")
		return
	}
	x.ok("deployment", "s.yaml and template.yml are valid and agree")
}

// ticks tells when the timers of s.yaml fire next, in local time.
func (x *examination) ticks() {
	timers, err := readTimers()
	if err != nil {
		x.fail("timers", err.Error(), "correct s.yaml")
		return
	}
	for _, timer := range timers {
		x.ok("timer "+timer.Name, "next at "+timer.Next(time.Now()).Local().Format("Mon 2006-01-02 15:04 MST"))
	}
}

// senders compares the secrets that are set here with what the policy allows over HTTP.
func (x *examination) senders() {
	states := append(webhook.States(webhook.SecretsFromEnv(x.getenv)), x.bearer())
	for _, one := range states {
		check := "sender " + one.Sender
		allowed := slices.ContainsFunc(x.policy.Allow, func(rule policy.Allow) bool { return rule.From == one.Sender })
		variables := strings.Join(one.Variables, ", ")
		switch {
		case one.Set && one.Off != nil:
			x.warn(check, one.Off.Error()+": it is off", "set another one, such as the output of openssl rand -hex 32")
		case one.Set && allowed:
			x.ok(check, "its secret is set, and a rule under allow is for it")
		case one.Set:
			x.warn(check, "its secret is set, but no rule under allow is for it: it may do nothing", "add a rule to snapshots.yaml, or unset "+variables)
		case allowed:
			x.warn(check, "a rule under allow is for it, but its secret is not set here: where the function has none either, it is off (404)", "set "+variables)
		}
	}
}

// bearer is the state of the bearer token, whose sender the policy calls api.
func (x *examination) bearer() webhook.State {
	const variable = "API_TOKEN"
	state := webhook.State{Sender: "api", Variables: []string{variable}, Set: x.getenv(variable) != ""}
	if wiring.Secrets(x.getenv, variable) == nil {
		state.Off = errors.New(variable + " is unset or shorter than 16 bytes")
	}
	return state
}
