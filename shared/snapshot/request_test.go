package snapshot

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// violations returns err as "field code" lines.
func violations(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var all Violations
	if !errors.As(err, &all) {
		t.Fatalf("got %T, want Violations", err)
	}
	var lines []string
	for _, one := range all {
		if one.Defect == "" {
			t.Errorf("%s has no defect", one.Field)
		}
		lines = append(lines, one.Field+" "+one.Code)
	}
	return lines
}

func tags(n int) []Tag {
	all := make([]Tag, n)
	for i := range all {
		all[i] = Tag{Key: "k" + strconv.Itoa(i), Value: "v"}
	}
	return all
}

func ownTags() []Tag { return []Tag{{TagToken, "sn1-x"}, {TagMeta, "daily/timer/x"}} }

func TestRequestValidate(t *testing.T) {
	t.Parallel()
	valid := Request{RegionID: "cn-hangzhou", DiskID: "d-bp18kjxg9ebrhsgi0001", SnapshotName: "web"}
	cases := map[string]struct {
		change func(*Request)
		want   []string
	}{
		"OK":                       {func(*Request) {}, nil},
		"region missing":           {func(r *Request) { r.RegionID = "" }, []string{"RegionId MissingRegionId"}},
		"region with capital":      {func(r *Request) { r.RegionID = "cn-Hangzhou" }, []string{"RegionId InvalidRegionId"}},
		"region without hyphen":    {func(r *Request) { r.RegionID = "hangzhou" }, []string{"RegionId InvalidRegionId"}},
		"region that is a host":    {func(r *Request) { r.RegionID = "cn-a.evil.example/" }, []string{"RegionId InvalidRegionId"}},
		"region of three parts":    {func(r *Request) { r.RegionID = "cn-wuhan-lr" }, nil},
		"region ap-southeast-1":    {func(r *Request) { r.RegionID = "ap-southeast-1" }, nil},
		"region with newline":      {func(r *Request) { r.RegionID = "cn-hangzhou\n" }, []string{"RegionId InvalidRegionId"}},
		"disk missing":             {func(r *Request) { r.DiskID = "" }, []string{"DiskId MissingDiskId"}},
		"disk of another kind":     {func(r *Request) { r.DiskID = "s-bp1" }, []string{"DiskId InvalidDiskId"}},
		"disk with blank":          {func(r *Request) { r.DiskID = "d-bp 1" }, []string{"DiskId InvalidDiskId"}},
		"disk with prefix alone":   {func(r *Request) { r.DiskID = "d-" }, []string{"DiskId InvalidDiskId"}},
		"disk of 64":               {func(r *Request) { r.DiskID = "d-" + strings.Repeat("a", 62) }, nil},
		"disk of 65":               {func(r *Request) { r.DiskID = "d-" + strings.Repeat("a", 63) }, []string{"DiskId InvalidDiskId"}},
		"name missing":             {func(r *Request) { r.SnapshotName = "" }, []string{"SnapshotName MissingSnapshotName"}},
		"name of 1":                {func(r *Request) { r.SnapshotName = "a" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name of 2":                {func(r *Request) { r.SnapshotName = "ab" }, nil},
		"name of 50":               {func(r *Request) { r.SnapshotName = strings.Repeat("a", 50) }, nil},
		"name of 51":               {func(r *Request) { r.SnapshotName = strings.Repeat("a", 51) }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name of 2 Chinese":        {func(r *Request) { r.SnapshotName = "快照" }, nil},
		"name of 1 Chinese":        {func(r *Request) { r.SnapshotName = "快" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name of 50 Chinese":       {func(r *Request) { r.SnapshotName = strings.Repeat("照", 50) }, nil},
		"name of 51 Chinese":       {func(r *Request) { r.SnapshotName = strings.Repeat("照", 51) }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name, every character":    {func(r *Request) { r.SnapshotName = "aZ09:_.-" }, nil},
		"name from digit":          {func(r *Request) { r.SnapshotName = "1a" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name from hyphen":         {func(r *Request) { r.SnapshotName = "-a" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name with blank":          {func(r *Request) { r.SnapshotName = "a b" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name with umlaut":         {func(r *Request) { r.SnapshotName = "aä" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name with Arabic digit":   {func(r *Request) { r.SnapshotName = "a٣" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name with newline":        {func(r *Request) { r.SnapshotName = "ab\n" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name not UTF-8":           {func(r *Request) { r.SnapshotName = "ab\xff" }, []string{"SnapshotName " + CodeNameUnsupported}},
		"name from http":           {func(r *Request) { r.SnapshotName = "http:ab" }, nil},
		"name from http://":        {func(r *Request) { r.SnapshotName = "http://ab" }, []string{"SnapshotName " + CodeNameUnsupported, "SnapshotName " + CodeNameUnsupported}},
		"name from HTTPS://":       {func(r *Request) { r.SnapshotName = "HttpS://ab" }, []string{"SnapshotName " + CodeNameUnsupported, "SnapshotName " + CodeNameUnsupported}},
		"token of 64":              {func(r *Request) { r.ClientToken = strings.Repeat("t", 64) }, nil},
		"token of 65":              {func(r *Request) { r.ClientToken = strings.Repeat("t", 65) }, []string{"ClientToken InvalidClientToken"}},
		"token, edges of ASCII":    {func(r *Request) { r.ClientToken = " ~" }, nil},
		"token with control":       {func(r *Request) { r.ClientToken = "a\x7f" }, []string{"ClientToken InvalidClientToken"}},
		"token with tab":           {func(r *Request) { r.ClientToken = "a\t" }, []string{"ClientToken InvalidClientToken"}},
		"token not ASCII":          {func(r *Request) { r.ClientToken = "é" }, []string{"ClientToken InvalidClientToken"}},
		"10 own tags":              {func(r *Request) { r.Tags = tags(10) }, nil},
		"11 own tags":              {func(r *Request) { r.Tags = tags(11) }, []string{"Tag InvalidTag"}},
		"10 own tags and ours":     {func(r *Request) { r.Tags = append(tags(10), ownTags()...) }, nil},
		"11 own tags and ours":     {func(r *Request) { r.Tags = append(tags(11), ownTags()...) }, []string{"Tag InvalidTag"}},
		"13 tags, 3 reserved":      {func(r *Request) { r.Tags = append(append(tags(10), ownTags()...), Tag{TagKeep, "no"}) }, nil},
		"key empty":                {func(r *Request) { r.Tags = []Tag{{"", "v"}} }, []string{"Tag.1.Key InvalidTag"}},
		"key of 1":                 {func(r *Request) { r.Tags = []Tag{{"k", ""}} }, nil},
		"key of 64":                {func(r *Request) { r.Tags = []Tag{{strings.Repeat("钥", 64), ""}} }, nil},
		"key of 65":                {func(r *Request) { r.Tags = []Tag{{strings.Repeat("k", 65), ""}} }, []string{"Tag.1.Key InvalidTag"}},
		"key from acs:":            {func(r *Request) { r.Tags = []Tag{{"acs:x", ""}} }, []string{"Tag.1.Key InvalidTag"}},
		"key from ACS:":            {func(r *Request) { r.Tags = []Tag{{"AcS:x", ""}} }, []string{"Tag.1.Key InvalidTag"}},
		"key from acs":             {func(r *Request) { r.Tags = []Tag{{"acs", ""}} }, nil},
		"key from aliyun":          {func(r *Request) { r.Tags = []Tag{{"aliyun", ""}} }, []string{"Tag.1.Key InvalidTag"}},
		"key from Aliyun":          {func(r *Request) { r.Tags = []Tag{{"ALIYUNx", ""}} }, []string{"Tag.1.Key InvalidTag"}},
		"key with aliyun inside":   {func(r *Request) { r.Tags = []Tag{{"my-aliyun", ""}} }, nil},
		"key with http://":         {func(r *Request) { r.Tags = []Tag{{"a-HTTP://b", ""}} }, []string{"Tag.1.Key InvalidTag"}},
		"key not UTF-8":            {func(r *Request) { r.Tags = []Tag{{"k\xff", ""}} }, []string{"Tag.1.Key InvalidTag"}},
		"value of 64":              {func(r *Request) { r.Tags = []Tag{{"k", strings.Repeat("值", 64)}} }, nil},
		"value of 65":              {func(r *Request) { r.Tags = []Tag{{"k", strings.Repeat("v", 65)}} }, []string{"Tag.1.Value InvalidTag"}},
		"value with https:// late": {func(r *Request) { r.Tags = []Tag{{"k", "see hTTps://x"}} }, []string{"Tag.1.Value InvalidTag"}},
		"value from acs:":          {func(r *Request) { r.Tags = []Tag{{"k", "acs:x"}} }, nil},
		"key doubled":              {func(r *Request) { r.Tags = []Tag{{"k", "1"}, {"K", "2"}, {"k", "3"}} }, []string{"Tag.3.Key InvalidTag"}},
		"group of another kind":    {func(r *Request) { r.ResourceGroupID = "group" }, []string{"ResourceGroupId InvalidResourceGroupId"}},
		"group":                    {func(r *Request) { r.ResourceGroupID = "rg-aek2bti7cf70001" }, nil},
		"all at once": {
			func(r *Request) {
				*r = Request{ClientToken: strings.Repeat("é", 33), Tags: []Tag{{"", "http://"}}, ResourceGroupID: "x"}
			},
			[]string{
				"RegionId MissingRegionId", "DiskId MissingDiskId", "SnapshotName MissingSnapshotName", "ClientToken InvalidClientToken",
				"ClientToken InvalidClientToken", "Tag.1.Key InvalidTag", "Tag.1.Value InvalidTag", "ResourceGroupId InvalidResourceGroupId",
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := valid
			c.change(&r)
			if got := violations(t, r.Validate()); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestOrderValidate(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		order Order
		want  []string
	}{
		"OK":                  {Order{Target: "web-1", Key: "k"}, nil},
		"disk":                {Order{DiskID: "d-1", Key: "k"}, nil},
		"nothing named":       {Order{Key: "k"}, []string{"target InvalidOrder"}},
		"both named":          {Order{Target: "web-1", DiskID: "d-1", Key: "k"}, []string{"target InvalidOrder"}},
		"target of 32":        {Order{Target: strings.Repeat("t", 32), Key: "k"}, nil},
		"target of 33":        {Order{Target: strings.Repeat("t", 33), Key: "k"}, []string{"target InvalidOrder"}},
		"target with slash":   {Order{Target: "a/b", Key: "k"}, []string{"target InvalidOrder"}},
		"role of 32":          {Order{Target: "t", Key: "k", Role: strings.Repeat("r", 32)}, nil},
		"role of 33":          {Order{Target: "t", Key: "k", Role: strings.Repeat("r", 33)}, []string{"role InvalidOrder"}},
		"role from digit":     {Order{Target: "t", Key: "k", Role: "1st"}, []string{"role InvalidOrder"}},
		"role with slash":     {Order{Target: "t", Key: "k", Role: "a/b"}, []string{"role InvalidOrder"}},
		"reason of 500":       {Order{Target: "t", Key: "k", Reason: strings.Repeat("因", 500)}, nil},
		"reason of 501":       {Order{Target: "t", Key: "k", Reason: strings.Repeat("x", 501)}, []string{"reason InvalidOrder"}},
		"key missing":         {Order{Target: "t"}, []string{"key InvalidOrder"}},
		"key of 255":          {Order{Target: "t", Key: strings.Repeat("k", 255)}, nil},
		"key of 256":          {Order{Target: "t", Key: strings.Repeat("k", 256)}, []string{"key InvalidOrder"}},
		"maxAge negative":     {Order{Target: "t", Key: "k", MaxAge: -1}, []string{"maxAge InvalidOrder"}},
		"tag of ours":         {Order{Target: "t", Key: "k", Tags: []Tag{{"a", ""}, {"SWAS-snapshot/token", "x"}}}, []string{"Tag.2.Key InvalidTag"}},
		"tag nearly of ours":  {Order{Target: "t", Key: "k", Tags: []Tag{{"swas-snapshots", ""}}}, nil},
		"everything at once":  {Order{Role: "-", Reason: strings.Repeat("x", 501), MaxAge: -1}, []string{"target InvalidOrder", "role InvalidOrder", "reason InvalidOrder", "key InvalidOrder", "maxAge InvalidOrder"}},
		"target is a newline": {Order{Target: "web\n", Key: "k"}, []string{"target InvalidOrder"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := violations(t, c.order.Validate()); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// FuzzRequestName holds the checks against an independent reading of the page: whatever passes obeys every sentence.
func FuzzRequestName(f *testing.F) {
	for _, seed := range []string{"", "a", "ab", "快照-1", "http://x", "a b", "\xff\xfe", strings.Repeat("x", 51)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := Request{RegionID: "cn-hangzhou", DiskID: "d-1", SnapshotName: name}.Validate()
		if err != nil {
			if text := err.Error(); !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00") {
				t.Errorf("the error is not one clean line: %q", text)
			}
			return
		}
		if n := utf8.RuneCountInString(name); n < 2 || n > 50 || !utf8.ValidString(name) || strings.ContainsAny(name, " /\n") || strings.ContainsAny(name[:1], "0123456789:_.-") {
			t.Errorf("%q passed", name)
		}
	})
}
