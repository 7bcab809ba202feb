package snapshot

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTokenGolden keeps the identity: a new version of the program must find the snapshots of the old one.
func TestTokenGolden(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 2, 0, 59, 0, time.FixedZone("CST", 8*3600))
	o := Order{Target: "web-1", Role: "daily", Sender: "timer", Key: SlotKey("daily", at), Time: at}
	if want := "slot:daily:2026-02-28T18:00Z"; o.Key != want {
		t.Errorf("key: got %q, want %q", o.Key, want)
	}
	token := o.token("cn-hangzhou", "d-1")
	if want := "sn1-2q4yh5oesl5zgnnle5x34u2w6gusafcq7qyx62jr7fc6dw2jqmma"; token != want {
		t.Errorf("token: got %q, want %q", token, want)
	}
	if got, want := snapshotName("daily", "web-1", at, token), "daily-web-1-20260228T1800-2q4yh5oe"; got != want {
		t.Errorf("name: got %q, want %q", got, want)
	}
	if got, want := o.fingerprint(Request{RegionID: "cn-hangzhou", DiskID: "d-1", SnapshotName: "n"}), "jyocqwlgipwk"; got != want {
		t.Errorf("fingerprint: got %q, want %q", got, want)
	}
}

func TestTokenFields(t *testing.T) {
	t.Parallel()
	base := Order{Sender: "api", Tenant: "t", Key: "k"}
	token := base.token("cn-a", "d-1")
	if !regexp.MustCompile(`^sn1-[a-z2-7]{52}$`).MatchString(token) {
		t.Fatalf("token %q is not of the documented form", token)
	}
	with := func(change func(*Order)) Order {
		o := base
		change(&o)
		return o
	}
	cases := map[string]struct {
		got  string
		same bool
	}{
		"same event":              {base.token("cn-a", "d-1"), true},
		"other delivery":          {with(func(o *Order) { o.Reason, o.Actor, o.Time, o.MaxAge = "r", "a", epoch, 1 }).token("cn-a", "d-1"), true},
		"other sender":            {with(func(o *Order) { o.Sender = "slack" }).token("cn-a", "d-1"), false},
		"other tenant":            {with(func(o *Order) { o.Tenant = "u" }).token("cn-a", "d-1"), false},
		"other key":               {with(func(o *Order) { o.Key = "l" }).token("cn-a", "d-1"), false},
		"other region":            {base.token("cn-b", "d-1"), false},
		"other disk":              {base.token("cn-a", "d-2"), false},
		"fields shifted":          {with(func(o *Order) { o.Sender, o.Tenant = "apit", "" }).token("cn-a", "d-1"), false},
		"explicit":                {with(func(o *Order) { o.ExplicitKey = true }).token("cn-a", "d-1"), false},
		"the caller's own":        {with(func(o *Order) { o.ClientToken = "mine" }).token("cn-a", "d-1"), false},
		"its deletion of another": {deletionToken(token, "s-1"), false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if (c.got == token) != c.same {
				t.Errorf("same token: %v, want %v", c.got == token, c.same)
			}
		})
	}
	explicit := with(func(o *Order) { o.ExplicitKey = true })
	if explicit.token("cn-a", "d-1") != explicit.token("cn-b", "d-2") {
		t.Error("an explicit key must mean one token for every disk")
	}
	if own := with(func(o *Order) { o.ClientToken = "mine" }); own.token("cn-a", "d-1") != "mine" {
		t.Error("the caller's own token must be used as it is")
	}
	if digest("a", "bc") == digest("ab", "c") || digest("a", "") == digest("a") {
		t.Error("fields can be shifted into each other")
	}
}

func TestDeletionToken(t *testing.T) {
	t.Parallel()
	token := deletionToken("sn1-x", "s-1")
	if token != deletionToken("sn1-x", "s-1") || token == deletionToken("sn1-x", "s-2") || token == deletionToken("sn1-y", "s-1") {
		t.Error("a deletion token must be a function of order and victim")
	}
	if len(token) > tokenMax {
		t.Errorf("token has %d characters", len(token))
	}
}

func TestTokenTag(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"mine", strings.Repeat("t", 64), "a b~"} {
		if got := tokenTag(token); got != token {
			t.Errorf("%q became %q", token, got)
		}
	}
	var wrong Violations
	checkTagValue(&wrong, "", tokenTag("my-http://token"))
	if wrong != nil || tokenTag("my-http://token") == tokenTag("my-http://tokem") {
		t.Error("a token that no tag takes must be hashed")
	}
}

// TestNameProperty: whatever the event, the API takes the name, and time and token stand in it whole.
func TestNameProperty(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(alphabet string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		return b.String()
	}
	const letters, all = "abcXYZ", "abcXYZ019-_"
	for range 5000 {
		role := pick(letters, 1) + pick(all, random.IntN(RoleMax))
		target := pick(all, 1+random.IntN(TargetMax))
		if random.IntN(4) == 0 {
			target = "d-" + pick("ab1", 1+random.IntN(61))
		}
		var at time.Time
		if random.IntN(3) > 0 {
			at = time.Unix(random.Int64N(8e9), 0).In(time.FixedZone("x", random.IntN(86400)-43200))
		}
		token := Order{Key: pick(all, 9)}.token("cn-a", "d-1")
		if random.IntN(3) == 0 {
			token = []string{"sn1-", ""}[random.IntN(2)] + pick(" ~!abc", 52)
		}
		name := snapshotName(role, target, at, token)
		if err := (Request{RegionID: "cn-a", DiskID: "d-1", SnapshotName: name, ClientToken: token}).Validate(); err != nil {
			t.Fatalf("role %q target %q time %v token %q: name %q: %v", role, target, at, token, name, err)
		}
		tail := "-" + shortToken(token)
		if !at.IsZero() {
			tail = "-" + at.UTC().Format("20060102T1504") + tail
		}
		if !strings.HasSuffix(name, tail) || len(shortToken(token)) != 8 || !strings.HasPrefix(name, role[:1]) {
			t.Fatalf("name %q does not end in %q", name, tail)
		}
	}
}

func TestNameKeepsWhatFits(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	token := Order{Key: "k"}.token("cn-a", "d-1")
	cases := map[string]struct {
		role, target string
		at           time.Time
		want         string
	}{
		"whole":        {"daily", "web-1", at, "daily-web-1-20260301T0200-" + token[4:12]},
		"without time": {"manual", "web-1", time.Time{}, "manual-web-1-" + token[4:12]},
		"cut":          {"daily", strings.Repeat("w", 32), at, "daily-" + strings.Repeat("w", 21) + "-20260301T0200-" + token[4:12]},
		"cut at a hyphen": {"daily", "wwwwwwwwwwwwwwwwwwww-abc", at,
			"daily-" + strings.Repeat("w", 20) + "-20260301T0200-" + token[4:12]},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := snapshotName(c.role, c.target, c.at, token); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	o := Order{Role: "daily", Tags: []Tag{{"a", "b"}}}
	r := Request{RegionID: "cn-a", DiskID: "d-1", SnapshotName: "n"}
	base := o.fingerprint(r)
	with := func(change func(*Order, *Request)) string {
		o, r := o, r
		change(&o, &r)
		return o.fingerprint(r)
	}
	differ := map[string]string{
		"region": with(func(_ *Order, r *Request) { r.RegionID = "cn-b" }),
		"disk":   with(func(_ *Order, r *Request) { r.DiskID = "d-2" }),
		"name":   with(func(_ *Order, r *Request) { r.SnapshotName = "m" }),
		"group":  with(func(o *Order, _ *Request) { o.ResourceGroupID = "rg-1" }),
		"role":   with(func(o *Order, _ *Request) { o.Role = "weekly" }),
		"tag":    with(func(o *Order, _ *Request) { o.Tags = []Tag{{"ab", ""}} }),
	}
	for name, got := range differ {
		if got == base {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	if policy := with(func(_ *Order, r *Request) { r.Tags, r.ResourceGroupID = tags(3), "rg-policy" }); policy != base {
		t.Error("tags and group of the policy must stay out")
	}
}

func FuzzParseMeta(f *testing.F) {
	for _, seed := range []string{"daily/timer/abcdefghijkl", "", "//", "daily/timer", "a/b/c/d", "1/b/c", "daily//x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := parseMeta(text)
		if ok && (m.String() != text || !ValidRole(m.role)) {
			t.Errorf("%q was read as %+v", text, m)
		}
		if !ok && m != (meta{}) {
			t.Errorf("%q is refused and yet read as %+v", text, m)
		}
	})
}

func TestOurs(t *testing.T) {
	t.Parallel()
	token, text := Tag{TagToken, "sn1-x"}, Tag{TagMeta, "daily/timer/x"}
	cases := map[string]struct {
		tags []Tag
		ours bool
		role string
	}{
		"both tags":       {[]Tag{token, text}, true, "daily"},
		"none":            {nil, false, ""},
		"token alone":     {[]Tag{token}, false, ""},
		"meta alone":      {[]Tag{text}, false, ""},
		"token empty":     {[]Tag{{TagToken, ""}, text}, false, ""},
		"meta unreadable": {[]Tag{token, {TagMeta, "daily"}}, true, ""},
		"other case":      {[]Tag{{strings.ToUpper(TagToken), "x"}, text}, false, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := Snapshot{Name: "daily-web-1-20260301T0200-abcdefgh", Tags: c.tags}
			if one.ours() != c.ours || one.role() != c.role {
				t.Errorf("got %v %q, want %v %q", one.ours(), one.role(), c.ours, c.role)
			}
		})
	}
}
