// Package deploy reads the deployment files of this project, s.yaml for Function Compute and template.yml for AWS
// Lambda, and finds what would break the functions before anything is deployed.
//
// For most callers [Check] is all there is. [ReadFC] and [ReadSAM] return the timers of one file:
//
//	file, err := deploy.ReadFC("s.yaml")
//	for _, timer := range file.Timers { ... timer.Next(time.Now()) ... }
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

// Defect is one thing that is wrong in a deployment file. It is an error.
type Defect struct {
	File    string // name, without its folder
	Line    int    // from 1; 0 if it is about the file as a whole
	Message string // what is wrong and what to write; never the value of a variable

	// Warning is true where the functions work without a correction: the file and the policy do not fit together, so
	// that either may be corrected, or something is only likely to be a mistake.
	Warning bool
}

// Error returns "s.yaml:7: ...", or "s.yaml: ..." without a line.
func (d Defect) Error() string {
	if d.Line == 0 {
		return d.File + ": " + d.Message
	}
	return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message)
}

// File is what a deployment file says about the three functions.
type File struct {
	Name   string  // without its folder
	Timers []Timer // those that are switched on and whose times can be read

	functions []functionEntry // those of timer, http and event that the file has
	sweeps    bool            // whether a timer sends what may be a sweep
	sources   []source
	defects   []Defect
}

// ReadFC reads s.yaml at path. The error joins each [Defect] that would break the functions, or wraps [fs.ErrNotExist].
// The file is never nil, and holds what could be read.
func ReadFC(path string) (*File, error) { return read(path, (*File).readFC) }

// ReadSAM reads template.yml at path, as [ReadFC] does s.yaml.
func ReadSAM(path string) (*File, error) { return read(path, (*File).readSAM) }

// Check reads s.yaml and template.yml in the folder root and compares them with the policy file. It returns what it
// finds, sorted by file and line. One of the two deployment files may be missing: its platform is not used.
func Check(root, policyFile string) []Defect {
	fc, errFC := ReadFC(filepath.Join(root, FCFile))
	sam, errSAM := ReadSAM(filepath.Join(root, SAMFile))
	if errors.Is(errFC, fs.ErrNotExist) && errors.Is(errSAM, fs.ErrNotExist) {
		return []Defect{{File: FCFile, Message: "does not exist, nor does " + SAMFile + ": restore one of them"}}
	}
	all := append(fc.compare(policyFile), sam.compare(policyFile)...)
	slices.SortFunc(all, func(a, b Defect) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Message, b.Message))
	})
	return slices.Compact(all)
}

// compare returns the defects of the file itself, and where it does not fit the policy.
func (f *File) compare(policyFile string) []Defect {
	if len(f.functions) == 0 {
		return f.defects
	}
	var used []string
	p, err := policy.Load(policyFile, func(name string) string {
		used = append(used, name)
		return "https://example.com/" + name // the deployed function has its own value
	})
	if err != nil {
		return append(f.defects, Defect{File: policy.FileName, Warning: true,
			Message: "is wrong, so that the deployment files cannot be compared with it: " + err.Error()})
	}
	f.compareTimers(p)
	f.compareSources(p)
	f.compareVariables(p, used)
	return f.defects
}

// fail adds a defect that would break the functions.
func (f *File) fail(line int, format string, args ...any) {
	f.defects = append(f.defects, Defect{f.Name, line, fmt.Sprintf(format, args...), false})
}

// warn adds a warning.
func (f *File) warn(line int, format string, args ...any) {
	f.defects = append(f.defects, Defect{f.Name, line, fmt.Sprintf(format, args...), true})
}
