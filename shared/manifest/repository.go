package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/strictyaml"
)

// names of the files that Check reads, in the folder of the repository.
const (
	fcFile  = "s.yaml"
	samFile = "template.yml"
	readme  = "README.md"
)

// awsOnly are the variables that Function Compute does not need: its role gives credentials and a region.
var awsOnly = []string{"ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_SECRET_ID"}

// general are the variables of every function, or of none; all others of the README's table are of the HTTP function.
var general = regexp.MustCompile(`^(SNAPSHOT|SNAPSHOTS|SWAS|ALIBABA_CLOUD)_`)

// comparison is the two files, and what they have to agree with.
type comparison struct {
	root      string
	policyAt  string            // the policy file
	documents []*document       // of s.yaml and of template.yml
	variables []string          // of the README's table
	errs      strictyaml.Errors // of no deployment file
}

// Check reads s.yaml and template.yml in the folder of the repository and holds them to their own rules, to each other and
// to the rest: the folders under functions, the roles and events of the policy file, and the README's table of variables.
// The error is [strictyaml.Errors], nil if there is none.
func Check(root, policyFile string) error {
	c, fc, sam := compare(root, policyFile)
	if len(fc.Functions) > 0 && len(sam.Functions) > 0 {
		c.functions(fc, sam)
	}
	c.policy(fc, sam)
	c.readme(fc, sam)
	return c.found()
}

// CheckPolicy reads the same files for what a policy file asks of them alone: the sweep, no timer for a role that it does
// not keep, rules for the events that they let through, the variables that it names. The error is [strictyaml.Errors],
// nil if there is none.
func CheckPolicy(root, policyFile string) error {
	c, fc, sam := compare(root, policyFile)
	for _, d := range c.documents {
		d.errs = nil
	}
	c.policy(fc, sam)
	return c.found()
}

// compare reads both files.
func compare(root, policyFile string) (c *comparison, fc, sam *Deployment) {
	fcDocument, fc := readFC(filepath.Join(root, fcFile))
	samDocument, sam := readSAM(filepath.Join(root, samFile))
	return &comparison{root: root, policyAt: policyFile, documents: []*document{fcDocument, samDocument}, variables: variables(root)}, fc, sam
}

// found returns every defect, of both files and of others.
func (c *comparison) found() error {
	all := c.errs
	for _, d := range c.documents {
		all = append(all, d.errs...)
	}
	return all.Err()
}

// fail reports a defect of a file that is no deployment file.
func (c *comparison) fail(file, format string, args ...any) {
	c.errs = append(c.errs, strictyaml.Error{File: file, Defect: fmt.Sprintf(format, args...)})
}

// functions reports functions and variables that only one file has.
func (c *comparison) functions(fc, sam *Deployment) {
	folders, err := filepath.Glob(filepath.Join(c.root, "functions", "*", "main.go"))
	if err != nil || folders == nil {
		c.fail("functions", "has no folder with a main.go")
	}
	var names []string
	for _, folder := range folders {
		names = append(names, filepath.Base(filepath.Dir(folder)))
	}
	for _, pair := range []struct {
		d           *document
		mine, other *Deployment
	}{{c.documents[0], fc, sam}, {c.documents[1], sam, fc}} {
		for _, function := range pair.mine.Functions {
			twin, ok := pair.other.function(function.Name)
			switch {
			case !slices.Contains(names, function.Name):
				pair.d.fail(function.at, "has no folder functions/%s with a main.go: there is %s", function.Name, strings.Join(names, ", "))
			case !ok:
				pair.d.fail(function.at, "is a function that %s does not have: add it there", pair.other.File)
			case pair.mine == sam && twin.deployed != function.deployed:
				pair.d.fail(function.at, "is deployed as %s, and in %s as %s: give it the same name, which README.md uses", quoted(function.deployed), pair.other.File, quoted(twin.deployed))
			}
			for _, name := range function.Environment {
				if ok && !slices.Contains(twin.Environment, name) && !slices.Contains(awsOnly, name) {
					pair.d.fail(function.env[name], "is a variable that function %s of %s does not have: add it there", function.Name, pair.other.File)
				}
			}
		}
	}
}

// policy holds timers and bus triggers to the policy file.
func (c *comparison) policy(both ...*Deployment) {
	var used []string
	p, err := policy.Load(c.policyAt, func(name string) string {
		used = append(used, name)
		return "https://example.com/" + name // any value will do here; the deployed function has its own
	})
	if err != nil {
		c.fail(policy.FileName, "is wrong, so that nothing can be compared with it: %v", err)
		return
	}
	for i, deployment := range both {
		d, swept := c.documents[i], false
		for _, timer := range deployment.Timers() {
			swept = swept || timer.Tick.Role == ""
			if timer.Tick.Role != "" && !slices.ContainsFunc(p.Targets, func(t snapshot.Target) bool { return reaches(timer.Tick, t) }) {
				d.fail(timer.at, "names the role %s, which no target of %s keeps: correct it, or add the role there", quoted(timer.Tick.Role), policy.FileName)
			}
		}
		if len(deployment.Functions) > 0 && !swept {
			d.fail(place{}, `has no timer with the payload {"sweep":true}: nothing that is due would be taken, nothing surplus deleted`)
		}
		for _, one := range deployment.sources {
			vendor := strings.HasPrefix(one.event.Source, "acs.") || strings.HasPrefix(one.event.Source, "aws.")
			if vendor && len(p.Orders(one.event)) == 0 { // others carry an order of their own
				d.fail(one.at, "lets %s of %s through, for which %s has no rule under events: narrow it, or add one", one.event.Type, one.event.Source, policy.FileName)
			}
		}
		for _, function := range deployment.Functions {
			for _, name := range used {
				if _, ok := function.env[name]; !ok {
					d.fail(function.at, "has no variable %s, which %s uses: add it", name, policy.FileName)
				}
			}
		}
		c.known(d, deployment, used)
	}
}

// reaches reports whether a tick makes its role due at a target: one whose keep names the role, or one without keep that
// the tick names.
func reaches(tick snapshot.Tick, target snapshot.Target) bool {
	named := slices.Contains(tick.Targets, target.Name)
	keeps := slices.ContainsFunc(target.Keep, func(s snapshot.Slots) bool { return s.Role == tick.Role })
	return keeps && (named || tick.Targets == nil) || named && len(target.Keep) == 0
}

// known reports variables that no function reads.
func (c *comparison) known(d *document, deployment *Deployment, used []string) {
	for _, function := range deployment.Functions {
		for name, at := range function.env {
			if !slices.Contains(c.variables, name) && !slices.Contains(used, name) {
				d.fail(at, "is a variable that nothing reads: use one of the table in %s", readme)
			}
		}
	}
}

// readme reports the variables of the README's table that the HTTP function should have and does not.
func (c *comparison) readme(both ...*Deployment) {
	if len(c.variables) == 0 {
		c.fail(readme, "has no table of variables: its rows begin | `NAME` |")
	}
	for i, deployment := range both {
		function, ok := deployment.function("http")
		for _, name := range c.variables {
			if _, has := function.env[name]; ok && !has && !general.MatchString(name) {
				c.documents[i].fail(function.at, "has no variable %s, which the table in %s names: add it", name, readme)
			}
		}
	}
}

// row is a row of the README's table of variables.
var row = regexp.MustCompile("^\\| `([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)` \\|")

// variables returns the names in the README's table of variables, under Settings; none if there is no such file or table.
func variables(root string) []string {
	data, err := os.ReadFile(filepath.Join(root, readme))
	if err != nil {
		return nil
	}
	var names []string
	_, section, _ := strings.Cut(string(data), "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if found := row.FindStringSubmatch(line); found != nil {
			names = append(names, found[1])
		}
	}
	return names
}
