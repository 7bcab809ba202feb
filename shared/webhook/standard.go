package webhook

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// standard takes orders from CI scripts that sign as Standard Webhooks say.
//
// Rules: github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
type standard struct{ keys []string }

func openStandard(secrets Secrets) (sender, error) {
	keys, err := secrets.decoded(envStandard, standardPrefix)
	return standard{keys}, err
}

const (
	standardPrefix = "whsec_"
	headerID       = "Webhook-Id"
	headerTime     = "Webhook-Timestamp"
	headerSigned   = "Webhook-Signature"
)

func (s standard) verify(r *request) error { return verifyStandard(s.keys, r) }

// VerifyStandard checks a Standard Webhooks signature (webhook-id, webhook-timestamp, webhook-signature with v1) over
// the raw body. secrets are in the form whsec_<base64>; one that is not, or has fewer than 16 bytes, makes
// every request fail, as does an empty list. The error wraps [ErrUnauthenticated] or says what is wrong with the
// secrets; it is for the log, not for the caller.
func VerifyStandard(secrets []string, header http.Header, body []byte, now time.Time) error {
	keys, err := Secrets{envStandard: secrets}.decoded(envStandard, standardPrefix)
	if err != nil {
		return err
	}
	return verifyStandard(keys, &request{header: header, body: string(body), now: now})
}

func verifyStandard(keys []string, r *request) error {
	id, timestamp := r.one(headerID), r.one(headerTime)
	if !validMessageID(id) {
		return refuse("the header webhook-id is missing or malformed")
	}
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	signatures := strings.Fields(r.one(headerSigned))
	if len(signatures) == 0 {
		return refuse("the signature is missing")
	}
	expected := make([]string, len(keys))
	for i, key := range keys {
		expected[i] = "v1," + base64.StdEncoding.EncodeToString(hmacSHA256(key, id, ".", timestamp, ".", r.body))
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

// validMessageID reports whether an ID can be told from what follows it in the signed text, which only full stops part.
func validMessageID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("._:/=+~-", c) >= 0) {
			return false
		}
	}
	return id != "" && len(id) <= snapshot.KeyMax
}

// parse reads an order. It identifies itself by its key, or else by the message's ID, which is the same at each retry.
func (standard) parse(r *request) (inbound, error) {
	order, err := trigger.DecodeOrder([]byte(r.plain))
	if err != nil {
		return nil, err
	}
	if order.Key == "" {
		order.Key, order.ExplicitKey = r.one(headerID), true
	}
	return machineOrder(order), nil
}
