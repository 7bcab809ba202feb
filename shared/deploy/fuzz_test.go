package deploy

import (
	"os"
	"strings"
	"testing"
)

// Whatever the files hold, reading them ends, and each finding has a message and a line of the file.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"../../s.yaml", "../../template.yml"} {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	for _, seed := range []string{"", "# nothing\n", "---\n", "a", "[1]", "a: *b", "&a {b: *a}", "a: {b: 1, b: 2}",
		"? [a]\n: b",
		"vars: {a: \"${vars.a}${vars.a}\", b: \"${vars.c} ${vars.c}\", c: \"${vars.b} ${vars.b}\"}\n" +
			"resources: {timer: {props: {code: \"${vars.c}\"}}}",
		"vars: {a: {b: c}}\nresources: {timer: ${vars.a}, http: {props: {code: \"x${vars.a}\", triggers: ${vars.a}}}}",
		"Resources: {TimerFunction: {Properties: {Timeout: !Ref A, Role: {Ref: A}}}}\nParameters: {A: {Default: !Ref A}}",
		"Resources: {A: {Type: AWS::Events::Rule, Properties: null}, B: 1}\nGlobals: {Function: 1}", "Resources: null",
		"resources: {timer: {props: {triggers: [{triggerType: eventbridge,\n" +
			"  triggerConfig: {eventRuleFilterPattern: '[]'}}]}}}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fc, sam := &File{Name: FCFile}, &File{Name: SAMFile}
		if root := fc.parse(data); root != nil {
			fc.readFC(root)
		}
		if root := sam.parse(data); root != nil {
			sam.readSAM(root)
		}
		lines := strings.Count(string(data), "\n") + strings.Count(string(data), "\r") + 2 // YAML breaks lines at both
		for _, one := range append(fc.defects, sam.defects...) {
			if one.Message == "" || one.Line < 0 || one.Line > lines {
				t.Errorf("finding %+v, want a message and a line from 0 to %d", one, lines)
			}
		}
	})
}
