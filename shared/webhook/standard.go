package webhook

import (
	"net/http"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

const envStandard = "WEBHOOK_SECRET"

// standard sends orders of CI scripts that sign as Standard Webhooks specifies.
//
// Rules: github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
var standard = sender{
	name: "standard", variables: []variable{{envStandard, standardForm}},
	headers: []string{headerID, headerTime, headerSignature}, media: []string{mediaJSON},
	budget: budgetLong,
	verify: func(k keyring, r *request) error { return verifyStandard(k[envStandard], r) },
	parse:  parseStandard, sample: sampleStandard,
}

// Headers of Standard Webhooks.
const (
	headerID        = "Webhook-Id"
	headerTime      = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// Signed returns the check of Standard Webhooks signatures for requests that are not to this package's handler; nil if
// the sender standard is off. The check reports whether the signature (webhook-id, webhook-timestamp, webhook-signature
// with v1) over the raw body is valid at the present time, and the ID of the message. now is the clock.
func (s Senders) Signed(now func() time.Time) func(header http.Header, body []byte) (id string, ok bool) {
	sender, on := s[standard.name]
	if !on {
		return nil
	}
	return func(header http.Header, body []byte) (string, bool) {
		r := &request{header: header, body: string(body), now: now()}
		return r.one(headerID), sender.verify(sender.keyring, r) == nil
	}
}

func verifyStandard(keys []string, r *request) error {
	id, timestamp := r.one(headerID), r.one(headerTime)
	// Only full stops part the ID from what follows it in the signed text.
	if id == "" || len(id) > snapshot.KeyMax || !alphanumeric(id, "._:/=+~-") {
		return refuse("the header webhook-id is missing or malformed")
	}
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	signatures := strings.Fields(r.one(headerSignature))
	if len(signatures) == 0 {
		return refuse("the signature is missing")
	}
	expected := make([]string, len(keys))
	for i, key := range keys {
		expected[i] = standardSignature(key, id, timestamp, r.body)
	}
	found := false
	for _, signature := range signatures[:min(len(signatures), signaturesMax)] {
		found = match(expected, signature, func(own string) string { return own }) >= 0 || found
	}
	if !found {
		return refuse("the signature does not match")
	}
	return nil
}

// signaturesMax is how many signatures of one header are tried.
const signaturesMax = 16

func standardSignature(key, id, timestamp, body string) string {
	return "v1," + base64HMAC(key, id, ".", timestamp, ".", body)
}

// parseStandard leaves the order to [httpapi.ReadOrder].
func parseStandard(r *request) (inbound, error) { return machineOrder(r.one(headerID)), nil }

func sampleStandard(s sampler) Sample {
	return s.standard(envStandard, encoded(fields{"target": s.target(), "reason": "release " + s.id}))
}

// standard returns a sample that is signed as Standard Webhooks specifies.
func (s sampler) standard(variable, body string) Sample {
	return newSample(mediaJSON, body, headerID, s.id, headerTime, s.seconds(),
		headerSignature, standardSignature(s.key(variable), s.id, s.seconds(), body))
}
