package snapshot

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of CreateSnapshot, as its API page states them.
const (
	nameMin         = 2  // characters of a snapshot name, at least
	nameMax         = 50 // characters of a snapshot name, at most
	tokenMax        = 64 // ASCII characters of a client token, at most
	TagMax          = 20 // tags of a snapshot, at most
	CallerTags      = 10 // of these, tags of a policy and a caller, at most: this project sets up to 9 of its own
	tagKeyMax       = 64 // characters of a tag key, at most
	TagValueMax     = 64 // characters of a tag value, at most
	SlotsPerServer  = 3  // snapshots of one server, at most
	SlotsPerAccount = 15 // snapshots of one account, at most, and never more than 3 for each server
)

// Codes that the API answers for a parameter that is missing or malformed.
const (
	codeMissingRegion = "MissingRegionId"
	CodeInvalidRegion = "InvalidRegionId"
	codeMissingDisk   = "MissingDiskId"
	codeInvalidDisk   = "InvalidDiskId"
	codeMissingName   = "MissingSnapshotName"
	codeInvalidToken  = "InvalidClientToken"
	codeInvalidTag    = "InvalidTag"
	codeInvalidGroup  = "InvalidResourceGroupId"
)

// Tag is a key and a value on a snapshot. The value may be empty, the key may not.
type Tag struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

// Request is the parameters of CreateSnapshot, as the API has them.
type Request struct {
	RegionID        string // RegionId: the region of the server to which the disk is attached; required
	DiskID          string // DiskId: required
	SnapshotName    string // SnapshotName: 2 to 50 characters; required
	ClientToken     string // ClientToken: at most 64 ASCII characters; optional
	Tags            []Tag  // Tag.N: at most 10 of the caller's own, besides those of this project
	ResourceGroupID string // ResourceGroupId: optional
}

// Validate reports every violation of the rules of the API page at once, as [Violations], or nil.
// Characters are counted, not bytes. A region that is well-formed but does not exist is left to the API.
func (r Request) Validate() error {
	var v Violations
	checkRegion(&v, "RegionId", r.RegionID)
	checkDisk(&v, "DiskId", r.DiskID)
	checkName(&v, "SnapshotName", r.SnapshotName)
	checkToken(&v, "ClientToken", r.ClientToken)
	checkTags(&v, r.Tags)
	checkGroup(&v, "ResourceGroupId", r.ResourceGroupID)
	return v.orNil()
}

func checkRegion(v *Violations, field, region string) {
	switch {
	case region == "":
		v.add(field, codeMissingRegion, "is missing: name the region of the server, such as cn-hangzhou")
	case !ValidRegion(region):
		v.add(field, CodeInvalidRegion, fmt.Sprintf("%s is not a region ID: write one such as cn-hangzhou", Quote(region)))
	}
}

func checkDisk(v *Violations, field, disk string) {
	switch {
	case disk == "":
		v.add(field, codeMissingDisk, "is missing: name the disk, such as d-bp18kjxg9ebrhsgi0001")
	case !ValidDisk(disk):
		v.add(field, codeInvalidDisk, fmt.Sprintf("%s is not a disk ID: write one such as d-bp18kjxg9ebrhsgi0001", Quote(disk)))
	}
}

func checkGroup(v *Violations, field, group string) {
	if group != "" && !validID("rg-", group) {
		v.add(field, codeInvalidGroup, fmt.Sprintf("%s is not a resource group ID: write one such as rg-aek2bti7cf70001", Quote(group)))
	}
}

func checkName(v *Violations, field, name string) {
	if name == "" {
		v.add(field, codeMissingName, "is missing: give 2 to 50 characters, the first a letter")
		return
	}
	if !utf8.ValidString(name) {
		v.add(field, CodeNameUnsupported, "is not valid UTF-8")
		return
	}
	if n := utf8.RuneCountInString(name); n < nameMin || n > nameMax {
		v.add(field, CodeNameUnsupported, fmt.Sprintf("has %d characters: use %d to %d", n, nameMin, nameMax))
	}
	first, _ := utf8.DecodeRuneInString(name)
	if !nameLetter(first) {
		v.add(field, CodeNameUnsupported, fmt.Sprintf("begins with %s: begin with a letter", Quote(string(first))))
	}
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") {
		v.add(field, CodeNameUnsupported, "begins with http:// or https://: begin with another word")
	}
	for _, r := range name {
		if !nameLetter(r) && !(r >= '0' && r <= '9') && !strings.ContainsRune(":_.-", r) {
			v.add(field, CodeNameUnsupported, fmt.Sprintf("contains %s: use letters, digits, colons, underscores, full stops and hyphens only", Quote(string(r))))
			break
		}
	}
}

// nameLetter reports whether the API takes r for a letter of a name: ASCII, and Chinese by the Chinese page.
func nameLetter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || unicode.Is(unicode.Han, r)
}

func checkToken(v *Violations, field, token string) {
	if len(token) > tokenMax {
		v.add(field, codeInvalidToken, fmt.Sprintf("has %d bytes: use at most %d ASCII characters", len(token), tokenMax))
	}
	for i := 0; i < len(token); i++ {
		if token[i] < 0x20 || token[i] > 0x7e {
			v.add(field, codeInvalidToken, "contains a character outside printable ASCII: use letters, digits and hyphens")
			return
		}
	}
}

func checkTags(v *Violations, tags []Tag) {
	var own int
	seen := make(map[string]int, len(tags))
	for i, tag := range tags {
		if reservedTag(tag.Key) {
			own++
		}
		key := fmt.Sprintf("Tag.%d.Key", i+1)
		checkTagKey(v, key, tag.Key)
		checkTagValue(v, fmt.Sprintf("Tag.%d.Value", i+1), tag.Value)
		if first, twice := seen[tag.Key]; twice {
			v.add(key, codeInvalidTag, fmt.Sprintf("%s stands in Tag.%d.Key already: use each key once", Quote(tag.Key), first))
		} else {
			seen[tag.Key] = i + 1
		}
	}
	if callers := len(tags) - own; callers > CallerTags {
		v.add("Tag", codeInvalidTag, fmt.Sprintf("has %d tags: use at most %d; the API takes %d, and swas-snapshot needs the others",
			callers, CallerTags, TagMax))
	}
}

func checkTagKey(v *Violations, field, key string) {
	lower := strings.ToLower(key)
	switch n := utf8.RuneCountInString(key); {
	case n == 0:
		v.add(field, codeInvalidTag, "is empty: give 1 to 64 characters")
	case n > tagKeyMax:
		v.add(field, codeInvalidTag, fmt.Sprintf("has %d characters: use at most %d", n, tagKeyMax))
	}
	if strings.HasPrefix(lower, "acs:") || strings.HasPrefix(lower, "aliyun") {
		v.add(field, codeInvalidTag, fmt.Sprintf("%s begins with acs: or aliyun, which Alibaba Cloud keeps for itself", Quote(key)))
	}
	checkTagText(v, field, key)
}

func checkTagValue(v *Violations, field, value string) {
	if n := utf8.RuneCountInString(value); n > TagValueMax {
		v.add(field, codeInvalidTag, fmt.Sprintf("has %d characters: use at most %d", n, TagValueMax))
	}
	checkTagText(v, field, value)
}

func checkTagText(v *Violations, field, text string) {
	lower := strings.ToLower(text)
	if strings.Contains(lower, "http://") || strings.Contains(lower, "https://") {
		v.add(field, codeInvalidTag, "contains http:// or https://: leave the scheme out")
	}
	if !utf8.ValidString(text) {
		v.add(field, codeInvalidTag, "is not valid UTF-8")
	}
}

// Violation is one thing wrong with one parameter of a [Request] or one field of an [Order].
type Violation struct {
	Field  string // the field as the caller wrote it: DiskId, Tag.3.Key, target
	Defect string // what is wrong with the value, and what would be right
	Code   string // the code that the API answers for this defect
}

// Violations is every violation of one input. It is an error; [Request.Validate] and [Order.Validate] return it.
type Violations []Violation

// Error lists every violation in one line: "DiskId: is missing; SnapshotName: ...".
func (v Violations) Error() string {
	parts := make([]string, len(v))
	for i, one := range v {
		parts[i] = one.Field + ": " + one.Defect
	}
	return strings.Join(parts, "; ")
}

// add appends a violation; it keeps the rules below one line each.
func (v *Violations) add(field, code, defect string) {
	*v = append(*v, Violation{Field: field, Defect: defect, Code: code})
}

// orNil returns nil as a plain nil error when there is no violation.
func (v Violations) orNil() error {
	if len(v) == 0 {
		return nil
	}
	return v
}
