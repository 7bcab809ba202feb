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

// finding is one line of the doctor: what was looked at, how it is, and what mends it.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"` // ok, warn or fail
	What  string `json:"what"`
	Mend  string `json:"mend,omitempty"`
}

// examination is one run of the doctor.
type examination struct {
	*session
	policy   policy.Policy
	client   *swas.Client
	core     *snapshot.Service
	findings []finding
}

// doctor looks at everything that a deployment needs and says how to mend what is wrong. It changes nothing.
func doctor(ctx context.Context, s *session) error {
	x := &examination{session: s}
	p, err := policy.Load(policy.Path(s.getenv), s.getenv)
	if err != nil {
		x.wrongPolicy(err)
	} else {
		x.ok("policy", "targets: "+strings.Join(names(p.Policy), ", "))
		x.deployment()
	}
	x.ticks()
	x.environment()
	if err != nil {
		return x.report()
	}
	x.policy = p
	x.senders()
	x.roles()
	client, end, err := s.client(ctx, &x.policy)
	if err != nil {
		return x.report() // the environment says why
	}
	defer end()
	x.client = client
	x.core = &snapshot.Service{API: &remembering{API: client}, Policy: x.policy.Policy, Instance: snapshot.NewInstance(10)}
	answers, signs := x.endpoints(ctx), x.credentials(ctx)
	if answers && signs {
		for _, region := range x.regions() {
			x.permissions(ctx, region)
		}
		x.targets(ctx)
	}
	return x.report()
}

// wrongPolicy notes each defect of the policy.
func (x *examination) wrongPolicy(err error) {
	const mend = "correct the file; README.md explains every key"
	var wrong policy.Errors
	errors.As(err, &wrong)
	for _, one := range wrong {
		x.fail("policy", one.Error(), mend)
	}
	if len(wrong) == 0 {
		x.fail("policy", err.Error(), mend)
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

func (x *examination) note(state, check, what, mend string) {
	x.findings = append(x.findings, finding{check, state, what, mend})
}

func (x *examination) ok(check, what string)         { x.note("ok", check, what, "") }
func (x *examination) warn(check, what, mend string) { x.note("warn", check, what, mend) }
func (x *examination) fail(check, what, mend string) { x.note("fail", check, what, mend) }

// failed notes an error, whose public text says what mends it.
func (x *examination) failed(check string, err error) {
	known := snapshot.AsError(err)
	x.fail(check, known.Code, known.Public())
}

// regions returns the regions of the policy, each once, in its order.
func (x *examination) regions() []string {
	var all []string
	for _, target := range x.policy.Targets {
		if region := x.regionOf(target); !slices.Contains(all, region) {
			all = append(all, region)
		}
	}
	return all
}

func (x *examination) regionOf(target snapshot.Target) string {
	if target.RegionID != "" {
		return target.RegionID
	}
	return x.policy.RegionID
}

// report prints the findings; one failure is exit status 1.
func (x *examination) report() error {
	failed := slices.ContainsFunc(x.findings, func(f finding) bool { return f.State == "fail" })
	if x.json {
		if err := json.NewEncoder(x.stdout).Encode(map[string]any{"ok": !failed, "findings": x.findings}); err != nil {
			return fmt.Errorf("failed to print: %w", err)
		}
	} else {
		table := tabwriter.NewWriter(x.stdout, 0, 0, 2, ' ', 0)
		for _, f := range x.findings {
			fmt.Fprintf(table, "%s\t%s\t%s\n", f.State, f.Check, f.What)
			if f.Mend != "" {
				fmt.Fprintf(table, "\t\t  %s\n", f.Mend)
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
