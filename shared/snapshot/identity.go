package snapshot

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// Tags that are this project's own. A snapshot is ours if it carries TagToken and TagMeta.
const (
	TagToken = tagPrefix + "token" // the client token of the order that took it
	TagMeta  = tagPrefix + "meta"  // <role>/<trigger>/<fingerprint>
	TagKeep  = tagPrefix + "keep"  // a pin: forever, or the last day, 2026-12-01
	tagDone  = tagPrefix + "done"  // people were told that it is accomplished

	tagPrefix   = "swas-snapshot/"
	tokenPrefix = "sn1-"
)

// nameTimeForm is the form of the event's time in a name: UTC, to the minute.
const nameTimeForm = "20060102T1504"

// minuteForm is the form of the minute in the business key of a tick: UTC.
const minuteForm = "2006-01-02T15:04Z"

// SlotKey is the business key of a tick: two timers, two platforms or a redelivery that mean the same minute mean
// the same snapshot.
func SlotKey(role string, at time.Time) string {
	return "slot:" + role + ":" + at.UTC().Format(minuteForm)
}

// ourToken tells whether a token has the form of those that Order.token makes.
func ourToken(token string) bool {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	return ok && len(rest) == 52 && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// digest hashes fields, each behind its length, so that no two lists of fields can be confused.
func digest(fields ...string) string {
	h := sha256.New()
	var length [4]byte
	for _, field := range fields {
		binary.BigEndian.PutUint32(length[:], uint32(len(field)))
		h.Write(length[:])
		h.Write([]byte(field))
	}
	return lowerBase32.EncodeToString(h.Sum(nil))
}

// token returns the client token of an order on a disk: 56 characters, a pure function of the business event.
func (o Order) token(region, disk string) string {
	if o.ClientToken != "" {
		return o.ClientToken
	}
	if o.ExplicitKey {
		region, disk = "", ""
	}
	return tokenPrefix + digest(o.Sender, o.Tenant, o.Key, "CreateSnapshot", region, disk)
}

// tokenTag returns the value of TagToken for a token: the token itself, unless a caller chose one that the API does not
// take as the value of a tag.
func tokenTag(token string) string {
	var wrong Violations
	if checkTagValue(&wrong, TagToken, token); wrong != nil {
		return tokenPrefix + digest(token)
	}
	return token
}

// deletionToken returns the client token of the deletion of a victim on behalf of an order.
func deletionToken(token, victim string) string {
	return tokenPrefix + digest(token, "DeleteSnapshot", victim)
}

// shortToken returns the 8 characters of a token that stand in a name. A caller's own token may hold characters
// that a name may not, or differ in its end alone, so it is hashed first.
func shortToken(token string) string {
	if ourToken(token) {
		return token[len(tokenPrefix):][:8]
	}
	return digest(token)[:8]
}

// nameTime returns the time that stands in the name. Under a key of the caller's own the event is the key, and Time is
// only that of a delivery: the same order in a second message must get the same name.
func (o Order) nameTime() time.Time {
	if o.ExplicitKey || o.ClientToken != "" {
		return time.Time{}
	}
	return o.Time
}

// snapshotName returns <role>-<target>-<yyyymmddThhmm>-<8 of the token>, cut in role and target to nameMax
// characters. An event without a time of its own has none in its name.
func snapshotName(role, target string, at time.Time, token string) string {
	tail := "-" + shortToken(token)
	if !at.IsZero() {
		tail = "-" + at.UTC().Format(nameTimeForm) + tail
	}
	head := role + "-" + target
	if room := nameMax - len(tail); len(head) > room {
		head = strings.TrimRight(head[:room], "-_")
	}
	return head + tail
}

// fingerprint identifies the parameters of an order beside its token: the same token with another fingerprint is
// another order that uses a used key. The tags of the policy stay out, so that a changed policy does not turn a
// redelivery into another order.
func (o Order) fingerprint(r Request) string {
	fields := []string{r.RegionID, r.DiskID, r.SnapshotName, o.ResourceGroupID, o.Role}
	for _, tag := range o.Tags {
		fields = append(fields, tag.Key, tag.Value)
	}
	return digest(fields...)[:12]
}

// meta is the content of TagMeta.
type meta struct{ role, trigger, fingerprint string }

func (m meta) String() string { return m.role + "/" + m.trigger + "/" + m.fingerprint }

// parseMeta reads TagMeta; false says that the tag is not in our form.
func parseMeta(text string) (meta, bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 || !ValidRole(parts[0]) || parts[1] == "" || parts[2] == "" {
		return meta{}, false
	}
	return meta{parts[0], parts[1], parts[2]}, true
}

// ours tells whether the snapshot carries the two tags of this project.
func (s Snapshot) ours() bool {
	token, hasToken := s.Tag(TagToken)
	_, hasMeta := s.Tag(TagMeta)
	return hasToken && hasMeta && token != ""
}

// role returns the role for which one of our snapshots was taken, or "" if it is not ours or its tag is unreadable.
func (s Snapshot) role() string {
	text, _ := s.Tag(TagMeta)
	m, ok := parseMeta(text)
	if !ok || !s.ours() {
		return ""
	}
	return m.role
}
