package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
)

// Sample is a signed request, as a sender would send it: to try a function with on one's own machine. Its signature
// is valid for [Window].
type Sample struct {
	Path   string // with the query
	Header http.Header
	Body   []byte
}

// SampleSecret is a variable that a sample needs. Form writes 32 random bytes as its secret.
type SampleSecret struct {
	Name string
	Form func(random []byte) string
}

// SampleSecrets returns the variables that [NewSample] needs for a sender; none for one that has no samples.
func SampleSecrets(from string) []SampleSecret {
	s := senderOf(from)
	if s == nil {
		return nil
	}
	needed := s.variables
	if s.needs != needsAll {
		needed = needed[:1]
	}
	var all []SampleSecret
	for _, v := range needed {
		all = append(all, SampleSecret{v.name, v.form.encode})
	}
	return all
}

// NewSample makes the request of a sender that a rule of allow lets in, signed with the first secret of each variable.
// id, hexadecimal, makes its business event a new one. The error is for a sender that has no samples.
func NewSample(rule policy.Allow, secrets Secrets, now time.Time, id string) (Sample, error) {
	from := senderOf(rule.From)
	if from == nil {
		return Sample{}, fmt.Errorf("there is no sample of sender %s", rule.From)
	}
	sample := from.sample(sampler{rule, from, secrets, now, id})
	sample.Path = prefix + rule.From + sample.Path
	return sample, nil
}

// sampler is what samples are made of.
type sampler struct {
	rule    policy.Allow
	from    *sender
	secrets Secrets
	now     time.Time
	id      string
}

// key returns the first key of a variable; "" if there is none or it is malformed: then the sender is off.
func (s sampler) key(name string) string {
	for _, v := range s.from.variables {
		if v.name == name {
			key, _ := v.form.decode(first(s.secrets[name], ""))
			return key
		}
	}
	return ""
}

func (s sampler) target() string      { return s.rule.Targets[0] }
func (s sampler) command() string     { return s.target() + " before the upgrade" }
func (s sampler) channel() string     { return first(s.rule.Channels, "C0SAMPLE") }
func (s sampler) actor() string       { return first(s.rule.Actors, "U0SAMPLE") }
func (s sampler) environment() string { return first(s.rule.Environments, "production") }
func (s sampler) seconds() string     { return strconv.FormatInt(s.now.Unix(), 10) }
func (s sampler) millis() string      { return strconv.FormatInt(s.now.UnixMilli(), 10) }
func (s sampler) rfc3339() string     { return s.now.UTC().Format(time.RFC3339) }

// ref returns a full ref that the rule names, and branch the name of its branch.
func (s sampler) ref() string {
	return strings.ReplaceAll(first(s.rule.Refs, "refs/heads/main"), "*", "main")
}
func (s sampler) branch() string { return strings.TrimPrefix(s.ref(), "refs/heads/") }

// number returns an ID that belongs to the sample alone, sha a commit, and before another one.
func (s sampler) number() int64 {
	n, _ := strconv.ParseInt(s.id, 16, 64)
	return n
}
func (s sampler) sha() string    { return commit(s.id) }
func (s sampler) before() string { return commit(s.id + "before") }

func commit(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:20])
}

func first(all []string, otherwise string) string {
	if len(all) == 0 {
		return otherwise
	}
	return all[0]
}

// newSample makes a sample of headers in pairs.
func newSample(media, body string, headers ...string) Sample {
	header := http.Header{"Content-Type": {media}}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return Sample{Header: header, Body: []byte(body)}
}

// fields is a JSON object.
type fields map[string]any

// encoded returns the JSON of maps and text, which cannot fail.
func encoded(value fields) string {
	body, _ := json.Marshal(value)
	return string(body)
}
