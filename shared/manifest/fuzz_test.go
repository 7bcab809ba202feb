package manifest

import (
	"os"
	"strings"
	"testing"
)

// Whatever the files hold, reading them ends, and every defect has a text and a line of the file.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"../../s.yaml", "../../template.yml"} {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	for _, seed := range []string{"", "# nothing\n", "---\n", "a", "[1]", "a: *b", "&a {b: *a}", "a: {b: 1, b: 2}", "? [a]\n: b", "a: \"${vars.a}\"\nvars: {a: \"${vars.a}\"}",
		"vars: {a: {b: c}}\nname: ${vars.a}\nedition: x${vars.a}", "Resources: {A: {Type: !Ref A, DependsOn: [{}]}}", "Parameters: {A: {Default: !Ref A}}\nOutputs: {B: {Value: !Ref A}}",
		"Resources: {A: {Type: AWS::SQS::Queue, Properties: null}}", "resources: {a: {props: {triggers: [{triggerType: eventbridge, triggerConfig: {eventRuleFilterPattern: '[]'}}]}}}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fc := newDocument("s.yaml")
		if fc.parse(data, nil) {
			fc.fc()
		}
		sam := newDocument("template.yml")
		if sam.parse(data, samTags) {
			sam.sam()
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2 // YAML breaks lines at both
		for _, one := range append(fc.errs, sam.errs...) {
			if one.Defect == "" || one.Line < 0 || one.Line > lines {
				t.Errorf("defect %+v, want a text and a line from 0 to %d", one, lines)
			}
		}
	})
}
