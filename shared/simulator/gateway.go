package simulator

import (
	"crypto/subtle"
	"maps"
	"slices"
	"strings"
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
}

// nonce is unique per access key.
type nonce struct{ accessKeyID, value string }

func newGateway(credentials []Credential) gateway {
	g := gateway{nonces: make(map[nonce]time.Time), recent: make(map[string][]time.Time)}
	g.replaceCredentials(credentials)
	return g
}

func (g *gateway) replaceCredentials(credentials []Credential) {
	g.credentials = make(map[string]Credential, len(credentials))
	for _, c := range credentials {
		g.credentials[c.AccessKeyID] = c
	}
}

// admit passes a call through the gateway: it refuses one that names no action of this API, one without a valid key,
// one of an action that its key must not use, and one beyond the rate limit.
func (s *Simulator) admit(q *request, now time.Time) *apiError {
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
	if s.actions[q.action] == nil || q.version != versionOf(q.action) {
		return refuse("InvalidAction.NotFound")
	}
	credential, refusal := s.gateway.authenticate(q, s.config.Wall())
	if refusal != nil {
		return refusal
	}
	allowed := credential.Actions
	if len(allowed) > 0 && q.version != stsVersion && !slices.Contains(allowed, q.action) {
		return refuse("NoPermission")
	}
	return s.gateway.throttle(q.action, s.config.CallsPerMinute, now)
}

// versionOf returns the version of the API that an action belongs to. Those of STS need no permission.
func versionOf(action string) string {
	if action == "GetCallerIdentity" {
		return stsVersion
	}
	return apiVersion
}

// authenticate refuses a call that is not signed by a known key, now, for the first time. A call without HTTP needs no
// more than a key that is known and valid.
func (g *gateway) authenticate(q *request, wall time.Time) (Credential, *apiError) {
	if !q.unsigned {
		for _, required := range []struct{ name, value string }{
			{"AccessKeyId", q.accessKeyID}, {"Signature", q.signature}, {"SignatureNonce", q.nonce}, {"Timestamp", q.timestamp},
		} {
			if required.value == "" {
				return Credential{}, missing(required.name)
			}
		}
	}
	credential, known := g.credentials[q.accessKeyID]
	switch {
	case !known:
		return credential, refuse("InvalidAccessKeyId.NotFound")
	case credential.Inactive:
		return credential, refuse("InvalidAccessKeyId.Inactive")
	case q.unsigned:
		return credential, credential.checkToken(credential.SecurityToken, wall)
	}
	at, err := time.Parse(timestampForm, q.timestamp)
	switch {
	case err != nil:
		return credential, refuse("InvalidTimeStamp.Format")
	case at.Before(wall.Add(-window)) || at.After(wall.Add(window)):
		return credential, refuse("InvalidTimeStamp.Expired")
	case !equal(q.sign(credential.AccessKeySecret, q.toSign), q.signature):
		return credential, mismatch(q.toSign)
	}
	if refusal := credential.checkToken(q.securityToken, wall); refusal != nil {
		return credential, refusal
	}
	if !g.spend(nonce{q.accessKeyID, q.nonce}, at, wall) {
		return credential, refuse("SignatureNonceUsed")
	}
	return credential, nil
}

// mismatch refuses a wrong signature. The real gateway repeats the string to sign, which holds the caller's access
// key ID and, encoded, its security token; clients that show the message must cut it off.
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

// spend uses up a nonce and reports whether it was new.
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

// throttle refuses a call of an action if perMinute of them were admitted in the last 60 seconds. Refused calls do not
// count.
func (g *gateway) throttle(action string, perMinute int, now time.Time) *apiError {
	if perMinute < 0 {
		return nil
	}
	recent := slices.DeleteFunc(g.recent[action], func(at time.Time) bool {
		return now.Before(at) || now.Sub(at) >= time.Minute // before: the clock was set back
	})
	if len(recent) >= perMinute {
		g.recent[action] = recent
		return refuse("Throttling.User")
	}
	g.recent[action] = append(recent, now)
	return nil
}

// tokenMemory remembers the successful calls with a ClientToken. Tokens are compared byte by byte and belong to one
// action of the account. Failed calls are not remembered: the same token may succeed later.
type tokenMemory struct {
	calls  map[tokenKey]remembered
	pruned time.Time // when calls was last cleared of old ones
}

type tokenKey struct{ action, token string }

type remembered struct {
	params map[string]string
	answer success
	at     time.Time
}

// once runs an effect unless the token is known: the same parameters then get the same answer and no new effect,
// others IdempotentParameterMismatch.
func (m *tokenMemory) once(
	key tokenKey, params map[string]string, now time.Time, lifetime time.Duration, run effect,
) (success, *apiError) {
	if now.Sub(m.pruned) >= lifetime {
		maps.DeleteFunc(m.calls, func(_ tokenKey, old remembered) bool { return now.Sub(old.at) >= lifetime })
		m.pruned = now
	}
	if known, found := m.calls[key]; found && now.Sub(known.at) < lifetime {
		if !maps.Equal(known.params, params) {
			return success{}, refuse("IdempotentParameterMismatch")
		}
		return known.answer, nil
	}
	result, refusal := run(now)
	if refusal == nil {
		m.calls[key] = remembered{params, result, now}
	}
	return result, refusal
}

// accountID is the account of keys that name no other.
const accountID = "1234567890123456"

// getCallerIdentity answers which user or role owns the key that signed the call. It is an action of STS, which every
// key may call.
// Source: "GetCallerIdentity", help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity.
func (s *Simulator) getCallerIdentity(p *params) effect {
	arn := p.caller.arn()
	account, owner, _ := strings.Cut(strings.TrimPrefix(arn, "acs:ram::"), ":")
	kind, rest, _ := strings.Cut(owner, "/")
	identity := elements{"AccountId": account, "Arn": arn}
	switch kind {
	case "root":
		identity["IdentityType"], identity["PrincipalId"], identity["UserId"] = "Account", account, account
	case "assumed-role":
		const role = "330000000000000001"
		_, session, _ := strings.Cut(rest, "/")
		identity["IdentityType"], identity["PrincipalId"], identity["RoleId"] = "AssumedRoleUser", role+":"+session, role
	default:
		const user = "210000000000000001"
		identity["IdentityType"], identity["PrincipalId"], identity["UserId"] = "RAMUser", user, user
	}
	return func(time.Time) (success, *apiError) { return success{wire: func() elements { return identity }}, nil }
}

// arn names the owner of the key.
func (c Credential) arn() string {
	switch {
	case c.ARN != "":
		return c.ARN
	case c.SecurityToken != "":
		return "acs:ram::" + accountID + ":assumed-role/swas-snapshot/session"
	}
	return "acs:ram::" + accountID + ":user/swas-snapshot"
}
