package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// skewMax is how wrong this machine's clock may be: the API refuses a request that is 15 minutes off.
const skewMax = 5 * time.Minute

// regions returns the regions of the policy's targets, each once, in its order.
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
	return cmp.Or(target.RegionID, in.policy.RegionID)
}

// checkEndpoints sends a request to each endpoint, and compares the clock of the first that answers with this
// machine's. It reports whether one answers.
func (in *inspection) checkEndpoints(ctx context.Context) (answered bool) {
	if !in.live {
		in.ok("endpoint", "that of the simulator")
		return true
	}
	clockKnown := false
	for _, url := range in.endpointURLs() {
		here := time.Now()
		there, err := readTime(ctx, url)
		if err != nil {
			in.fail("endpoint", url+" does not answer", "check the region, SWAS_ENDPOINT and the network")
			continue
		}
		answered = true
		in.ok("endpoint", url+" answers")
		if there.IsZero() || clockKnown {
			continue
		}
		clockKnown = true
		if skew := here.Sub(there).Round(time.Second); skew.Abs() > skewMax {
			in.fail("clock", "this machine's clock is off by "+skew.Abs().String(),
				"set the clock: the API refuses requests that are 15 minutes off")
		} else {
			in.ok("clock", "this machine's clock is right within "+skewMax.String())
		}
	}
	return answered
}

// endpointURLs returns the URLs of the API in the regions of the policy.
func (in *inspection) endpointURLs() []string {
	if endpoint := in.getenv("SWAS_ENDPOINT"); endpoint != "" {
		return []string{endpoint}
	}
	var all []string
	for _, region := range in.regions() {
		if snapshot.ValidRegion(region) { // checkPermissions reports one that is not
			all = append(all, "https://swas."+region+".aliyuncs.com")
		}
	}
	return all
}

// readTime returns the time of a server, or zero if its response has none.
func readTime(ctx context.Context, url string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return time.Time{}, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return time.Time{}, err
	}
	_ = response.Body.Close()
	there, _ := http.ParseTime(response.Header.Get("Date"))
	return there, nil
}

// checkCredentials notes whose the credentials are and when they end, and reports whether the API takes them. They are
// the user's; the deployed functions have those of their roles.
func (in *inspection) checkCredentials(ctx context.Context) bool {
	lasts := "they are the simulator's own"
	if in.live {
		origin, err := (&swas.DefaultChain{}).Origin()
		if err != nil {
			in.failed("credentials", err)
			return false
		}
		lasts = lifetime(origin)
	}
	region := "cn-hangzhou"
	if regions := in.regions(); len(regions) > 0 && snapshot.ValidRegion(regions[0]) {
		region = regions[0]
	}
	caller, err := in.client.CallerIdentity(ctx, region)
	known := snapshot.AsError(err)
	switch {
	case err == nil && caller.Root:
		in.warn("credentials", "the account "+caller.AccountID+" itself, which may do everything; "+lasts,
			"make a RAM user with docs/ram/sweep-policy.json, and use that")
	case err == nil:
		in.ok("credentials", "yours are "+caller.ARN+"; "+lasts)
	case known.Kind == snapshot.KindConfig:
		in.failed("credentials", err)
		return false
	default: // a snapshot needs no STS
		in.warn("credentials", "STS does not say whose they are ("+known.Code+"); "+lasts,
			"check the network to sts.aliyuncs.com if you want to know")
	}
	return true
}

// lifetime says when credentials end.
func lifetime(origin swas.Origin) string {
	id := "****"
	if n := len(origin.AccessKeyID); n >= 12 {
		id = origin.AccessKeyID[:4] + id + origin.AccessKeyID[n-4:]
	}
	key := "access key " + id + " from " + origin.Link
	switch {
	case !origin.Temporary:
		return key + ", which does not end by itself"
	case origin.Renewed:
		return key + ", temporary, and renewed before it ends"
	}
	return key + ", temporary, and not renewed here: it ends when its issuer said, within 36 hours at most"
}

// absent is the ID of things that do not exist: a call that names one changes nothing, and its error shows whether it
// is allowed.
const absent = "0000000000000000doctor"

// checkPermissions tries each action that the functions use with IDs that do not exist.
func (in *inspection) checkPermissions(ctx context.Context, region string) {
	api := in.service.API
	for _, one := range []struct {
		action string
		try    func() error
		codes  []string // of an action that is allowed, but names nothing that exists
		weak   string   // what does not work without it; empty: the functions do not work at all
	}{
		{"ListSnapshots", func() error { _, err := api.ListSnapshots(ctx, region, 1); return err }, nil, ""},
		{"ListDisks", func() error { _, err := api.ListDisks(ctx, region, 1); return err }, nil, ""},
		{"CreateSnapshot", func() error {
			_, err := api.CreateSnapshot(ctx, snapshot.Request{RegionID: region, DiskID: "d-" + absent,
				SnapshotName: "swas-snapshot-doctor"})
			return err
		}, []string{snapshot.CodeDiskNotFound}, ""},
		{"DeleteSnapshot", func() error {
			return swas.Deleter{Client: in.client}.DeleteSnapshot(ctx, region, "s-"+absent, "swas-snapshot-doctor")
		}, []string{snapshot.CodeSnapshotNotFound},
			"the timer function needs it, or slots fill; the RAM role of http and event must not have it"},
		{"TagResources", func() error {
			return api.TagSnapshot(ctx, region, "s-"+absent, []snapshot.Tag{{Key: snapshot.TagKeep, Value: "no"}})
		}, []string{"InvalidResourceId.NotFound", snapshot.CodeSnapshotNotFound},
			"nothing can be pinned, and no order can join a snapshot in progress"},
	} {
		err := one.try()
		check, known := "permission "+one.action, snapshot.AsError(err)
		switch {
		case err == nil, slices.Contains(one.codes, known.Code):
			in.ok(check, "allowed to you in "+region)
		case one.weak != "" && known.Kind == snapshot.KindConfig:
			in.warn(check, known.Code+" in "+region+": "+one.weak, known.Public())
		default:
			in.fail(check, known.Code+" in "+region, known.Public())
		}
	}
}
