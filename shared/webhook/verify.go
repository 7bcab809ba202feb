package webhook

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrUnauthenticated is wrapped by every refusal of a verifier. The text of the refusal says why, for the log alone: in
// an answer it would help to forge a request.
var ErrUnauthenticated = errors.New("request is not authenticated")

func refuse(why string) error { return fmt.Errorf("%w: %s", ErrUnauthenticated, why) }

// Window is how far the time in a signature may lie from ours, either way; so long a captured request can be replayed.
// Slack, Standard Webhooks and Svix name 5 minutes; where DingTalk and Gitee allow an hour, it is narrowed to this.
const Window = 5 * time.Minute

// fresh checks a timestamp of a signature, which counts unit (seconds or milliseconds) since 1970. Digits only: a sign,
// a blank or a leading zero would be a second spelling of the same time.
func fresh(text string, unit time.Duration, now time.Time) error {
	if text == "" || len(text) > 13 || text[0] == '0' || strings.Trim(text, "0123456789") != "" {
		return refuse("the timestamp is missing or malformed")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return refuse("the timestamp is malformed")
	}
	// A timestamp in seconds has no fraction, so ours has none.
	return near(time.UnixMilli(n*unit.Milliseconds()), now.Truncate(unit))
}

// near checks that a time lies within the window.
func near(at, now time.Time) error {
	if drift := now.Sub(at); drift > Window || drift < -Window {
		return refuse(fmt.Sprintf("the timestamp is off by %s, more than %s", drift.Round(time.Second), Window))
	}
	return nil
}

// match compares got with what each key yields, and returns the index of the last key that yields it, or -1. All are
// tried, each in constant time, so that the time that it takes reveals neither the key nor how many bytes were right.
func match(keys []string, got string, sign func(key string) string) int {
	found := -1
	for i, key := range keys {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare([]byte(sign(key)), []byte(got)), i, found)
	}
	return found
}

// equalsAny reports whether got is one of the tokens. Their length stays hidden behind a hash.
func equalsAny(tokens []string, got string) bool {
	hashed := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return string(sum[:])
	}
	return match(tokens, hashed(got), hashed) >= 0
}

// checkSignature refuses unless got is what one of the keys yields.
func checkSignature(keys []string, got string, sign func(key string) string) error {
	if got == "" {
		return refuse("the signature is missing")
	}
	if match(keys, got, sign) < 0 {
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

var errCipherText = errors.New("cipher text is malformed")

// decryptCBC decrypts AES-CBC and removes the PKCS7 padding, of at most padMax bytes.
func decryptCBC(key, iv, cipherText []byte, padMax int) ([]byte, error) {
	if len(cipherText) == 0 || len(cipherText)%aes.BlockSize != 0 {
		return nil, errCipherText
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("failed to use AES key: %w", err)
	}
	plain := make([]byte, len(cipherText))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, cipherText)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > padMax || pad > len(plain) {
		return nil, errCipherText
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errCipherText
		}
	}
	return plain[:len(plain)-pad], nil
}
