package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// timeForm is how times are printed for users.
const timeForm = "Mon 2006-01-02 15:04 MST"

// service returns the core in this process, on the simulator or with -live on the real API, and a function that ends
// it.
func (s *session) service(ctx context.Context) (*snapshot.Service, func(), error) {
	p, err := policy.Load(policy.Path(s.getenv), s.getenv)
	if err != nil {
		return nil, nil, err
	}
	_, service, end, err := s.connect(ctx, &p)
	return service, end, err
}

// connect returns a client of the API, simulated or real, the core on it, and a function that ends both. It sets the
// region of a policy that has none.
func (s *session) connect(ctx context.Context, p *policy.Policy) (*swas.Client, *snapshot.Service, func(), error) {
	endpoint, provider := s.getenv("SWAS_ENDPOINT"), swas.Provider(&swas.DefaultChain{})
	end := func() {}
	p.RegionID = cmp.Or(p.RegionID, s.getenv("ALIBABA_CLOUD_REGION_ID"))
	if !s.live {
		c, err := newCloud(ctx, s, cloudConfig{})
		if err != nil {
			return nil, nil, nil, err
		}
		fmt.Fprintln(s.stderr, "swas-snapshot: SIMULATED: nothing here is real; add -live for your account")
		endpoint, provider, end = c.server.URL, swas.Static(credentials.Credentials(c.keys[operator])), c.close
		p.RegionID = c.regionID
	}
	client, err := swas.New(endpoint, provider)
	if err != nil {
		end()
		return nil, nil, nil, err
	}
	return client, &snapshot.Service{API: client, Policy: p.Policy, Instance: snapshot.NewInstance(10)}, end, nil
}

// forTargets calls ask for the target on the command line, or for all, and returns the answers and the policy's time
// zone.
func forTargets[T any](
	ctx context.Context, s *session, ask func(*snapshot.Service, context.Context, string) (T, error),
) ([]T, *time.Location, error) {
	service, end, err := s.service(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	service.API = &cachedAPI{API: service.API}
	targets := s.args
	if len(targets) == 0 {
		targets = names(service.Policy)
	}
	answers := make([]T, 0, len(targets))
	for _, name := range targets {
		one, err := ask(service, ctx, name)
		if err != nil {
			return nil, nil, err
		}
		answers = append(answers, one)
	}
	return answers, location(service.Policy), nil
}

// names returns the names of the policy's targets.
func names(p snapshot.Policy) []string {
	all := make([]string, 0, len(p.Targets))
	for _, target := range p.Targets {
		all = append(all, target.Name)
	}
	return all
}

// location returns the time zone in which times are printed.
func location(p snapshot.Policy) *time.Location { return cmp.Or(p.Location, time.UTC) }

// cachedAPI is a client that lists each page once: the API allows about 10 calls of an action a minute. It is for
// commands that change nothing between two lists.
type cachedAPI struct {
	snapshot.API
	snapshots map[string]snapshot.SnapshotPage
	disks     map[string]snapshot.DiskPage
}

// ListSnapshots returns a page of snapshots, from the API only once.
func (c *cachedAPI) ListSnapshots(ctx context.Context, region string, page int) (snapshot.SnapshotPage, error) {
	return cached(ctx, &c.snapshots, region, page, c.API.ListSnapshots)
}

// ListDisks returns a page of disks, from the API only once.
func (c *cachedAPI) ListDisks(ctx context.Context, region string, page int) (snapshot.DiskPage, error) {
	return cached(ctx, &c.disks, region, page, c.API.ListDisks)
}

// cached returns a page of pages, or one that it loads and adds to them; errors are not kept.
func cached[P any](ctx context.Context, pages *map[string]P, region string, page int,
	load func(context.Context, string, int) (P, error)) (P, error) {
	key := fmt.Sprint(region, " ", page)
	if known, ok := (*pages)[key]; ok {
		return known, nil
	}
	got, err := load(ctx, region, page)
	if err == nil {
		if *pages == nil {
			*pages = make(map[string]P)
		}
		(*pages)[key] = got
	}
	return got, err
}
