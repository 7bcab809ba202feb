// Command schema checks the deployment files against the schemas of the platforms:
//
//	(cd .ci/schema && go run . ../..)
//
// The schema of template.yml comes with the Go module goformation. That of s.yaml is in no package; it is taken from
// ../shared/data beside the repository, where that is. A check that does not run is reported.
//
// The schemas know the keys and types of all resources; shared/deploy knows what our code needs. The command is a
// module of its own, so that neither library is a dependency of the project.
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/awslabs/goformation/v7/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . FOLDER_OF_THE_REPOSITORY")
		os.Exit(2)
	}
	root := os.Args[1]
	data := filepath.Join(root, "..", "shared", "data", "fc3.schema.json")
	err := errors.Join(
		checkFC(filepath.Join(root, "s.yaml"), data, os.Stdout),
		checkSAM(filepath.Join(root, "template.yml"), os.Stdout))
	if err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

// triggerConfigs are the definitions for triggerConfig by triggerType. The schema itself takes any object there.
var triggerConfigs = map[string]string{"timer": "ITimerTriggerConfig", "http": "IHttpTriggerConfig"}

// checkFC checks the props of each resource of s.yaml, and the configuration of each trigger by its type.
func checkFC(path, schemaPath string, out io.Writer) error {
	content, err := os.ReadFile(schemaPath)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(out, "FC schema: not checked, %s is not here\n", schemaPath)
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to read the schema: %w", err)
	}
	fc, err := newChecker(string(content))
	if err != nil {
		return err
	}
	root, err := read(path)
	if err != nil {
		return err
	}
	vars, _ := root["vars"].(map[string]any)
	resources, _ := root["resources"].(map[string]any)
	if len(resources) == 0 {
		return fmt.Errorf("%s has no resources", path)
	}
	var all []error
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		one, _ := resources[name].(map[string]any)
		props, _ := resolveVars(one["props"], vars).(map[string]any)
		all = append(all, fc.check(path+": "+name, "", props))
		triggers, _ := props["triggers"].([]any)
		for _, trigger := range triggers {
			fields, _ := trigger.(map[string]any)
			kind, _ := fields["triggerType"].(string)
			// Of an eventbridge trigger, the schema asks for what only some of its sources have.
			if definition, ok := triggerConfigs[kind]; ok {
				all = append(all, fc.check(fmt.Sprintf("%s: %s: %v", path, name, fields["triggerName"]), definition,
					fields["triggerConfig"]))
			}
		}
		fmt.Fprintf(out, "FC schema: %s: the props and %d triggers of %s\n", path, len(triggers), name)
	}
	return errors.Join(all...)
}

// patch is a merge patch (RFC 7396) of the schema in goformation: what AWS SAM has and the schema does not know.
//
//go:embed sam.patch.json
var patch string

// checkSAM checks the template, and each resource by its type.
func checkSAM(path string, out io.Writer) error {
	sam, err := newChecker(schema.SamSchema, patch)
	if err != nil {
		return err
	}
	// The schema takes a resource of any type: a thousand reasons for one mistake, and half a minute.
	sam.schema["properties"].(map[string]any)["Resources"] = map[string]any{"type": "object"}
	root, err := read(path)
	if err != nil {
		return err
	}
	all := []error{sam.check(path, "", root)}
	globals, _ := root["Globals"].(map[string]any)
	resources, _ := root["Resources"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(resources)) {
		resource, _ := resources[name].(map[string]any)
		kind, _ := resource["Type"].(string)
		if kind == "AWS::Serverless::Function" {
			resource["Properties"] = merge(globals["Function"], resource["Properties"])
		}
		all = append(all, sam.check(path+": "+name, kind, resource))
	}
	fmt.Fprintf(out, "SAM schema: %s: %d resources\n", path, len(resources))
	return errors.Join(all...)
}

// checker checks values against one schema.
type checker struct {
	schema   map[string]any
	compiler *jsonschema.Compiler
}

const location = "mem:///schema.json"

// newChecker reads a schema and applies patches to it.
func newChecker(text string, patches ...string) (*checker, error) {
	whole, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	for _, one := range patches {
		var change any
		if err == nil {
			change, err = jsonschema.UnmarshalJSON(strings.NewReader(one))
			whole = merge(whole, change)
		}
	}
	object, ok := whole.(map[string]any)
	if err != nil || !ok {
		return nil, fmt.Errorf("failed to read a schema: %w", err)
	}
	delete(object, "$id") // goformation's is that of JSON Schema itself
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(expression)
	if err := compiler.AddResource(location, object); err != nil {
		return nil, fmt.Errorf("failed to read a schema: %w", err)
	}
	return &checker{object, compiler}, nil
}

// check checks a value against a definition, or against the root for "". Its errors begin with the name of the value.
func (c *checker) check(name, definition string, value any) error {
	url := location
	if definition != "" {
		url += "#/definitions/" + definition
	}
	compiled, err := c.compiler.Compile(url)
	if err != nil {
		return fmt.Errorf("%s: failed to compile the schema of %s: %w", name, definition, err)
	}
	if err := compiled.Validate(value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// merge applies a merge patch to a value and returns the result.
func merge(value, change any) any {
	fields, ok := change.(map[string]any)
	if !ok {
		return change
	}
	old, _ := value.(map[string]any)
	merged := maps.Clone(old)
	if merged == nil {
		merged = make(map[string]any)
	}
	for name, one := range fields {
		if one == nil {
			delete(merged, name)
		} else {
			merged[name] = merge(merged[name], one)
		}
	}
	return merged
}

// otherThan is the one pattern of the schemas that package regexp does not know: text that does not begin so.
type otherThan struct{ pattern, prefix string }

func (o otherThan) MatchString(text string) bool {
	return text != "" && !strings.HasPrefix(text, o.prefix)
}

func (o otherThan) String() string { return o.pattern }

// expression compiles a pattern of a schema.
func expression(pattern string) (jsonschema.Regexp, error) {
	if inside, ok := strings.CutPrefix(pattern, "^(?!"); ok {
		if prefix, ok := strings.CutSuffix(inside, ").+$"); ok && prefix == regexp.QuoteMeta(prefix) {
			return otherThan{pattern, prefix}, nil
		}
	}
	return regexp.Compile(pattern)
}

// read returns a YAML file as JSON would have it. A reference of a template is replaced by its parameter's default,
// else by a text.
func read(path string) (map[string]any, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("failed to read the file: %w", err)
	}
	var file struct {
		Parameters map[string]struct {
			Default any `yaml:"Default"`
		} `yaml:"Parameters"`
	}
	var node yaml.Node
	var value any
	err = yaml.Unmarshal(content, &node)
	if err == nil {
		err = node.Decode(&file)
	}
	if err == nil {
		err = resolveRefs(&node, func(name string) any { return file.Parameters[name].Default })
	}
	if err == nil {
		err = node.Decode(&value)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to parse %s: %w", path, err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("failed to convert %s: %w", path, err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("failed to convert %s: %w", path, err)
	}
	return root, nil
}

// resolveRefs replaces each !Ref below a node by what lookup returns for its name, unless that is nil.
func resolveRefs(node *yaml.Node, lookup func(name string) any) error {
	for _, child := range node.Content {
		if err := resolveRefs(child, lookup); err != nil {
			return err
		}
	}
	if value := lookup(node.Value); node.Tag == "!Ref" && value != nil {
		return node.Encode(value)
	}
	return nil
}

var wholeVar = regexp.MustCompile(`^\$\{vars\.(\w+)\}$`)

// resolveVars replaces ${vars.name} where it is a whole value; inside of text it is text anyhow.
func resolveVars(value any, vars map[string]any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, one := range value {
			value[name] = resolveVars(one, vars)
		}
	case []any:
		for i, one := range value {
			value[i] = resolveVars(one, vars)
		}
	case string:
		if found := wholeVar.FindStringSubmatch(value); found != nil {
			return vars[found[1]]
		}
	}
	return value
}
