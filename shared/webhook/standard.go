package webhook

import (
	"net/http"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
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

// StandardVerifier checks Standard Webhooks signatures outside of this package's handler.
type StandardVerifier struct{ keys []string }

// NewStandardVerifier returns the verifier for the secrets of the sender standard. Its error says why that is off: the
// secrets are not set ([ErrUnset]), or one is not whsec_ and the base64 of at least 16 bytes. It never holds a secret.
func NewStandardVerifier(secrets Secrets) (StandardVerifier, error) {
	keys, err := standard.keys(secrets)
	return StandardVerifier{keys[envStandard]}, err
}

// Verify checks the signature (webhook-id, webhook-timestamp, webhook-signature with v1) over the raw body at the time
// now. The error wraps [ErrUnauthenticated]; it is for the log, not for the caller.
func (v StandardVerifier) Verify(header http.Header, body []byte, now time.Time) error {
	return verifyStandard(v.keys, &request{header: header, body: string(body), now: now})
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

// parseStandard reads an order. It identifies itself by its key, or else by the message's ID, which is the same at each
// retry.
func parseStandard(r *request) (inbound, error) {
	order, err := trigger.DecodeOrder([]byte(r.plain))
	if err != nil {
		return nil, err
	}
	if order.Key == "" {
		order.Key, order.ExplicitKey = r.one(headerID), true
	}
	return machineOrder(order), nil
}

func sampleStandard(s sampler) Sample {
	return s.standard(envStandard, encoded(fields{"target": s.target(), "reason": "release " + s.id}))
}

// standard returns a sample that is signed as Standard Webhooks specifies.
func (s sampler) standard(variable, body string) Sample {
	return newSample(mediaJSON, body, headerID, s.id, headerTime, s.seconds(),
		headerSignature, standardSignature(s.key(variable), s.id, s.seconds(), body))
}
