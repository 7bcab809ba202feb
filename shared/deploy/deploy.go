// Package deploy reads the deployment files of this project, s.yaml for Function Compute and template.yml for AWS
// Lambda, and finds what would break the functions before anything is deployed.
//
// For most callers [Check] is all there is. [ReadFC] and [ReadSAM] return the timers of one file:
//
//	deployment, err := deploy.ReadFC("s.yaml")
//	for _, timer := range deployment.Timers { ... timer.Next(time.Now()) ... }
//
// Only the keys that concern our own code are read, and only our three functions. Every other key and resource is the
// platform's business: .ci/schema checks the files against the schemas of the vendors, and the platforms do so again.
//
// # References
//
// A reference to a value of the same file is replaced by the value: ${vars.region} in s.yaml, and !Ref Region in
// template.yml if the parameter has a Default. What is known only at deployment, such as ${env('NAME')} or !GetAtt, is
// taken for any text.
//
// The deployed functions do not import this package.
package deploy

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"swas-snapshot/shared/policy"
)

// FCFile and SAMFile are the names of the deployment files.
const (
	FCFile  = "s.yaml"       // of Serverless Devs, for Function Compute
	SAMFile = "template.yml" // of the AWS Serverless Application Model, for Lambda
)

// Finding is one thing that is wrong in a deployment file.
type Finding struct {
	File    string // name, without its folder
	Line    int    // from 1; 0 if it is about the file as a whole
	Message string // what is wrong and what to write; never the value of a variable

	// Warning is true where the functions work without a correction: the file and the policy do not fit together, so
	// that either may be corrected, or something is only likely to be a mistake.
	Warning bool
}

// String returns "s.yaml:7: ...", or "s.yaml: ..." without a line.
func (f Finding) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}

// Findings is the error of [ReadFC] and [ReadSAM].
type Findings []Finding

// Error returns the findings, one a line.
func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Deployment is what a deployment file says about the three functions.
type Deployment struct {
	File   string  // name, without its folder
	Timers []Timer // those that are switched on, in the order of the file (by name in template.yml)

	functions []function // those of timer, http and event that the file has
	sweeps    bool       // whether a timer sends what may be a sweep
	sources   []source
	findings  Findings
}

// ReadFC reads s.yaml at path. The error is [Findings] with everything that would break the functions, or wraps
// [fs.ErrNotExist]. The deployment is never nil, and holds what could be read.
func ReadFC(path string) (*Deployment, error) { return read(path, (*Deployment).readFC) }

// ReadSAM reads template.yml at path, as [ReadFC] does s.yaml.
func ReadSAM(path string) (*Deployment, error) { return read(path, (*Deployment).readSAM) }

// Check reads s.yaml and template.yml in the folder root and compares them with the policy file. It returns what it
// finds, sorted by file and line. A deployment file that does not exist is not used, and is not compared; one of the two
// must exist.
func Check(root, policyFile string) []Finding {
	fc, errFC := ReadFC(filepath.Join(root, FCFile))
	sam, errSAM := ReadSAM(filepath.Join(root, SAMFile))
	if errors.Is(errFC, fs.ErrNotExist) && errors.Is(errSAM, fs.ErrNotExist) {
		return []Finding{{File: FCFile, Message: "does not exist, nor does " + SAMFile + ": restore one of them"}}
	}
	all := append(fc.compare(policyFile), sam.compare(policyFile)...)
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(all)
}

// compare returns the findings of the file itself, and where it does not fit the policy.
func (d *Deployment) compare(policyFile string) []Finding {
	if len(d.functions) == 0 {
		return d.findings
	}
	var used []string
	p, err := policy.Load(policyFile, func(name string) string {
		used = append(used, name)
		return "https://example.com/" + name // the deployed function has its own value
	})
	if err != nil {
		return append(d.findings, Finding{File: policy.FileName, Warning: true,
			Message: "is wrong, so that the deployment files cannot be compared with it: " + err.Error()})
	}
	d.compareTimers(p)
	d.compareSources(p)
	d.compareVariables(p, used)
	return d.findings
}

func (d *Deployment) fail(line int, format string, args ...any) {
	d.findings = append(d.findings, Finding{d.File, line, fmt.Sprintf(format, args...), false})
}

func (d *Deployment) warn(line int, format string, args ...any) {
	d.findings = append(d.findings, Finding{d.File, line, fmt.Sprintf(format, args...), true})
}
