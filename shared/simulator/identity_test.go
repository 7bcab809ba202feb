package simulator

import "testing"

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		credential Credential
		kind, arn  string
		id         string // the element that only this kind has
	}{
		"user":          {Credential{}, "RAMUser", "acs:ram::1234567890123456:user/swas-snapshot", "UserId"},
		"without right": {Credential{Actions: []string{"ListDisks"}}, "RAMUser", "acs:ram::1234567890123456:user/swas-snapshot", "UserId"},
		"account":       {Credential{ARN: "acs:ram::99:root"}, "Account", "acs:ram::99:root", "UserId"},
		"role":          {Credential{SecurityToken: "tok"}, "AssumedRoleUser", "acs:ram::1234567890123456:assumed-role/swas-snapshot/session", "RoleId"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.credential.AccessKeyID, c.credential.AccessKeySecret = testKey, testSecret
			h := newHarness(t, func(config *Config) { config.Credentials = []Credential{c.credential} })
			r := h.want(h.call("GetCallerIdentity", "Version", stsVersion, "SecurityToken", c.credential.SecurityToken), "")
			if r.text("IdentityType") != c.kind || r.text("Arn") != c.arn || r.text("AccountId") == "" || r.text("PrincipalId") == "" || r.text(c.id) == "" {
				t.Errorf("got %s", r.raw)
			}
		})
	}
	t.Run("the version of the other API", func(t *testing.T) {
		t.Parallel()
		h := newHarness(t)
		h.want(h.call("GetCallerIdentity"), "InvalidAction.NotFound")
		h.want(h.call("ListRegions", "Version", stsVersion), "InvalidAction.NotFound")
	})
}
