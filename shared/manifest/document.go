package manifest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/strictyaml"
)

// sizeMax is the size of a deployment file in bytes, at most: a CloudFormation template that is not on S3 may have 51,200.
// Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const sizeMax = 51200

type (
	place = strictyaml.Place
	entry = strictyaml.Entry
)

// document is a deployment file under examination. Its methods collect defects and never stop at the first.
type document struct {
	file    string
	root    place
	errs    strictyaml.Errors
	origins map[*yaml.Node]place    // of a value that came through a reference: where it is written
	refs    map[*yaml.Node]resource // of a reference to a resource: to which
}

// load reads a file and refuses YAML that means something else than it seems to. tags are the tags that the file may use.
// The second result is false if there is nothing to go on with.
func load(path string, tags ...string) (*document, bool) {
	d := newDocument(filepath.Base(path))
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.fail(place{}, "does not exist")
		return d, false
	case err != nil:
		d.fail(place{}, "cannot be read: %v", errors.Unwrap(err))
		return d, false
	}
	return d, d.parse(data, tags)
}

func newDocument(file string) *document {
	return &document{
		file:    file,
		origins: make(map[*yaml.Node]place),
		refs:    make(map[*yaml.Node]resource),
	}
}

// parse reads the one YAML document in data.
func (d *document) parse(data []byte, tags []string) bool {
	if len(data) > sizeMax {
		d.fail(place{}, "has %d bytes: at most %d are allowed", len(data), sizeMax)
		return false
	}
	root, wrong := strictyaml.Parse(d.file, data, tags...)
	d.root, d.errs = root, append(d.errs, wrong...)
	switch {
	case !root.Exists() && len(wrong) == 0:
		d.fail(place{}, "is empty")
	case !root.Exists():
	case root.Node.Kind != yaml.MappingNode:
		d.fail(root, "is %s: write keys with values", root.Kind())
	default:
		return true
	}
	return false
}

// fail reports a defect at a place, or where the value comes from if a reference stands there.
func (d *document) fail(at place, format string, args ...any) {
	at = d.written(at)
	d.errs = append(d.errs, strictyaml.Error{File: d.file, Line: at.Line, Field: at.Path, Defect: fmt.Sprintf(format, args...)})
}

// written is where the value of a place is written.
func (d *document) written(at place) place {
	if origin, ok := d.origins[at.Node]; ok && at.Node != nil {
		return origin
	}
	return at
}
