package snapshot_test

import (
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0s": 0, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "36h": 36 * time.Hour, "-1h": -time.Hour,
		"0d": 0, "7d": 7 * day, "1d12h": 36 * time.Hour, "1d0s": day, "1d23h59m": 2*day - time.Minute, "36500d": 36500 * day,
	} {
		if got, err := snapshot.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "d", "3600", "1.5d", "-1d", "+1d", "1d1d", "1d24h", "1d30h", "1d-1h", "1d x", "12h1d", "36501d", "99999d", " 7d", "7D",
		"made-up", "9999999h",
	} {
		got, err := snapshot.ParseDuration(text)
		if err == nil || got != 0 {
			t.Errorf("%q: got %s and the error %v", text, got, err)
		} else if !strings.Contains(err.Error(), "use one such as") || strings.Contains(err.Error(), "made-up") {
			t.Errorf("%q: the error is %q", text, err)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        `""`,
		"web-1":                   `"web-1"`,
		"a\nb\x1b[31m\u202e\"":    `"a\nb\x1b[31m\u202e\""`,
		strings.Repeat("长", 60):   `"` + strings.Repeat("长", 60) + `"`,
		strings.Repeat("长", 61):   `"` + strings.Repeat("长", 57) + `..."`,
		"\xff" + "not UTF-8 text": `"\xffnot UTF-8 text"`,
	} {
		if got := snapshot.Quote(text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	want := snapshot.Error{Code: "MalformedEvent", Kind: snapshot.KindMalformed, Message: "element 2 is empty"}
	if got := snapshot.Malformed("element %d is empty", 2); *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.8.8.8": true, "::1": true,
		"": false, "localhost.example": false, "127.0.0.1.example": false, "127.0.0.1:80": false, "10.0.0.1": false,
		"0.0.0.0": false, "::": false, "swas.cn-hangzhou.aliyuncs.com": false,
	} {
		if got := snapshot.IsLoopback(host); got != want {
			t.Errorf("%q: got %t", host, got)
		}
	}
}
