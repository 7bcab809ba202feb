package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"swas-snapshot/shared/manifest"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
	"swas-snapshot/shared/wiring"
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
	core     *snapshot.Service
	findings []finding
}

// doctor looks at everything that a deployment needs and says how to mend what is wrong. It changes nothing.
func doctor(ctx context.Context, s *session) error {
	x := &examination{session: s}
	p, err := policy.Load(policy.Path(s.getenv), s.getenv)
	if err != nil {
		x.add("policy", err.Error(), "correct the file; README.md explains every key", err)
		return x.report()
	}
	x.add("policy", fmt.Sprintf("%d targets, %d rules under allow", len(p.Targets), len(p.Allow)), "", nil)
	core, end, err := s.core(ctx)
	if err != nil {
		x.add("client", err.Error(), "correct the environment", err)
		return x.report()
	}
	defer end()
	x.core = core
	x.credentials(ctx)
	x.clock(ctx)
	regions := x.regions()
	for _, region := range regions {
		x.permissions(ctx, region)
	}
	for _, target := range core.Policy.Targets {
		x.target(ctx, target)
	}
	x.account(p)
	x.deployment()
	x.ticks()
	x.senders()
	return x.report()
}

// add notes a finding: ok without an error, else fail.
func (x *examination) add(check, what, mend string, err error) {
	state := "ok"
	if err != nil {
		state = "fail"
	}
	x.findings = append(x.findings, finding{check, state, what, mend})
}

func (x *examination) warn(check, what, mend string) {
	x.findings = append(x.findings, finding{check, "warn", what, mend})
}

// credentials tells whose they are, as far as an access key ID tells, and whether they end by themselves.
func (x *examination) credentials(ctx context.Context) {
	if !x.live {
		x.add("credentials", "those of the simulator", "", nil)
		return
	}
	found, err := (&swas.DefaultChain{}).Credentials(ctx)
	switch id := found.AccessKeyID; {
	case err != nil:
		x.add("credentials", snapshot.AsError(err).Code, snapshot.AsError(err).Public(), err)
	case found.SecurityToken != "":
		x.add("credentials", "temporary, access key "+abbreviated(id)+"; they end by themselves, a role's within 36 hours", "", nil)
	default:
		x.add("credentials", "access key "+abbreviated(id)+"; it does not end by itself", "", nil)
	}
}

// abbreviated shows enough of an access key ID to know it again.
func abbreviated(id string) string {
	if len(id) < 12 {
		return "****"
	}
	return id[:4] + "****" + id[len(id)-4:]
}

// regions returns the regions of the policy, each once.
func (x *examination) regions() []string {
	var all []string
	for _, target := range x.core.Policy.Targets {
		region := target.RegionID
		if region == "" {
			region = x.core.Policy.RegionID
		}
		if !slices.Contains(all, region) {
			all = append(all, region)
		}
	}
	return all
}

// skewMax is how wrong this machine's clock may be: the API refuses a request that is 15 minutes off.
const skewMax = 5 * time.Minute

// clock compares this machine's clock with that of the endpoint's answer.
func (x *examination) clock(ctx context.Context) {
	if !x.live {
		return
	}
	endpoint := x.getenv("SWAS_ENDPOINT")
	if endpoint == "" && x.core.Policy.RegionID != "" {
		endpoint = "https://swas." + x.core.Policy.RegionID + ".aliyuncs.com"
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, endpoint, nil)
	if err != nil {
		x.add("endpoint", "the endpoint is no URL", "correct SWAS_ENDPOINT, or name a region in snapshots.yaml", err)
		return
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		x.add("endpoint", request.URL.Host+" does not answer", "check the region, SWAS_ENDPOINT and the network", err)
		return
	}
	_ = answer.Body.Close()
	x.add("endpoint", request.URL.Host+" answers", "", nil)
	there, err := http.ParseTime(answer.Header.Get("Date"))
	if skew := time.Since(there).Abs(); err == nil && skew > skewMax {
		x.add("clock", "this machine's clock is off by "+skew.Round(time.Second).String(), "set the clock: the API refuses requests that are 15 minutes off", errors.New("skew"))
	} else if err == nil {
		x.add("clock", "within "+skewMax.String(), "", nil)
	}
}

// nobody is the ID of things that do not exist: a call that names one changes nothing, and tells all the same whether
// it would have been allowed.
const nobody = "0000000000000000doctor"

// permissions tries each action that the functions use with IDs that do not exist.
func (x *examination) permissions(ctx context.Context, region string) {
	api := x.core.API
	tries := []struct {
		action string
		try    func() error
		absent []string // codes that say: allowed, but there is no such thing
		weak   string   // what does not work without it
	}{
		{"ListSnapshots", func() error { _, err := api.ListSnapshots(ctx, region, 1); return err }, nil, ""},
		{"ListDisks", func() error { _, err := api.ListDisks(ctx, region, 1); return err }, nil, ""},
		{"CreateSnapshot", func() error {
			_, err := api.CreateSnapshot(ctx, snapshot.Request{RegionID: region, DiskID: "d-" + nobody, SnapshotName: "swas-snapshot-doctor"})
			return err
		}, []string{snapshot.CodeDiskNotFound}, ""},
		{"DeleteSnapshot", func() error { return api.DeleteSnapshot(ctx, region, "s-"+nobody, "swas-snapshot-doctor") },
			[]string{snapshot.CodeSnapshotNotFound}, "nothing rotates"},
		{"TagResources", func() error {
			return api.TagSnapshot(ctx, region, "s-"+nobody, []snapshot.Tag{{Key: snapshot.TagKeep, Value: "no"}})
		}, []string{"InvalidResourceId.NotFound", snapshot.CodeSnapshotNotFound}, "nothing can be pinned"},
	}
	for _, one := range tries {
		err := one.try()
		known := snapshot.AsError(err)
		check := "permission " + one.action
		switch {
		case err == nil, slices.Contains(one.absent, known.Code):
			x.add(check, "allowed in "+region, "", nil)
		case one.weak != "" && known.Kind == snapshot.KindConfig:
			x.warn(check, known.Code+" in "+region+": "+one.weak, known.Public())
		default:
			x.add(check, known.Code+" in "+region, known.Public(), err)
		}
	}
}

// target looks for a target's disk and counts its slots.
func (x *examination) target(ctx context.Context, target snapshot.Target) {
	check := "target " + target.Name
	listing, err := x.core.List(ctx, target.Name)
	if err != nil {
		x.add(check, snapshot.AsError(err).Code, snapshot.AsError(err).Public(), err)
		return
	}
	result := x.core.Take(ctx, snapshot.Order{Target: target.Name, Sender: "doctor", Key: "doctor", DryRun: true})
	if result.Error != nil {
		x.add(check, result.Error.Code, result.Error.Public(), result.Error)
		return
	}
	if err := x.diskExists(ctx, result.RegionID, result.DiskID); err != nil {
		x.add(check, snapshot.AsError(err).Code+": "+result.DiskID, snapshot.AsError(err).Public(), err)
		return
	}
	wanted, single := 0, ""
	for _, slots := range target.Keep {
		wanted += slots.Count
		if slots.Count == 1 {
			single = slots.Role
		}
	}
	what := fmt.Sprintf("disk %s, %d of %d slots used, %d planned", result.DiskID, listing.Slots.Used, listing.Slots.Of, wanted)
	switch {
	case wanted == 0:
		x.warn(check, what+", no keep: nothing is ever deleted", "name the slots of each role under keep")
	case wanted == snapshot.SlotsPerServer && single != "":
		x.warn(check, what+": role "+single+" cannot rotate twice in a row, for the newest good snapshot never goes", "plan 2 slots and leave one free, or give its orders a maxAge")
	case target.MaxAge == 0:
		x.warn(check, what+", no maxAge: a missed tick goes unnoticed", "set maxAge, a little longer than the timer's interval")
	default:
		x.add(check, what, "", nil)
	}
}

// diskExists looks for a disk in the pages of its region.
func (x *examination) diskExists(ctx context.Context, region, disk string) error {
	for page, seen := 1, 0; ; page++ {
		got, err := x.core.API.ListDisks(ctx, region, page)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(got.Disks, func(one snapshot.Disk) bool { return one.ID == disk }) {
			return nil
		}
		if seen += len(got.Disks); len(got.Disks) == 0 || seen >= got.Total {
			return &snapshot.Error{Code: snapshot.CodeDiskNotFound, Kind: snapshot.KindUnknown,
				Message: "region " + region + " has no disk " + disk + ": correct the disk or its region in snapshots.yaml"}
		}
	}
}

// account compares what the policy plans with what an account holds.
func (x *examination) account(p policy.Policy) {
	wanted := 0
	for _, target := range p.Targets {
		for _, slots := range target.Keep {
			wanted += slots.Count
		}
	}
	x.add("account", fmt.Sprintf("%d slots planned; an account holds min(3 x servers, %d)", wanted, snapshot.SlotsPerUser), "", nil)
}

// deployment reads both deployment files as strictly as the platforms would.
func (x *examination) deployment() {
	root, err := sourceRoot()
	if err == nil {
		err = manifest.Check(root)
	}
	if err != nil {
		x.add("deployment", err.Error(), "correct s.yaml, template.yml or what they name", err)
		return
	}
	x.add("deployment", "s.yaml and template.yml are valid and agree", "", nil)
}

// ticks tells when the timers of s.yaml fire next, in local time.
func (x *examination) ticks() {
	timers, err := readTimers()
	if err != nil {
		x.add("timers", err.Error(), "correct s.yaml", err)
		return
	}
	for _, timer := range timers {
		x.add("timer "+timer.Name, "next at "+timer.Next(time.Now()).Local().Format("Mon 2006-01-02 15:04 MST"), "", nil)
	}
}

// senderSecrets are the variables that let somebody in over HTTP.
var senderSecrets = []string{
	"API_TOKEN", "WEBHOOK_SECRET", "SLACK_SIGNING_SECRET", "DINGTALK_APP_SECRET", "FEISHU_ENCRYPT_KEY", "FEISHU_VERIFICATION_TOKEN",
	"WECOM_TOKEN", "WECOM_AES_KEY", "TEAMS_TOKEN", "GITHUB_WEBHOOK_SECRET", "GITLAB_SIGNING_TOKEN", "GITLAB_TOKEN", "GITEE_SECRET",
}

// senders tells which secrets are set; a short one switches its sender off.
func (x *examination) senders() {
	for _, name := range senderSecrets {
		switch {
		case x.getenv(name) == "":
		case wiring.Secrets(x.getenv, name) == nil:
			x.warn("secret "+name, "is shorter than 16 bytes: its sender is off", "set a longer one, such as the output of openssl rand -hex 32")
		default:
			x.add("secret "+name, "set", "", nil)
		}
	}
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
