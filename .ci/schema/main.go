// Command schema checks the deployment files against the platforms' own JSON schemas, where these are at hand:
//
//	(cd .ci/schema && go run . ../../s.yaml ../../template.yml ../../../shared/data)
//
// The schemas are lax; shared/manifest is the strict check. This one tells whether both speak of the same format. It is a
// module of its own, so that the library for schemas is no dependency of the project.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

const usage = "usage: go run . S_YAML TEMPLATE_YML FOLDER_OF_SCHEMAS"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New(usage)
	}
	data := args[2]
	if _, err := os.Stat(data); errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(out, "schema: %s is not here, nothing was checked\n", data)
		return nil
	}
	return errors.Join(checkFC(args[0], data, out), checkSAM(args[1], data, out))
}

// triggerConfigs are the definitions for triggerConfig by triggerType. The schema itself takes any object there.
var triggerConfigs = map[string]string{"timer": "ITimerTriggerConfig", "http": "IHttpTriggerConfig"}

// checkFC checks the props of each resource of s.yaml, and the configuration of each trigger by its type.
func checkFC(path, data string, out io.Writer) error {
	root, err := read(path)
	if err != nil {
		return err
	}
	schema := filepath.Join(data, "fc3.schema.json")
	props, err := compile(schema, "")
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
		value := resolve(one["props"], vars)
		if err := props.Validate(value); err != nil {
			all = append(all, fmt.Errorf("%s: %s: %w", path, name, err))
		}
		fields, _ := value.(map[string]any)
		triggers, _ := fields["triggers"].([]any)
		for _, trigger := range triggers {
			all = append(all, checkTrigger(path, name, schema, trigger))
		}
		fmt.Fprintf(out, "schema: %s: %s: props and its %d trigger(s)\n", path, name, len(triggers))
	}
	return errors.Join(all...)
}

func checkTrigger(path, name, schema string, trigger any) error {
	fields, _ := trigger.(map[string]any)
	kind, _ := fields["triggerType"].(string)
	definition, ok := triggerConfigs[kind]
	if !ok {
		return nil // the schema asks an eventbridge trigger for what only some of its sources have
	}
	config, err := compile(schema, "#/definitions/"+definition)
	if err != nil {
		return err
	}
	if err := config.Validate(fields["triggerConfig"]); err != nil {
		return fmt.Errorf("%s: %s: trigger %v: %w", path, name, fields["triggerName"], err)
	}
	return nil
}

// checkSAM checks the template as a whole.
func checkSAM(path, data string, out io.Writer) error {
	root, err := read(path)
	if err != nil {
		return err
	}
	schema, err := compile(filepath.Join(data, "sam.schema.json"), "")
	if err != nil {
		return err
	}
	if err := schema.Validate(map[string]any(root)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	resources, _ := root["Resources"].(map[string]any)
	fmt.Fprintf(out, "schema: %s: %d resources\n", path, len(resources))
	return nil
}

// compile reads a schema, or one of its definitions.
func compile(path, fragment string) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(expression)
	compiled, err := compiler.Compile(path + fragment)
	if err != nil {
		return nil, fmt.Errorf("failed to compile %s%s: %w", path, fragment, err)
	}
	return compiled, nil
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

// read returns a YAML file as JSON would have it, with !Ref, !GetAtt and !Sub in their long forms.
func read(path string) (map[string]any, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("failed to read the file: %w", err)
	}
	var node yaml.Node
	if err := yaml.Unmarshal(content, &node); err != nil {
		return nil, fmt.Errorf("failed to parse %s: %w", path, err)
	}
	lengthen(&node)
	var value any
	if err := node.Decode(&value); err != nil {
		return nil, fmt.Errorf("failed to decode %s: %w", path, err)
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

var long = map[string]string{"!Ref": "Ref", "!GetAtt": "Fn::GetAtt", "!Sub": "Fn::Sub"}

// lengthen writes !Ref x as {Ref: x}.
func lengthen(node *yaml.Node) {
	for _, child := range node.Content {
		lengthen(child)
	}
	if name, ok := long[node.Tag]; ok {
		*node = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{
			{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, {Kind: yaml.ScalarNode, Tag: "!!str", Value: node.Value},
		}}
	}
}

var wholeVar = regexp.MustCompile(`^\$\{vars\.(\w+)\}$`)

// resolve replaces ${vars.name} where it is a whole value; inside of text it is text anyhow.
func resolve(value any, vars map[string]any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, one := range value {
			value[name] = resolve(one, vars)
		}
	case []any:
		for i, one := range value {
			value[i] = resolve(one, vars)
		}
	case string:
		if found := wholeVar.FindStringSubmatch(value); found != nil {
			return vars[found[1]]
		}
	}
	return value
}
