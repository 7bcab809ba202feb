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
	"swas-snapshot/shared/webhook"
)

// checkDeployment checks the deployment files.
func (in *inspection) checkDeployment() {
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

// checkTimers notes when the timers of s.yaml fire next.
func (in *inspection) checkTimers() {
	timers, err := readTimers()
	if err != nil {
		in.fail("timers", err.Error(), "correct s.yaml")
		return
	}
	for _, timer := range timers {
		in.ok("timer "+timer.Name, "next at "+timer.Next(time.Now()).In(location(in.policy.Policy)).Format(timeForm))
	}
}

// checkEnvironment checks the variables that all functions read.
func (in *inspection) checkEnvironment() {
	wrong := app.CheckEnvironment(in.getenv)
	for _, err := range wrong {
		in.failed("environment", err)
	}
	if len(wrong) == 0 {
		in.ok("environment", "the settings are valid here; README.md lists them")
	}
}

// checkSenders compares the secrets that are set here with what the policy allows over HTTP.
func (in *inspection) checkSenders() {
	_, err := webhook.ReadSecrets(in.getenv, "API_TOKEN")
	bearer := webhook.SenderState{
		Sender: "api", Variables: []string{"API_TOKEN"}, Set: !errors.Is(err, webhook.ErrUnset), Off: err}
	for _, one := range append(webhook.SenderStates(webhook.SecretsFromEnv(in.getenv)), bearer) {
		check, variables := "sender "+one.Sender, strings.Join(one.Variables, ", ")
		allowed := slices.ContainsFunc(in.policy.Allow, func(rule policy.Allow) bool { return rule.From == one.Sender })
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
			in.warn(check, "a rule under allow is for it, but its secret is not set here: "+
				"where the function has none either, it is off (404)", "set "+variables)
		}
	}
}

// checkRoles finds roles that nothing takes: no schedule, no rule of the policy and no timer of a deployment file.
func (in *inspection) checkRoles() {
	timers, _ := readTimers() // checkTimers and checkDeployment report the errors
	if root, err := sourceRoot(); err == nil {
		sam, _ := deploy.ReadSAM(filepath.Join(root, deploy.SAMFile))
		timers = append(timers, sam.Timers...)
	}
	for _, target := range in.policy.Targets {
		for _, slots := range target.Keep {
			byTimer := slices.ContainsFunc(timers, func(timer deploy.Timer) bool {
				targets := timer.Tick.Targets
				return timer.Tick.Role == slots.Role && (targets == nil || slices.Contains(targets, target.Name))
			})
			if slots.Schedule == nil && !byTimer && !in.policy.TakenBy(target.Name, slots.Role) {
				in.warn("target "+target.Name, "nothing takes role "+slots.Role+
					": it has no schedule, and no rule of allow or events and no timer names it",
					"add "+slots.Role+" to schedule, name it in a rule, or remove it from keep; "+
						"orders to the event function may name it, too")
			}
		}
	}
}
