// Package manifest reads the deployment files of this project, s.yaml for Function Compute and template.yml for AWS
// Lambda, as strictly as the platforms would, before anything is deployed.
//
// [Check] holds both files to their own rules, to each other and to the rest of the repository; [ReadFC] returns what
// s.yaml deploys, for the command line, which fires its timers:
//
//	deployment, err := manifest.ReadFC("s.yaml")
//	for _, timer := range deployment.Timers() { ... timer.Next(time.Now()) ... }
//
// # Errors
//
// Every error is [strictyaml.Errors]: all defects at once, each with its line, its field and what to do.
//
// # Subset
//
// The schemas of both platforms take almost anything. This package knows the part of them that this project uses, and
// refuses the rest: keys, types, words and ranges, YAML that means something else than it seems to (doubled keys,
// anchors, merge keys), references to nothing, schedules that never fire, payloads that no function decodes. Where a
// platform would take more than the subset, the error says what to write instead. A new key is added to
// fc_shape.go or sam_shape.go.
//
// # References
//
// A reference is replaced by what it stands for, ${vars.region} by the value under vars, !Ref Region by the parameter's
// Default, so that the value is checked as if it stood there; its defect is reported in the line where the value is
// written. What is known only at deployment, ${env('NAME')} or !GetAtt, is taken for any text.
//
// The deployed functions do not import this package.
package manifest
