package webhook

import (
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// confirmation is one person's consent to delete one snapshot for a new one of one target. It is stored nowhere: an HMAC
// binds all of it. It acts once, because its order has one key, whatever carries it.
type confirmation struct {
	sender, tenant, actor string
	target, victim        string
	issued                time.Time // a multiple of confirmStep
}

const (
	// confirmFor is how long a confirmation is good.
	confirmFor = 5 * time.Minute
	// confirmStep is to what its time is rounded down, so that a code, which does not tell its time, is soon found.
	confirmStep = 10 * time.Second
)

func (c confirmation) goodAt(now time.Time) bool {
	age := now.Sub(c.issued)
	return age >= 0 && age < confirmFor+confirmStep // for its time is rounded down
}

// mac binds fields behind a label, each behind its length.
func (c confirmation) mac(key, label string, fields ...string) []byte {
	var text strings.Builder
	for _, field := range append([]string{label, c.sender, c.tenant, c.actor, c.target, strconv.FormatInt(c.issued.Unix(), 10)}, fields...) {
		var length [4]byte
		binary.BigEndian.PutUint32(length[:], uint32(len(field)))
		text.Write(length[:])
		text.WriteString(field)
	}
	return hmacSHA256(key, text.String())
}

// orderKey is the business key of the confirmed order. Button and code of one question, clicked or sent twice, have the
// same.
func (c confirmation) orderKey() string {
	return "confirm:" + c.victim + ":" + c.actor + ":" + strconv.FormatInt(c.issued.Unix(), 10)
}

// Which button it is stands in its HMAC: nobody makes one of the other.
const (
	buttonConfirm = "button"
	buttonCancel  = "cancel"
)

// value is what a button carries: all that the click does not tell by itself, and an HMAC.
func (c confirmation) value(key, button string) string {
	return strings.Join([]string{strconv.FormatInt(c.issued.Unix(), 10), c.target, c.victim, c.valueMAC(key, button)}, ".")
}

func (c confirmation) valueMAC(key, button string) string {
	return hex.EncodeToString(c.mac(key, button, c.victim)[:16])
}

// openValue returns the confirmation that a button carries, and whether this person was given it; whether it is still
// good is another matter. who is the person who clicked: sender, tenant and actor.
func openValue(keys []string, button, value string, who confirmation) (confirmation, bool) {
	parts := strings.Split(value, ".")
	if len(parts) != 4 {
		return confirmation{}, false
	}
	issued, err := parseTime(parts[0], time.Second)
	if err != nil {
		return confirmation{}, false
	}
	who.issued, who.target, who.victim = issued, parts[1], parts[2]
	return who, match(keys, parts[3], func(key string) string { return who.valueMAC(key, button) }) >= 0
}

// codeAlphabet is Crockford's base 32: nothing in it looks like anything else.
const codeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// code is what a person sends back: 4 characters. The first two depend on the target, the last two on the victim as
// well. It is no secret: whoever may ask for a snapshot gets one. It says that this person read this question.
func (c confirmation) code(key string) string { return c.codeHead(key) + c.codeTail(key) }

func (c confirmation) codeHead(key string) string { return codeOf(c.mac(key, "code")) }

func (c confirmation) codeTail(key string) string { return codeOf(c.mac(key, "code", c.victim)) }

func codeOf(mac []byte) string {
	return string([]byte{codeAlphabet[mac[0]&31], codeAlphabet[mac[1]&31]})
}

// normalCode reads a code as people write it.
func normalCode(text string) string {
	return strings.NewReplacer("O", "0", "I", "1", "L", "1", "-", "").Replace(strings.ToUpper(text))
}

// askedWith returns the times at which a code for the target can have been given, by its first two characters alone.
// Only for these is it worth an API call to see which snapshot it is about.
func (c confirmation) askedWith(keys []string, code string, now time.Time) []confirmation {
	var candidates []confirmation
	if len(code) != 4 {
		return nil
	}
	for c.issued = now.Truncate(confirmStep); c.goodAt(now); c.issued = c.issued.Add(-confirmStep) {
		if match(keys, code[:2], c.codeHead) >= 0 {
			candidates = append(candidates, c)
		}
	}
	return candidates
}

// confirms tells whether the code is about deleting c.victim.
func (c confirmation) confirms(keys []string, code string) bool {
	found := 0
	for _, key := range keys {
		found |= subtle.ConstantTimeCompare([]byte(c.code(key)), []byte(code))
	}
	return found == 1
}

// confirmKeys derives the keys of confirmations from a sender's signing secrets: instances share these, so a question that one
// asked is answered at another, and the keys change with them.
func confirmKeys(secrets []string) []string {
	keys := make([]string, len(secrets))
	for i, secret := range secrets {
		keys[i] = string(hmacSHA256(secret, "swas-snapshot confirmation"))
	}
	return keys
}
