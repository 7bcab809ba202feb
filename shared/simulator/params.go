package simulator

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// params reads the parameters of an action. The first refusal sticks; once there is one, what is read has no
// effect.
type params struct {
	action  string
	values  map[string]string
	regions map[string]bool
	host    string // that the request was sent to
	caller  Credential
	refusal *apiError
}

// fail keeps the first refusal.
func (p *params) fail(e *apiError) {
	if p.refusal == nil {
		p.refusal = e
	}
}

var (
	regionForm = regexp.MustCompile(`^[a-z]{2,16}(-[a-z0-9]{1,24}){1,4}$`)
	diskForm   = regexp.MustCompile(`^d-[A-Za-z0-9][A-Za-z0-9_-]{0,61}$`)
	nameForm   = regexp.MustCompile(`^[A-Za-z\p{Han}][0-9A-Za-z\p{Han}:_.-]+$`)
	groupForm  = regexp.MustCompile(`^rg-[A-Za-z0-9][A-Za-z0-9_-]{0,61}$`)
)

// required reads a parameter that must be there.
func (p *params) required(name string) string {
	value := p.values[name]
	if value == "" {
		p.fail(missing(name))
	}
	return value
}

// region reads RegionId, which every action needs: well-formed, of the endpoint that was called, and known.
func (p *params) region() string {
	region, ofHost := p.required("RegionId"), endpointRegion(p.host)
	switch {
	case p.regions[region] && (ofHost == "" || ofHost == region): // most calls: no need to look at the form
	case !regionForm.MatchString(region):
		p.fail(invalid("RegionId"))
	case ofHost != "" && ofHost != region:
		p.fail(refuse("RegionIdNotMatchHost"))
	default:
		p.fail(refuse("InvalidRegionId.NotFound"))
	}
	return region
}

// endpointRegion returns the region of the public or VPC endpoint that a Host header names, else "".
func endpointRegion(host string) string {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	name, ofVendor := strings.CutSuffix(host, ".aliyuncs.com")
	service, region, _ := strings.Cut(name, ".")
	if !ofVendor || service != "swas" && service != "swas-vpc" {
		return ""
	}
	return region
}

// disk reads a required DiskId in the form of one.
func (p *params) disk() string {
	disk := p.required("DiskId")
	if !diskForm.MatchString(disk) {
		p.fail(invalid("DiskId"))
	}
	return disk
}

// group reads an optional ResourceGroupId.
func (p *params) group() string {
	group := p.values["ResourceGroupId"]
	if group != "" && !groupForm.MatchString(group) {
		p.fail(invalid("ResourceGroupId"))
	}
	return group
}

// clientToken reads an optional ClientToken: at most 64 ASCII characters.
func (p *params) clientToken() string {
	token := p.values["ClientToken"]
	if len(token) > 64 || strings.IndexFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		p.fail(invalid("ClientToken"))
	}
	return token
}

// name reads SnapshotName: 2 to 50 characters, the first a letter, of letters, digits and : _ . - only. By the
// Chinese page a Chinese character is a letter.
func (p *params) name() string {
	name := p.required("SnapshotName")
	if utf8.RuneCountInString(name) > 50 || !nameForm.MatchString(name) {
		p.fail(refuse("InvalidSnapshotName.ValueNotSupported"))
	}
	return name
}

// tags reads Tag.1 to Tag.N, at most 20, and refuses a key that stands twice.
func (p *params) tags() []Tag {
	var tags []Tag
	for n := 1; ; n++ {
		keyName, valueName := tagName(n, "Key"), tagName(n, "Value")
		key, keyFound := p.values[keyName]
		value, valueFound := p.values[valueName]
		if !keyFound && !valueFound {
			return tags
		}
		switch {
		case n > tagsPerResource || !validTagKey(key) || hasKey(tags, key):
			p.fail(invalid(keyName))
			return nil
		case !validTagText(value):
			p.fail(invalid(valueName))
			return nil
		}
		tags = append(tags, Tag{key, value})
	}
}

func hasKey(tags []Tag, key string) bool {
	return slices.ContainsFunc(tags, func(t Tag) bool { return t.Key == key })
}

// tagName is the name of a parameter of the nth tag.
func tagName(n int, part string) string { return "Tag." + strconv.Itoa(n) + "." + part }

// validTagKey reports whether the API takes key: 1 to 64 characters, not beginning with acs: or aliyun, without a
// scheme. Case is ignored.
func validTagKey(key string) bool {
	lower := strings.ToLower(key)
	return key != "" && validTagText(key) && !strings.HasPrefix(lower, "acs:") && !strings.HasPrefix(lower, "aliyun")
}

// validTagText reports whether the API takes a tag's value: 0 to 64 characters, without a scheme.
func validTagText(text string) bool {
	lower := strings.ToLower(text)
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= 64 &&
		!strings.Contains(lower, "http://") && !strings.Contains(lower, "https://")
}

// tagFilters reads Tag.N of a list. A filter without a value matches every value.
func (p *params) tagFilters() []tagFilter {
	var filters []tagFilter
	for n, tag := range p.tags() {
		_, hasValue := p.values[tagName(n+1, "Value")]
		filters = append(filters, tagFilter{tag, hasValue})
	}
	return filters
}

// tagFilter matches resources by one tag.
type tagFilter struct {
	Tag
	withValue bool
}

// matchAll reports whether the tags of a resource satisfy every filter.
func matchAll(filters []tagFilter, tags []Tag) bool {
	for _, filter := range filters {
		if !slices.ContainsFunc(tags, func(t Tag) bool {
			return t.Key == filter.Key && (!filter.withValue || t.Value == filter.Value)
		}) {
			return false
		}
	}
	return true
}

// list reads a repeated parameter, name.1 to name.N, at most 50.
func (p *params) list(name string) []string {
	var values []string
	for n := 1; ; n++ {
		indexed := fmt.Sprintf("%s.%d", name, n)
		value, found := p.values[indexed]
		if !found {
			return values
		}
		if n > 50 || value == "" {
			p.fail(invalid(indexed))
			return nil
		}
		values = append(values, value)
	}
}

// ids reads an optional JSON array of texts, at most 100 of them; nil without the parameter.
func (p *params) ids(name string) []string {
	text, found := p.values[name]
	if !found || text == "" {
		return nil
	}
	var ids []string
	if err := json.Unmarshal([]byte(text), &ids); err != nil || len(ids) == 0 || len(ids) > 100 {
		p.fail(p.badFilter(name))
		return nil
	}
	return ids
}

// diskType reads an optional type of disk.
func (p *params) diskType(name string) string {
	text := p.values[name]
	if text != "" && !strings.EqualFold(text, diskSystem) && !strings.EqualFold(text, diskData) {
		p.fail(p.badFilter(name))
	}
	return strings.ToLower(text)
}

// badFilter refuses a malformed filter of a list. ListSnapshots documents a code of its own.
func (p *params) badFilter(name string) *apiError {
	if p.action == "ListSnapshots" {
		return refuse("InvalidParam")
	}
	return invalid(name)
}

// page is the part of a list that the caller wants.
type page struct{ number, size int }

// page reads PageNumber, from 1, and PageSize, 1 to 100 and by default 10.
func (p *params) page() page {
	return page{p.integer("PageNumber", 1, 1, 1<<31-1), p.integer("PageSize", 10, 1, 100)}
}

func (p *params) integer(name string, byDefault, low, high int) int {
	text := p.values[name]
	if text == "" {
		return byDefault
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		p.fail(invalid(name))
		return byDefault
	}
	return n
}
