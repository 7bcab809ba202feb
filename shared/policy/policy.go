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
// ${NAME} in a value is replaced after the file was parsed, so that a variable cannot add a key. A name that is unset
// or empty is a defect. No error quotes what came out of the environment.
//
// # Authorisation
//
// [Policy.Permit], [Policy.Visible] and [Policy.Pipeline] say which caller may do what. They deny whatever no rule
// grants.
package policy

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
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
	name := filepath.Base(path)
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Policy{}, Errors{{File: name, Text: "does not exist: set SNAPSHOTS_FILE to the policy, or put it into " +
			"the working directory or beside the executable. A first one:\n" + example}}
	case err != nil:
		return Policy{}, Errors{{File: name, Text: "failed to read policy: " + err.Error()}}
	}
	return parse(name, data, getenv)
}

// example is the smallest policy.
const example = `region: cn-hangzhou
targets:
  web-1:
    disk: d-bp18kjxg9ebrhsgi0001`

// Parse checks the content of a policy file; getenv looks up ${NAME}. Every error is [Errors].
func Parse(data []byte, getenv func(string) string) (Policy, error) {
	return parse(FileName, data, getenv)
}

func parse(name string, data []byte, getenv func(string) string) (Policy, error) {
	r := &reader{file: name, getenv: getenv}
	var p Policy
	if root, ok := r.document(data); ok {
		p = r.policy(root)
	}
	if len(r.errs) > 0 {
		return Policy{}, r.errs.sorted()
	}
	return p, nil
}

// file is the root of snapshots.yaml.
type file struct {
	Region      string        `yaml:"region" check:"region"`
	TimeZone    string        `yaml:"timeZone" check:"zone"`
	Schedule    field         `yaml:"schedule"`
	MaxEventAge time.Duration `yaml:"maxEventAge"`
	Deployment  string        `yaml:"deployment" check:"deployment"`
	Targets     field         `yaml:"targets"`
	Allow       field         `yaml:"allow"`
	Events      field         `yaml:"events"`
	Notify      field         `yaml:"notify"`
}

// textCheck is what a text must be, and the defect of one that is not.
type textCheck struct {
	valid  func(string) bool
	defect string
}

// checks is every check of the fields of the file, by the name in their tags.
var checks = map[string]textCheck{
	"region": {snapshot.ValidRegion, "is not a region ID: write one such as cn-hangzhou"},
	"zone": {func(name string) bool { return location(name) != nil },
		"is not a time zone: write a name of the IANA database, such as Asia/Shanghai, Europe/Berlin or UTC"},
	"deployment": {snapshot.ValidTarget, "is not a deployment's name: use 1 to 32 letters, digits, - and _"},
	"role":       {snapshot.ValidRole, "is not a role: use 1 to 32 letters, digits, - and _, the first a letter"},
	"disk":       {snapshot.ValidDisk, "is not a disk ID: write one such as d-bp18kjxg9ebrhsgi0001"},
	// The API documents no form of an instance ID; its examples are hexadecimal.
	"instance": {regexp.MustCompile(`^[\w-]{1,64}$`).MatchString,
		"is not an instance ID: write one such as 2ad1ae67295445f598017499dc0001"},
	"group":  {validGroup, "is not a resource group ID: write one such as rg-aek2bti7cf70001"},
	"sender": oneOf(senderNames()...),
	"action": oneOf(string(ActionTake), string(ActionList), string(ActionPlan), string(ActionKeep)),
	"name": {func(text string) bool { return text != "*" },
		"is a wildcard, which matches nothing here: name what you mean"},
	// ASCII, as the repositories of GitHub, GitLab and Gitee are, so that no look-alike can be meant.
	"repository": {regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+$`).MatchString,
		"is not a repository: write owner/name, without wildcards"},
	"ref": {regexp.MustCompile(`^(\*$|refs/)`).MatchString,
		"is not a full ref: write one such as refs/heads/main or refs/tags/v*, or \"*\" for all"},
	"robot": oneOf(robotForms...),
	"kind":  oneOf(notifyKinds...),
}

// oneOf returns the check of one of several words.
func oneOf(words ...string) textCheck {
	known := func(word string) bool { return slices.Contains(words, word) }
	return textCheck{known, "is none of " + strings.Join(words, ", ")}
}

// policy reads the root of the file.
func (r *reader) policy(root field) Policy {
	var f file
	r.decode(root, &f)
	r.need(root, "targets", oneTarget)
	p := Policy{Policy: snapshot.Policy{
		RegionID: f.Region, MaxEventAge: f.MaxEventAge, Deployment: f.Deployment, Location: location(f.TimeZone),
	}}
	general := r.schedule(f.Schedule, p.Location)
	targets := r.mapping(f.Targets)
	if f.Targets.isMapping() && len(f.Targets.node.Content) == 0 {
		r.fail(f.Targets, "is empty: %s", oneTarget)
	}
	for _, one := range targets {
		r.targets = append(r.targets, one.name)
		p.Targets = append(p.Targets, r.target(one, p, general))
	}
	r.checkTargets(targets, p.Targets)
	r.checkKept(general, "no target keeps: name the role under keep of a target", p.Targets...)
	for _, item := range r.list(f.Allow) {
		rule := r.allow(item)
		p.Allow = append(p.Allow, rule)
		takes, machine := slices.Contains(rule.Actions, ActionTake), rule.From == "api" || rule.From == "standard"
		r.checkRole(item, rule.Role, rule.Targets, takes, machine, p)
	}
	for _, item := range r.list(f.Events) {
		rule := r.eventRule(item)
		p.Events = append(p.Events, rule)
		r.checkRole(item, rule.Role, rule.Targets, true, false, p)
	}
	for _, item := range r.list(f.Notify) {
		p.Notify = append(p.Notify, r.notify(item))
	}
	r.checkSlots(f.Targets, targets, p)
	return p
}

const oneTarget = "name at least one disk, as in {web-1: {disk: d-bp18kjxg9ebrhsgi0001}}"
