package snapshot

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

var someDay = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// TestTokenGolden holds the identity to literal values that commit 32d28b1 produced: a new version of the program must
// find the snapshots of the old one.
func TestTokenGolden(t *testing.T) {
	t.Parallel()
	slot := time.Date(2026, 1, 31, 3, 0, 59, 0, time.FixedZone("CST", 8*3600))
	timer := Order{Target: "web-1", Role: "daily", Sender: "timer", Key: slotKey("daily", slot, 0), Time: slot}
	cases := map[string]struct {
		order                          Order
		disk, token, name, fingerprint string
	}{
		"timer": {timer, "d-bp18kjxg9ebrhsgi0001", "sn1-wm2lzvxn4w3tnrftn5h45iequnhj2up5fsvvxcepwgfkbhpa45sq",
			"daily-web-1-20260130T1900-wm2lzvxn", "iiv2g4agg5fq"},
		"timer, another disk": {timer, "d-1", "sn1-f3psapb3bhblnue4bfu7c2a7lwovmtmxxans6o3xxebq3cednswa",
			"daily-web-1-20260130T1900-f3psapb3", "qetwleh3bzb2"},
		"explicit key": {Order{Target: "web-1", Role: "deploy", Sender: "api", Key: "deploy-42", ExplicitKey: true}, "d-1",
			"sn1-57dsj5rgs7infucdrj2rubjcycp6yzbwovql2ije2f3fusycs5nq", "deploy-web-1-57dsj5rg", "alge52lct7cu"},
		"tenant": {Order{Target: "web-1", Role: "deploy", Sender: "github", Tenant: "acme/shop", Key: "deployment:1"}, "d-1",
			"sn1-e6xsfzvtypk57chf32fq2yl4cgkceuqjxmsnprcdtrtqqlbfawia", "deploy-web-1-e6xsfzvt", "vid6ulx5gytp"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &run{Service: &Service{}}
			request, fingerprint := r.requestOf(c.order, Target{Name: "web-1", RegionID: "cn-hangzhou", DiskID: c.disk})
			if request.ClientToken != c.token || request.SnapshotName != c.name || fingerprint != c.fingerprint {
				t.Errorf("got %s %s %s", request.ClientToken, request.SnapshotName, fingerprint)
			}
			token, _ := request.tag(TagToken)
			text, _ := request.tag(TagMeta)
			if want := c.order.Role + "/" + c.order.Sender + "/" + c.fingerprint + "/" + deploymentMark(""); token != c.token ||
				text != want {
				t.Errorf("tags %q and %q, want %q", token, text, want)
			}
		})
	}
}

func TestSlotKey(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 31, 3, 0, 59, 0, time.FixedZone("CST", 8*3600))
	for hours, want := range map[int]string{
		0: "slot:daily:2026-01-30T19:00Z", 1: "slot:daily:2026-01-30T19:00Z:1", 24: "slot:daily:2026-01-30T19:00Z:24",
	} {
		if got := slotKey("daily", at, hours); got != want {
			t.Errorf("hour %d: got %q, want %q", hours, got, want)
		}
	}
	d := &due{target: Target{Name: "web-1"}, role: "daily", time: at.Truncate(time.Minute)}
	for minutes, want := range map[int]string{-5: "", 0: "", 59: "", 60: ":1", 119: ":1", 60 * 49: ":49"} {
		order := d.order(d.time.Add(time.Duration(minutes) * time.Minute))
		if order.Key != "slot:daily:2026-01-30T19:00Z"+want || order.Sender != "timer" || order.Tenant != "" ||
			!order.Time.Equal(d.time) {
			t.Errorf("after %d minutes: %+v", minutes, order)
		}
	}
}

func TestComposedKey(t *testing.T) {
	t.Parallel()
	if got, want := ComposedKey("push", "refs/heads/main", "", "b"), "push:15:refs/heads/main:0::1:b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if ComposedKey("e", "a:1:b") == ComposedKey("e", "a", "b") || ComposedKey("e", "a", "") == ComposedKey("e", "a") {
		t.Error("parts can be shifted into each other")
	}
	long := strings.Repeat("x", 200)
	if key := ComposedKey("event", long, long); len(key) > KeyMax || key == ComposedKey("event", long, long+"y") ||
		!strings.HasPrefix(key, "event::") {
		t.Errorf("a long key became %q", key)
	}
	if got := (BusEvent{Source: "acs.oss", ID: "1"}).Key(); got != "event:7:acs.oss:1:1" {
		t.Errorf("bus event: %q", got)
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
		"same event": {base.token("cn-a", "d-1"), true},
		"other delivery": {with(func(o *Order) {
			o.Reason, o.Actor, o.Time, o.MaxAge, o.Repeated, o.Unread, o.Paced = "r", "a", someDay, 1, true, true, true
		}).token("cn-a", "d-1"), true},
		"other sender":     {with(func(o *Order) { o.Sender = "slack" }).token("cn-a", "d-1"), false},
		"other tenant":     {with(func(o *Order) { o.Tenant = "u" }).token("cn-a", "d-1"), false},
		"other key":        {with(func(o *Order) { o.Key = "l" }).token("cn-a", "d-1"), false},
		"other region":     {base.token("cn-b", "d-1"), false},
		"other disk":       {base.token("cn-a", "d-2"), false},
		"fields shifted":   {with(func(o *Order) { o.Sender, o.Tenant = "apit", "" }).token("cn-a", "d-1"), false},
		"explicit":         {with(func(o *Order) { o.ExplicitKey = true }).token("cn-a", "d-1"), false},
		"the caller's own": {with(func(o *Order) { o.ClientToken = "mine" }).token("cn-a", "d-1"), false},
		"a deletion":       {deletionToken("s-1"), false},
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
	if deletionToken("s-1") == deletionToken("s-2") || len(deletionToken("s-1")) > tokenMax {
		t.Error("the token of a deletion must be a function of the snapshot")
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

func TestJoinedTag(t *testing.T) {
	t.Parallel()
	token := Order{Key: "k"}.token("cn-a", "d-1")
	if got, want := joinedTag(token), "swas-snapshot/joined-"+token[4:20]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var wrong Violations
	checkTagKey(&wrong, "", joinedTag("a token with blanks, of the caller's own"))
	if wrong != nil {
		t.Error(wrong)
	}
	host := Snapshot{Tags: []Tag{{joinedTag("a"), ""}, {joinedTag("b"), ""}, {TagKeep, "forever"}, {"joined-", ""}}}
	if host.joined() != 2 {
		t.Errorf("%d orders joined", host.joined())
	}
}

// TestNameProperty: whatever the event, the API takes the name; time and token stand in it whole, and are read again.
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
		hash := tokenHash(token, nameHash)
		if !strings.HasSuffix(name, "-"+hash) || !isHash(hash) || !strings.HasPrefix(name, role[:1]) {
			t.Fatalf("name %q does not end in %q", name, hash)
		}
		if got := eventMinute(name, tokenTag(token)); !at.IsZero() && !got.Equal(at.Truncate(time.Minute)) {
			t.Fatalf("name %q: minute %v, want %v", name, got, at)
		}
		if !at.IsZero() && !named(name, role, target, at) {
			t.Fatalf("name %q is not recognised", name)
		}
	}
}

func TestNameForm(t *testing.T) {
	t.Parallel()
	token := Order{Key: "k"}.token("cn-a", "d-1")
	hash := token[4:12]
	cases := map[string]struct {
		role, target string
		at           time.Time
		want         string
	}{
		"whole":        {"daily", "web-1", someDay, "daily-web-1-20260301T0200-" + hash},
		"without time": {"manual", "web-1", time.Time{}, "manual-web-1-" + hash},
		"cut": {"daily", strings.Repeat("w", 32), someDay, "daily-" + strings.Repeat("w",
			21) + "-20260301T0200-" + hash},
		"cut at a hyphen": {"daily", strings.Repeat("w", 20) + "-abc", someDay, "daily-" + strings.Repeat("w",
			20) + "-20260301T0200-" + hash},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := snapshotName(c.role, c.target, c.at, token); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	for _, explicit := range []Order{{Time: someDay, ExplicitKey: true}, {Time: someDay, ClientToken: "mine"}} {
		if !explicit.nameTime().IsZero() {
			t.Error("under a key of the caller's own the time is that of a delivery, and must not stand in the name")
		}
	}
}

func TestBelongsTo(t *testing.T) {
	t.Parallel()
	token := Order{Key: "k"}.token("cn-a", "d-1")
	name := func(at time.Time) string { return snapshotName("daily", "web-1", at, token) }
	cases := map[string]struct {
		name string
		made time.Time
		want time.Time
	}{
		"taken late":             {name(someDay), someDay.Add(time.Hour), someDay.Add(time.Hour)},
		"clock of the API slow":  {name(someDay), someDay.Add(-time.Minute), someDay},
		"name of another token":  {"daily-web-1-20260301T0200-aaaaaaaa", someDay.Add(-time.Hour), someDay.Add(-time.Hour)},
		"name without time":      {name(time.Time{}), someDay, someDay},
		"name of the caller's":   {"mine", someDay, someDay},
		"time that is not a day": {"daily-web-1-20269901T0200-" + token[4:12], someDay, someDay},
	}
	for label, c := range cases {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			one := Snapshot{Name: c.name, CreationTime: c.made, Tags: []Tag{{TagToken, token}, {TagMeta, "daily/timer/x"}}}
			if got := one.belongsTo(); !got.Equal(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
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
	target := Target{Name: "web-1", RegionID: "cn-a", DiskID: "d-1"}
	_, here := (&run{Service: &Service{}}).requestOf(o, target)
	_, there := (&run{Service: &Service{Policy: Policy{Deployment: "other"}}}).requestOf(o, target)
	if here != there {
		t.Error("the deployment must stay out")
	}
}

func TestParseMeta(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		want meta
		ok   bool
	}{
		"daily/timer/abc":         {meta{"daily", "timer", "abc", ""}, true},
		"daily/timer/abc/xyz":     {meta{"daily", "timer", "abc", "xyz"}, true},
		"daily/timer/abc/":        {meta{"daily", "timer", "abc", ""}, true},
		"daily/timer/abc/xyz/uvw": {},
		"daily/timer":             {},
		"daily//abc/xyz":          {},
		"daily/timer//xyz":        {},
		"1st/timer/abc/xyz":       {},
		"":                        {},
	}
	for text, c := range cases {
		if got, ok := parseMeta(text); got != c.want || ok != c.ok {
			t.Errorf("%q: got %+v %v", text, got, ok)
		}
	}
}

func FuzzParseMeta(f *testing.F) {
	for _, seed := range []string{"daily/timer/abcdefghijkl", "", "//", "daily/timer", "a/b/c/d", "1/b/c", "daily//x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := parseMeta(text)
		if again, _ := parseMeta(m.String()); ok && (again != m || !ValidRole(m.role)) {
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
		"four parts":      {[]Tag{token, {TagMeta, "daily/timer/x/y"}}, true, "daily"},
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
			if one.hiddenTags("web-1") == c.ours || one.hiddenTags("web-2") {
				t.Error("a name of ours without our tags, and only that, has hidden tags")
			}
		})
	}
}
