// Package strictyaml reads YAML that says to every reader what it says to the program.
//
// [Parse] refuses what makes YAML mean something else than it seems to: doubled keys, keys that are not text, anchors,
// aliases, merge keys, tags that the caller does not know, and second documents. It goes on behind a defect and reports
// all of them, each with its line and its field. What a key means is the caller's; for that it walks the [Place]s, and adds
// the defects that it finds to the same [Errors].
//
// The caller bounds the size of what it reads.
package strictyaml
