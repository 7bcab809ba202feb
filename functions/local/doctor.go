package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

const doctorUsage = `Usage: go run ./functions/local doctor [-live] [-json]

Check the credentials, permissions, policy, deployment files, disks and slots, and print what to correct. Nothing is
changed.

  -live  use the real API and the default credentials
  -json  print JSON

  go run ./functions/local doctor -live
`

// finding is one line of the doctor.
type finding struct {
	Check  string `json:"check"` // what was checked
	State  string `json:"state"` // ok, warn or fail
	What   string `json:"what"`
	Advice string `json:"advice,omitempty"` // what to do about it
}

// inspection is one run of the doctor.
type inspection struct {
	*session
	policy   policy.Policy
	client   *swas.Client
	service  *snapshot.Service
	findings []finding
}

// doctor checks everything that a deployment needs and prints how to correct what is wrong. It changes nothing.
func doctor(ctx context.Context, s *session) error {
	in := &inspection{session: s}
	in.inspect(ctx)
	failed := slices.ContainsFunc(in.findings, func(f finding) bool { return f.State == "fail" })
	err := s.print(map[string]any{"ok": !failed, "findings": in.findings}, func(w io.Writer) {
		for _, f := range in.findings {
			fmt.Fprintf(w, "%s\t%s\t%s\n", f.State, f.Check, f.What)
			if f.Advice != "" {
				fmt.Fprintf(w, "\t\t  %s\n", f.Advice)
			}
		}
	})
	if err == nil && failed {
		return errFailed
	}
	return err
}

// inspect makes all findings, as far as a check does not need what another one has not found.
func (in *inspection) inspect(ctx context.Context) {
	p, err := policy.Load(policy.Path(in.getenv), in.getenv)
	if err != nil {
		in.wrongPolicy(err)
	} else {
		in.policy = p
		in.ok("policy", "targets: "+strings.Join(names(p.Policy), ", "))
		in.checkDeployment()
	}
	in.checkTimers()
	in.checkEnvironment()
	if err != nil {
		return
	}
	in.checkSenders()
	in.checkRoles()
	client, service, end, err := in.connect(ctx, &in.policy)
	if err != nil {
		return // checkEnvironment reports why
	}
	defer end()
	service.API = &cachedAPI{API: client}
	in.client, in.service = client, service
	answers, signs := in.checkEndpoints(ctx), in.checkCredentials(ctx)
	if !answers || !signs {
		return
	}
	for _, region := range in.regions() {
		in.checkPermissions(ctx, region)
	}
	in.checkTargets(ctx)
}

// wrongPolicy notes each defect of the policy.
func (in *inspection) wrongPolicy(err error) {
	const advice = "correct the file; README.md explains every key"
	var wrong policy.Errors
	errors.As(err, &wrong)
	for _, one := range wrong {
		in.fail("policy", one.Error(), advice)
	}
	if len(wrong) == 0 {
		in.fail("policy", err.Error(), advice)
	}
}

func (in *inspection) note(state, check, what, advice string) {
	in.findings = append(in.findings, finding{check, state, what, advice})
}

func (in *inspection) ok(check, what string)           { in.note("ok", check, what, "") }
func (in *inspection) warn(check, what, advice string) { in.note("warn", check, what, advice) }
func (in *inspection) fail(check, what, advice string) { in.note("fail", check, what, advice) }

// failed notes an error, whose public text says what to do.
func (in *inspection) failed(check string, err error) {
	known := snapshot.AsError(err)
	in.fail(check, known.Code, known.Public())
}
