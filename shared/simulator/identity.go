package simulator

import (
	"strings"
	"time"
)

// accountID is the account of keys that name no other.
const accountID = "1234567890123456"

// getCallerIdentity answers which user or role owns the key that signed the call. It is an action of STS, which every key may call.
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
		_, session, _ := strings.Cut(rest, "/")
		identity["IdentityType"], identity["PrincipalId"], identity["RoleId"] = "AssumedRoleUser", "330000000000000001:"+session, "330000000000000001"
	default:
		identity["IdentityType"], identity["PrincipalId"], identity["UserId"] = "RAMUser", "210000000000000001", "210000000000000001"
	}
	return func(time.Time) (answer, *apiError) { return identity, nil }
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
