package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// finding is one line of the doctor: what was looked at, how it is, and what to do about it.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"` // ok, warn or fail
	What   string `json:"what"`
	Advice string `json:"advice,omitempty"`
}

// inspection is one run of the doctor.
type inspection struct {
	*session
	policy   policy.Policy
	client   *swas.Client
	core     *snapshot.Service
	findings []finding
}

// doctor looks at everything that a deployment needs and says how to correct what is wrong. It changes nothing.
func doctor(ctx context.Context, s *session) error {
	in := &inspection{session: s}
	p, err := policy.Load(policy.Path(s.getenv), s.getenv)
	if err != nil {
		in.wrongPolicy(err)
	} else {
		in.policy = p
		in.ok("policy", "targets: "+strings.Join(names(p.Policy), ", "))
		in.deployment()
	}
	in.ticks()
	in.environment()
	if err != nil {
		return in.report()
	}
	in.senders()
	in.roles()
	client, end, err := s.client(ctx, &in.policy)
	if err != nil {
		return in.report() // the environment says why
	}
	defer end()
	in.client = client
	in.core = &snapshot.Service{API: &remembering{API: client}, Policy: in.policy.Policy,
		Instance: snapshot.NewInstance(10)}
	answers, signs := in.endpoints(ctx), in.credentials(ctx)
	if answers && signs {
		for _, region := range in.regions() {
			in.permissions(ctx, region)
		}
		in.targets(ctx)
	}
	return in.report()
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

// names are the names of the policy's targets.
func names(p snapshot.Policy) []string {
	all := make([]string, 0, len(p.Targets))
	for _, target := range p.Targets {
		all = append(all, target.Name)
	}
	return all
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

// regions returns the regions of the policy, each once, in its order.
func (in *inspection) regions() []string {
	var all []string
	for _, target := range in.policy.Targets {
		if region := in.regionOf(target); !slices.Contains(all, region) {
			all = append(all, region)
		}
	}
	return all
}

func (in *inspection) regionOf(target snapshot.Target) string {
	if target.RegionID != "" {
		return target.RegionID
	}
	return in.policy.RegionID
}

// report prints the findings; one failure is exit status 1.
func (in *inspection) report() error {
	failed := slices.ContainsFunc(in.findings, func(f finding) bool { return f.State == "fail" })
	if in.json {
		if err := json.NewEncoder(in.stdout).Encode(map[string]any{"ok": !failed, "findings": in.findings}); err != nil {
			return fmt.Errorf("failed to print: %w", err)
		}
	} else {
		table := tabwriter.NewWriter(in.stdout, 0, 0, 2, ' ', 0)
		for _, f := range in.findings {
			fmt.Fprintf(table, "%s\t%s\t%s\n", f.State, f.Check, f.What)
			if f.Advice != "" {
				fmt.Fprintf(table, "\t\t  %s\n", f.Advice)
			}
		}
		if err := table.Flush(); err != nil {
			return fmt.Errorf("failed to print: %w", err)
		}
	}
	if failed {
		return errFailed
	}
	return nil
}
