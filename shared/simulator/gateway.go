package simulator

import (
	"crypto/subtle"
	"slices"
	"time"
)

// The only versions of the APIs; the SDK sends them.
const (
	apiVersion = "2020-06-01"
	stsVersion = "2015-04-01"
)

// timestampForm is the form of a request's time, in V1 and in ACS3 alike: UTC, ISO 8601 to the second.
const timestampForm = "2006-01-02T15:04:05Z"

// window is how far the time of a request may lie from the gateway's, either way. Within it a nonce counts once.
const window = 15 * time.Minute

// gateway is what stands before the actions: who calls, when, and how often.
type gateway struct {
	credentials map[string]Credential
	nonces      map[nonce]time.Time    // the time that the request gave itself
	pruned      time.Time              // when nonces was last cleared of old ones
	recent      map[string][]time.Time // calls of the last 60 seconds per action
	buckets     map[string]*bucket     // per action
	perMinute   int
	tokenBucket bool
	deniedCode  string
}

// nonce is unique per access key.
type nonce struct{ accessKeyID, value string }

func newGateway(config Config) gateway {
	g := gateway{
		nonces:      make(map[nonce]time.Time),
		recent:      make(map[string][]time.Time),
		buckets:     make(map[string]*bucket),
		perMinute:   config.CallsPerMinute,
		tokenBucket: config.TokenBucket,
		deniedCode:  config.DeniedCode,
	}
	g.replaceCredentials(config.Credentials)
	return g
}

func (g *gateway) replaceCredentials(credentials []Credential) {
	g.credentials = make(map[string]Credential, len(credentials))
	for _, c := range credentials {
		g.credentials[c.AccessKeyID] = c
	}
}

// route refuses a call that names no action of this API.
func (q *request) route() *apiError {
	switch {
	case q.action == "":
		return missing("Action")
	case q.version == "":
		return missing("Version")
	case q.version != apiVersion && q.version != stsVersion:
		return invalid("Version")
	case q.format != "" && q.format != "JSON" && q.format != "json":
		return invalid("Format")
	}
	if one, known := actions[q.action]; !known || one.sts != (q.version == stsVersion) {
		return refuse("InvalidAction.NotFound")
	}
	return nil
}

// authenticate refuses a call without a valid key, and a call of an action that its key must not use.
func (g *gateway) authenticate(q *request, wall time.Time) *apiError {
	verify := g.verify
	if q.unsigned {
		verify = g.verifyUnsigned
	}
	if refusal := verify(q, wall); refusal != nil {
		return refusal
	}
	allowed := g.credentials[q.accessKeyID].Actions
	if len(allowed) > 0 && !actions[q.action].sts && !slices.Contains(allowed, q.action) {
		return refuse(g.deniedCode)
	}
	return nil
}

// verifyUnsigned refuses a call without HTTP whose key is unknown or no longer valid.
func (g *gateway) verifyUnsigned(q *request, wall time.Time) *apiError {
	credential, known := g.credentials[q.accessKeyID]
	switch {
	case !known:
		return refuse("InvalidAccessKeyId.NotFound")
	case credential.Inactive:
		return refuse("InvalidAccessKeyId.Inactive")
	}
	return credential.checkToken(credential.SecurityToken, wall)
}

// verify refuses a call that is not signed by a known key, now, for the first time.
func (g *gateway) verify(q *request, wall time.Time) *apiError {
	for _, required := range []struct{ name, value string }{
		{"AccessKeyId", q.accessKeyID}, {"Signature", q.signature}, {"SignatureNonce", q.nonce}, {"Timestamp", q.timestamp},
	} {
		if required.value == "" {
			return missing(required.name)
		}
	}
	credential, known := g.credentials[q.accessKeyID]
	if !known {
		return refuse("InvalidAccessKeyId.NotFound")
	}
	if credential.Inactive {
		return refuse("InvalidAccessKeyId.Inactive")
	}
	at, err := time.Parse(timestampForm, q.timestamp)
	if err != nil {
		return refuse("InvalidTimeStamp.Format")
	}
	if at.Before(wall.Add(-window)) || at.After(wall.Add(window)) {
		return refuse("InvalidTimeStamp.Expired")
	}
	if !equal(q.sign(credential.AccessKeySecret, q.toSign), q.signature) {
		return mismatch(q.toSign)
	}
	if refusal := credential.checkToken(q.securityToken, wall); refusal != nil {
		return refusal
	}
	if !g.spend(nonce{q.accessKeyID, q.nonce}, at, wall) {
		return refuse("SignatureNonceUsed")
	}
	return nil
}

// mismatch refuses a wrong signature. The real gateway repeats the string to sign, which holds the caller's access
// key ID and, encoded, its security token; clients that show the message to people must cut it off.
func mismatch(toSign string) *apiError {
	e := refuse("SignatureDoesNotMatch")
	e.Message += " server string to sign is:" + toSign
	return e
}

// checkToken refuses a missing, foreign or expired security token.
func (c Credential) checkToken(token string, wall time.Time) *apiError {
	switch {
	case c.SecurityToken != "" && token == "":
		return missing("SecurityToken")
	case !equal(c.SecurityToken, token):
		return refuse("InvalidSecurityToken.MismatchWithAccessKey")
	case !c.Expires.IsZero() && !wall.Before(c.Expires):
		return refuse("InvalidSecurityToken.Expired")
	}
	return nil
}

// equal compares two texts in a time that does not depend on where they differ.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// spend uses up a nonce; false says that it was used before.
func (g *gateway) spend(n nonce, at, wall time.Time) bool {
	if _, used := g.nonces[n]; used {
		return false
	}
	if wall.Sub(g.pruned) > window {
		for old, sent := range g.nonces {
			if sent.Before(wall.Add(-window)) { // would be refused as expired by now
				delete(g.nonces, old)
			}
		}
		g.pruned = wall
	}
	g.nonces[n] = at
	return true
}

// admit refuses a call of an action beyond the rate limit. Refused calls do not count.
func (g *gateway) admit(action string, now time.Time) *apiError {
	admits := g.admitByWindow
	if g.tokenBucket {
		admits = g.admitByBucket
	}
	if g.perMinute >= 0 && !admits(action, now) {
		return refuse("Throttling.User")
	}
	return nil
}

// admitByWindow reports whether fewer than perMinute calls were admitted in the last 60 seconds, and admits this one.
func (g *gateway) admitByWindow(action string, now time.Time) bool {
	recent := slices.DeleteFunc(g.recent[action], func(at time.Time) bool {
		return now.Before(at) || now.Sub(at) >= time.Minute // before: the clock was set back
	})
	admitted := len(recent) < g.perMinute
	if admitted {
		recent = append(recent, now)
	}
	g.recent[action] = recent
	return admitted
}

// bucket holds the calls of one action that are left, a token bucket with a burst of one minute's calls.
type bucket struct {
	left float64
	at   time.Time
}

// admitByBucket takes one call of an action out of its bucket and reports whether there was one.
func (g *gateway) admitByBucket(action string, now time.Time) bool {
	burst := float64(g.perMinute)
	b, known := g.buckets[action]
	if !known {
		b = &bucket{left: burst, at: now}
		g.buckets[action] = b
	}
	if passed := now.Sub(b.at); passed > 0 {
		b.left = min(burst, b.left+passed.Minutes()*burst)
		b.at = now
	}
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
