package main

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/app"
	"swas-snapshot/shared/deploy"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/webhook"
)

// deployment checks the deployment files.
func (in *inspection) deployment() {
	root, err := sourceRoot()
	if err != nil {
		in.fail("deployment", err.Error(), "run it in the project's folder")
		return
	}
	all := deploy.Check(root, policyPath(in.getenv))
	for _, one := range all {
		if one.Warning {
			in.warn("deployment", one.Error(), "correct the policy, or the deployment file if you deploy it")
		} else {
			in.fail("deployment", one.Error(), "correct the file")
		}
	}
	if len(all) == 0 {
		in.ok("deployment", "nothing in s.yaml and template.yml breaks the functions, and both fit the policy")
	}
}

// ticks says when the timers of s.yaml fire next.
func (in *inspection) ticks() {
	timers, err := readTimers()
	if err != nil {
		in.fail("timers", err.Error(), "correct s.yaml")
		return
	}
	for _, timer := range timers {
		in.ok("timer "+timer.Name, "next at "+timer.Next(time.Now()).In(location(in.policy.Policy)).Format(timeForm))
	}
}

// environment looks at the variables that all functions read.
func (in *inspection) environment() {
	wrong := app.CheckEnvironment(in.getenv)
	for _, err := range wrong {
		in.failed("environment", err)
	}
	if len(wrong) == 0 {
		in.ok("environment", "the settings are valid here; README.md lists them")
	}
}

// senders compares the secrets that are set here with what the policy allows over HTTP.
func (in *inspection) senders() {
	states := append(webhook.SenderStates(webhook.SecretsFromEnv(in.getenv)), in.bearer())
	for _, one := range states {
		check := "sender " + one.Sender
		allowed := slices.ContainsFunc(in.policy.Allow, func(rule policy.Allow) bool { return rule.From == one.Sender })
		variables := strings.Join(one.Variables, ", ")
		switch {
		case one.Set && one.Off != nil:
			in.warn(check, one.Off.Error()+": it is off",
				"set what the sender shows, or make one as README.md says under Settings")
		case one.Set && allowed:
			in.ok(check, "its secret is set, and a rule under allow is for it")
		case one.Set:
			in.warn(check, "its secret is set, but no rule under allow is for it: it may do nothing",
				"add a rule to snapshots.yaml, or unset "+variables)
		case allowed:
			in.warn(check,
				"a rule under allow is for it, but its secret is not set here: where the function has none either, it is off (404)",
				"set "+variables)
		}
	}
}

// roles looks for roles that nothing fires: no schedule, no rule of the policy and no timer of a deployment file.
func (in *inspection) roles() {
	ticks := in.timerTicks()
	for _, target := range in.policy.Targets {
		for _, slots := range target.Keep {
			byTimer := slices.ContainsFunc(ticks, func(tick snapshot.Tick) bool {
				return tick.Role == slots.Role && (tick.Targets == nil || slices.Contains(tick.Targets, target.Name))
			})
			if slots.Schedule == nil && !byTimer && !in.policy.TakenBy(target.Name, slots.Role) {
				in.warn("target "+target.Name,
					"nothing takes role "+slots.Role+": it has no schedule, and no rule of allow or events and no timer names it",
					"add "+slots.Role+" to schedule, name it in a rule, or remove it from keep; "+
						"orders to the event function may name it, too")
			}
		}
	}
}

// timerTicks returns what the timers of both deployment files send.
func (in *inspection) timerTicks() []snapshot.Tick {
	root, err := sourceRoot()
	if err != nil {
		return nil // the check of the deployment says so
	}
	var ticks []snapshot.Tick
	fc, _ := deploy.ReadFC(filepath.Join(root, deploy.FCFile)) // the check of the deployment reports the errors
	sam, _ := deploy.ReadSAM(filepath.Join(root, deploy.SAMFile))
	for _, timer := range append(fc.Timers, sam.Timers...) {
		ticks = append(ticks, timer.Tick)
	}
	return ticks
}

// bearer is the state of the bearer token, whose sender the policy calls api.
func (in *inspection) bearer() webhook.SenderState {
	const variable = "API_TOKEN"
	_, err := webhook.ReadSecrets(in.getenv, variable)
	return webhook.SenderState{Sender: "api", Variables: []string{variable}, Set: !errors.Is(err, webhook.ErrUnset), Off: err}
}
