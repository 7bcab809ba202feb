// Package policy reads snapshots.yaml: what to protect, how many snapshots of it to keep, who may ask for one over
// HTTP, which bus events cause one, and who is told.
//
// For most callers [Load] with [Path] is all there is:
//
//	p, err := policy.Load(policy.Path(os.Getenv), os.Getenv)
//
// # Errors
//
// The file is refused as a whole, with every defect at once as [Errors], each with its line, its field and what mends
// it. Unknown and doubled keys, anchors, aliases, merge keys, tags and second documents are defects: a policy that says
// something else to a reader than to the program is worse than none. A policy whose slots cannot fit into a server or
// into the account is refused with the sum written out.
//
// # Environment
//
// ${NAME} in a value is replaced after the file was parsed, so that a variable cannot add a key. A name that is unset or
// empty is a defect. No error quotes what came out of the environment.
//
// # Authorisation
//
// [Policy.Permit], [Policy.Visible] and [Policy.Pipeline] answer who may do what. They deny whatever no rule grants.
package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/snapshot"
)

// FileName is the name of the policy file where SNAPSHOTS_FILE names no other.
const FileName = "snapshots.yaml"

// SizeMax is the size of a policy file in bytes, at most: far more than an account's 15 slots need.
const SizeMax = 1 << 20

// Policy is the whole of snapshots.yaml, checked. What the core needs of it is the embedded [snapshot.Policy].
type Policy struct {
	snapshot.Policy
	Allow  []Allow     // who may ask over HTTP, in the order of the file
	Events []EventRule // which bus events cause a snapshot, in the order of the file
	Notify []Notify    // who is told what, in the order of the file
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
// is missing, unreadable or larger than [SizeMax] included.
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

// read returns the content of the file. Its error says what to mend, and nothing of the place but the path.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("does not exist: set SNAPSHOTS_FILE to the policy, or put it into the working directory or beside the executable. A first one:\n" + example)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to open policy: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, SizeMax+1))
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
		return Policy{}, r.errs.sorted()
	}
	return p, nil
}

// document parses the one document of the file.
func (r *reader) document(data []byte) (place, bool) {
	if len(data) > SizeMax {
		r.errs = append(r.errs, Error{File: FileName, Defect: fmt.Sprintf("is larger than %d bytes: a policy of 15 slots needs far less", SizeMax)})
		return place{}, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.errs = append(r.errs, emptyFile)
		return place{}, false
	case err != nil:
		r.errs = append(r.errs, syntaxError(data, err))
		return place{}, false
	}
	root := place{node: document.Content[0], line: document.Content[0].Line}
	if root.node.Tag == "!!null" {
		r.errs = append(r.errs, emptyFile)
		return place{}, false
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.fail(place{line: second.Line}, "begins a second document: keep one policy in the file")
	case !errors.Is(err, io.EOF):
		r.errs = append(r.errs, syntaxError(data, err))
	}
	r.refuseIndirection(root)
	return root, true
}

var emptyFile = Error{File: FileName, Defect: "is empty: begin with\n" + example}

// syntaxError turns an error of the parser into one at the line that broke the file.
func syntaxError(data []byte, err error) Error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.HasPrefix(text, "line ") { // often that of the mapping around the defect
		_, text, _ = strings.Cut(text, ": ")
	}
	return Error{File: FileName, Line: brokenLine(data), Defect: "is not YAML: " + text}
}

// bytesTried limits the work that goes into finding the line of a defect, for a file that is no policy at all.
const bytesTried = 4 << 20

// brokenLine returns the line after the longest part of the file that the parser takes: the first line that is wrong,
// or on which the bracket or quote begins that is never closed. It returns 0 if the file is too long to find it.
func brokenLine(data []byte) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	end, tried := len(data), 0
	for n := len(lines); n > 1; n-- {
		end -= len(lines[n-1])
		tried += end
		switch {
		case tried > bytesTried:
			return 0
		case parses(data[:end]):
			return n
		}
	}
	return 1
}

// parses tells whether data is YAML, of any number of documents.
func parses(data []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var node yaml.Node
		if err := decoder.Decode(&node); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// policy reads the root of the file.
func (r *reader) policy(root place) Policy {
	var p Policy
	keys, ok := r.fields(root, "region", "maxEventAge", "targets", "allow", "events", "notify")
	if !ok {
		return p
	}
	p.RegionID = r.region(keys)
	p.MaxEventAge = r.duration(keys, "maxEventAge", positive)
	p.Targets = r.targets(keys, p.RegionID)
	known := keys.names("targets")
	if list, ok := keys.get("allow"); ok {
		for _, item := range r.list(list) {
			p.Allow = append(p.Allow, r.allow(item, known))
		}
	}
	if list, ok := keys.get("events"); ok {
		for _, item := range r.list(list) {
			p.Events = append(p.Events, r.eventRule(item, known))
		}
	}
	if list, ok := keys.get("notify"); ok {
		for _, item := range r.list(list) {
			p.Notify = append(p.Notify, r.notify(item))
		}
	}
	return p
}
