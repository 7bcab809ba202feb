package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrUnauthenticated is beneath every refusal of a verifier. What it wraps says why, for the log alone: an answer that
// told a forger how far he came would help him.
var ErrUnauthenticated = errors.New("request is not authenticated")

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrUnauthenticated, why) }

// authHeaders are the headers that verifiers read. One that is too long is no signature, and so is refused like a wrong
// one; any other is malformed.
var authHeaders = []string{
	"X-Slack-Signature", "X-Slack-Request-Timestamp", "Sign", "Timestamp",
	"X-Lark-Signature", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "Authorization",
	"X-Hub-Signature-256", "X-Gitlab-Token", "X-Gitee-Token", "X-Gitee-Timestamp", headerID, headerTime, headerSigned,
}

// Window is how far the time in a signature may lie from ours, either way; so far a captured request can be replayed.
// Slack, Standard Webhooks and Svix name 5 minutes; where DingTalk and Gitee allow an hour, it is narrowed to this.
const Window = 5 * time.Minute

// fresh checks a timestamp of a signature, which counts unit (seconds or milliseconds) since 1970. Digits only: a sign,
// a blank or a leading zero would be a second spelling of the same time.
func fresh(text string, unit time.Duration, now time.Time) error {
	at, err := parseTime(text, unit)
	if err != nil {
		return err
	}
	return near(at, now.Truncate(unit)) // a stamp in seconds has no fraction, so ours has none
}

func parseTime(text string, unit time.Duration) (time.Time, error) {
	if text == "" {
		return time.Time{}, refuse("the timestamp is missing")
	}
	if len(text) > 13 || text[0] == '0' {
		return time.Time{}, refuse("the timestamp is malformed")
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return time.Time{}, refuse("the timestamp is malformed")
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, refuse("the timestamp is malformed")
	}
	if unit == time.Millisecond {
		return time.UnixMilli(n), nil
	}
	return time.Unix(n, 0), nil
}

func near(at, now time.Time) error {
	if drift := now.Sub(at); drift > Window || drift < -Window {
		return refuse(fmt.Sprintf("the timestamp is off by %s, more than %s", drift.Round(time.Second), Window))
	}
	return nil
}

// match compares got with what each secret yields, and returns the index of the last secret that yields it, or -1. All
// are tried, each in constant time, so that the time that it takes tells neither which secret nor which byte came close.
func match(secrets []string, got string, sign func(secret string) string) int {
	found := -1
	for i, secret := range secrets {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare([]byte(sign(secret)), []byte(got)), i, found)
	}
	return found
}

// equalsAny compares got with the secrets themselves. Their length stays hidden behind a hash.
func equalsAny(secrets []string, got string) bool {
	sum := sha256.Sum256([]byte(got))
	return match(secrets, string(sum[:]), func(secret string) string {
		own := sha256.Sum256([]byte(secret))
		return string(own[:])
	}) >= 0
}

// checkSignature refuses unless got is what one of the secrets yields.
func checkSignature(secrets []string, got string, sign func(secret string) string) error {
	if got == "" {
		return refuse("the signature is missing")
	}
	if match(secrets, got, sign) < 0 {
		return refuse("the signature does not match")
	}
	return nil
}

// hmacSHA256 returns the HMAC-SHA256 of the parts, one behind the other.
func hmacSHA256(key string, parts ...string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return mac.Sum(nil)
}

func hexHMAC(key string, parts ...string) string {
	return hex.EncodeToString(hmacSHA256(key, parts...))
}

func base64HMAC(key string, parts ...string) string {
	return base64.StdEncoding.EncodeToString(hmacSHA256(key, parts...))
}
