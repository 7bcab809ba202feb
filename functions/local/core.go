package main

import (
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// core returns a service of the core in this process, on the simulator or with -live on the real API, and a function
// that ends it.
func (s *session) core(ctx context.Context) (*snapshot.Service, func(), error) {
	p, err := policy.Load(policy.Path(s.getenv), s.getenv)
	if err != nil {
		return nil, nil, err
	}
	client, end, err := s.client(ctx, &p)
	if err != nil {
		return nil, nil, err
	}
	return &snapshot.Service{API: client, Policy: p.Policy, Instance: snapshot.NewInstance(10)}, end, nil
}

// client returns a client of the API, simulated or real, and a function that ends it. It gives the policy a region if it
// names none.
func (s *session) client(ctx context.Context, p *policy.Policy) (*swas.Client, func(), error) {
	config := swas.Config{Endpoint: s.getenv("SWAS_ENDPOINT"), Provider: &swas.DefaultChain{}}
	end := func() {}
	if !s.live {
		w, err := newWorld(ctx, s, worldConfig{platform: s.platform, policyFile: policyPath(s.getenv), log: s.stderr})
		if err != nil {
			return nil, nil, err
		}
		config.Endpoint, config.Provider, end = w.apiURL, swas.Static{AccessKeyID: w.keyID, AccessKeySecret: w.keySecret}, w.close
		if p.RegionID == "" {
			p.RegionID = w.regionID
		}
	}
	if p.RegionID == "" {
		p.RegionID = s.getenv("ALIBABA_CLOUD_REGION_ID")
	}
	client, err := swas.New(config)
	if err != nil {
		end()
		return nil, nil, err
	}
	return client, end, nil
}

// liveCredentials returns the default credentials for -live, as the platform would hand them over; nil without -live.
func (s *session) liveCredentials(ctx context.Context) (*runtimeapi.Credentials, error) {
	if !s.live {
		return nil, nil
	}
	found, err := (&swas.DefaultChain{}).Credentials(ctx)
	if err != nil {
		return nil, err
	}
	handed := runtimeapi.Credentials(found)
	return &handed, nil
}

// plan prints what would become of the snapshots of one target, or of all.
func plan(ctx context.Context, s *session) error {
	core, end, err := s.core(ctx)
	if err != nil {
		return err
	}
	defer end()
	targets := s.args
	if len(targets) == 0 {
		targets = names(core.Policy)
	}
	plans := make([]snapshot.Plan, 0, len(targets))
	for _, name := range targets {
		one, err := core.Plan(ctx, name)
		if err != nil {
			return err
		}
		plans = append(plans, one)
	}
	return s.printPlans(plans)
}

func (s *session) printPlans(plans []snapshot.Plan) error {
	if s.json {
		return json.NewEncoder(s.stdout).Encode(map[string]any{"plans": plans})
	}
	table := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	for _, one := range plans {
		fmt.Fprintf(table, "%s\t%d of %d slots used\n", one.Target, one.Used, one.Of)
		for _, item := range one.Items {
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", item.Action, item.SnapshotID, item.SnapshotName, item.Reason)
		}
		if len(one.Items) == 0 {
			fmt.Fprintf(table, "  nothing to do\n")
		}
		if one.Blocked != "" {
			fmt.Fprintf(table, "  blocked: %s\n", one.Blocked)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("failed to print: %w", err)
	}
	return nil
}

// pin keeps a snapshot until a day, or for ever.
func pin(ctx context.Context, s *session) error {
	until := ""
	if len(s.args) == 2 {
		until = s.args[1]
	}
	return s.changePin(ctx, func(core *snapshot.Service) (snapshot.Pinned, error) {
		return core.Pin(ctx, s.args[0], until, nil)
	})
}

// unpin gives a snapshot back to the rotation.
func unpin(ctx context.Context, s *session) error {
	return s.changePin(ctx, func(core *snapshot.Service) (snapshot.Pinned, error) {
		return core.Unpin(ctx, s.args[0], nil)
	})
}

func (s *session) changePin(ctx context.Context, change func(*snapshot.Service) (snapshot.Pinned, error)) error {
	core, end, err := s.core(ctx)
	if err != nil {
		return err
	}
	defer end()
	pinned, err := change(core)
	if err != nil {
		return err
	}
	if s.json {
		return json.NewEncoder(s.stdout).Encode(pinned)
	}
	state := "rotates again"
	if pinned.Keep != "" {
		state = "is kept: " + pinned.Keep
	}
	fmt.Fprintf(s.stdout, "%s of %s %s\n", pinned.SnapshotID, pinned.Target, state)
	if pinned.Warning != "" {
		fmt.Fprintf(s.stdout, "warning: %s\n", pinned.Warning)
	}
	return nil
}
