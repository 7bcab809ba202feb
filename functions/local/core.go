package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"swas-snapshot/shared/credentials"
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

// client returns a client of the API, simulated or real, and a function that ends it. It gives the policy a region if
// it names none.
func (s *session) client(ctx context.Context, p *policy.Policy) (*swas.Client, func(), error) {
	endpoint, provider := s.getenv("SWAS_ENDPOINT"), swas.Provider(&swas.DefaultChain{})
	end := func() {}
	if !s.live {
		w, err := newCloud(ctx, s, cloudConfig{platform: s.platform, policyFile: policyPath(s.getenv), log: s.stderr})
		if err != nil {
			return nil, nil, err
		}
		key := credentials.Credentials{AccessKeyID: w.operator.AccessKeyID, AccessKeySecret: w.operator.AccessKeySecret}
		endpoint, provider, end = w.apiURL, swas.Static(key), w.close
		if p.RegionID == "" {
			p.RegionID = w.regionID
		}
	}
	if p.RegionID == "" {
		p.RegionID = s.getenv("ALIBABA_CLOUD_REGION_ID")
	}
	client, err := swas.New(endpoint, provider)
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

// forTargets asks the core about the target on the command line, or about all, and returns the answers and the policy's
// time zone. The core lists each region once.
func forTargets[T any](
	ctx context.Context, s *session, ask func(*snapshot.Service, context.Context, string) (T, error),
) ([]T, *time.Location, error) {
	core, end, err := s.core(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	core.API = &remembering{API: core.API}
	targets := s.args
	if len(targets) == 0 {
		targets = names(core.Policy)
	}
	answers := make([]T, 0, len(targets))
	for _, name := range targets {
		one, err := ask(core, ctx, name)
		if err != nil {
			return nil, nil, err
		}
		answers = append(answers, one)
	}
	return answers, location(core.Policy), nil
}

// location is the time zone in which times are shown: that of the policy.
func location(p snapshot.Policy) *time.Location {
	if p.Location == nil {
		return time.UTC
	}
	return p.Location
}

// timeForm is how users read a time.
const timeForm = "Mon 2006-01-02 15:04 MST"

// plan prints what the next sweep does with the snapshots of one target, or of all, and what is to be expected after
// it.
func plan(ctx context.Context, s *session) error {
	plans, zone, err := forTargets(ctx, s, (*snapshot.Service).Plan)
	if err != nil {
		return err
	}
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
		for _, line := range forecast(one, zone) {
			fmt.Fprintf(table, "  %s\n", line)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("failed to print: %w", err)
	}
	return nil
}

// forecast is what a plan expects after the next sweep, a line each.
func forecast(p snapshot.Plan, zone *time.Location) []string {
	var lines []string
	if p.Blocked != "" {
		lines = append(lines, "blocked: "+p.Blocked)
	}
	for _, item := range p.Later {
		lines = append(lines, "later: delete "+item.SnapshotID+": "+item.Reason)
	}
	for _, one := range p.Outlook {
		switch {
		case one.Blocked != "":
			lines = append(lines, "will be blocked: "+one.Blocked)
		case !one.Next.IsZero():
			lines = append(lines, "role "+one.Role+" is due next at "+one.Next.In(zone).Format(timeForm))
		}
	}
	for _, text := range p.Warnings {
		lines = append(lines, "warning: "+text)
	}
	return lines
}

// list prints the snapshots on the servers of one target, or of all.
func list(ctx context.Context, s *session) error {
	listings, zone, err := forTargets(ctx, s, (*snapshot.Service).List)
	if err != nil {
		return err
	}
	if s.json {
		return json.NewEncoder(s.stdout).Encode(map[string]any{"listings": listings})
	}
	table := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	for _, one := range listings {
		fmt.Fprintf(table, "%s\t%d of %d slots used\n", one.Target, one.Slots.Used, one.Slots.Of)
		for n, shown := range one.Listed {
			taken, pinned := one.Snapshots[n].CreationTime, ""
			if shown.Keep != "" {
				pinned = "pinned: " + shown.Keep
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", shown.SnapshotID, cmp.Or(shown.Role, "foreign"),
				shown.SnapshotName, shown.Status, taken.In(zone).Format(timeForm), age(time.Since(taken)), pinned)
		}
		if len(one.Listed) == 0 {
			fmt.Fprintf(table, "  no snapshots\n")
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("failed to print: %w", err)
	}
	return nil
}

// age is how long ago a snapshot was taken, as users read it.
func age(d time.Duration) string {
	minutes := max(0, int(d/time.Minute))
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days old", minutes/60/24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm old", minutes/60, minutes%60)
	default:
		return fmt.Sprintf("%dm old", minutes)
	}
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

// unpin makes a snapshot subject to the count of its role again.
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
	state := "is no longer kept beyond the count of its role"
	if pinned.Keep != "" {
		state = "is kept: " + pinned.Keep
	}
	fmt.Fprintf(s.stdout, "%s of %s %s\n", pinned.SnapshotID, pinned.Target, state)
	if pinned.Warning != "" {
		fmt.Fprintf(s.stdout, "warning: %s\n", pinned.Warning)
	}
	return nil
}
