// Package policy reads snapshots.yaml: what to protect, how many snapshots of it to keep, when each is due, which
// callers may order one over HTTP, which bus events order one, and where notifications go.
//
// For most callers [Load] with [Path] is all there is:
//
//	p, err := policy.Load(policy.Path(os.Getenv), os.Getenv)
//
// # Errors
//
// The file is refused as a whole, with every defect at once as [Errors], each with its line, its field and how to
// correct it. Unknown and doubled keys, anchors, aliases, merge keys, tags and second documents are defects: a policy
// that says something else to a reader than to the program is worse than none. So are slots that do not fit into a
// server or into the account, a schedule that never fires, and a rule whose callers have no role to take.
//
// # Environment
//
// ${NAME} in a value is replaced after the file was parsed, so that a variable cannot add a key. A name that is unset or
// empty is a defect. No error quotes what came out of the environment.
//
// # Authorisation
//
// [Policy.Permit], [Policy.Visible] and [Policy.Pipeline] say which caller may do what. They deny whatever no rule
// grants.
package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/strictyaml"
)

// FileName is the name of the policy file where SNAPSHOTS_FILE names no other.
const FileName = "snapshots.yaml"

// sizeMax is the size of a policy file in bytes, at most: far more than an account's 15 slots need.
const sizeMax = 1 << 20

// Policy is the whole of snapshots.yaml, checked. What the core needs of it is the embedded [snapshot.Policy].
type Policy struct {
	snapshot.Policy
	Allow  []Allow     // what callers may do over HTTP, in the order of the file
	Events []EventRule // which bus events order a snapshot, in the order of the file
	Notify []Notify    // where notifications go, in the order of the file
}

// Path returns where the policy is: SNAPSHOTS_FILE if it is set, else snapshots.yaml in the working directory, else
// beside the executable. If it is nowhere, Path returns the first place, so that [Load] says what is missing.
func Path(getenv func(string) string) string {
	if path := getenv("SNAPSHOTS_FILE"); path != "" {
		return path
	}
	if executable, err := os.Executable(); err == nil && !exists(FileName) {
		if beside := filepath.Join(filepath.Dir(executable), FileName); exists(beside) {
			return beside
		}
	}
	return FileName
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Load reads and checks the policy file at path; getenv looks up ${NAME}. Every error is [Errors], those of a file that
// is missing, unreadable or larger than 1 MiB included.
func Load(path string, getenv func(string) string) (Policy, error) {
	data, err := read(path)
	if err != nil {
		return Policy{}, Errors{{File: filepath.Base(path), Defect: err.Error()}}
	}
	p, err := Parse(data, getenv)
	var wrong Errors
	if errors.As(err, &wrong) {
		for i := range wrong {
			wrong[i].File = filepath.Base(path)
		}
	}
	return p, err
}

// read returns the content of the file. Its error says what to do.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("does not exist: set SNAPSHOTS_FILE to the policy, or put it into the working directory or beside the executable. A first one:\n" + example)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to open policy: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, sizeMax+1))
	if err != nil {
		return nil, fmt.Errorf("failed to read policy: %w", err)
	}
	return data, nil
}

// example is the smallest policy, for those who have none yet.
const example = `region: cn-hangzhou
targets:
  web-1:
    disk: d-bp18kjxg9ebrhsgi0001`

// Parse checks the content of a policy file; getenv looks up ${NAME}. Every error is [Errors].
func Parse(data []byte, getenv func(string) string) (Policy, error) {
	r := &reader{getenv: getenv}
	var p Policy
	if root, ok := r.document(data); ok {
		p = r.policy(root)
	}
	if len(r.errs) > 0 {
		return Policy{}, Errors(r.errs.Sorted())
	}
	return p, nil
}

// document parses the one document of the file.
func (r *reader) document(data []byte) (place, bool) {
	if len(data) > sizeMax {
		r.fail(place{}, "is larger than %d bytes: a policy of 15 slots needs far less", sizeMax)
		return place{}, false
	}
	root, wrong := strictyaml.Parse(FileName, data)
	r.errs = append(r.errs, wrong...)
	if !root.Exists() && len(wrong) == 0 {
		r.fail(place{}, "is empty: begin with\n%s", example)
	}
	return root, root.Exists()
}

// policy reads the root of the file.
func (r *reader) policy(root place) Policy {
	var p Policy
	keys, ok := r.fields(root, "region", "timeZone", "schedule", "maxEventAge", "deployment", "targets",
		"allow", "events", "notify")
	if !ok {
		return p
	}
	p.RegionID = r.region(keys)
	p.MaxEventAge = r.duration(keys, "maxEventAge", positive)
	p.Deployment = r.optional(keys, "deployment", snapshot.ValidTarget,
		"is not a deployment's name: use 1 to 32 letters, digits, - and _")
	p.Location = r.zone(keys)
	general := r.schedule(keys, p.Location)
	p.Targets = r.targets(keys, p.RegionID, p.Location, general)
	r.checkSchedule(general, p.Targets)
	known := keys.names("targets")
	if list, ok := keys.get("allow"); ok {
		for _, item := range r.list(list) {
			rule := r.allow(item, known)
			p.Allow = append(p.Allow, rule)
			r.checkRole(item, rule.Role, rule.Targets, slices.Contains(rule.Actions, ActionTake), rule.From == "api" || rule.From == "standard", p)
		}
	}
	if list, ok := keys.get("events"); ok {
		for _, item := range r.list(list) {
			rule := r.eventRule(item, known)
			p.Events = append(p.Events, rule)
			r.checkRole(item, rule.Role, rule.Targets, true, false, p)
		}
	}
	r.checkSlots(root.Get("targets"), p)
	if list, ok := keys.get("notify"); ok {
		for _, item := range r.list(list) {
			p.Notify = append(p.Notify, r.notify(item))
		}
	}
	return p
}
