package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// Tags that are this project's own. A snapshot is ours if it carries TagToken and TagMeta.
const (
	TagToken = tagPrefix + "token" // the client token of the order that took it
	TagMeta  = tagPrefix + "meta"  // <role>/<sender>/<fingerprint>/<hash of the deployment's name>
	TagKeep  = tagPrefix + "keep"  // a pin: forever, or the last day, 2026-12-01

	// tagJoined and 16 characters of a token's hash mark a snapshot that another order joined; its value is the meta
	// of that order.
	tagJoined = tagPrefix + "joined-"

	tagPrefix   = "swas-snapshot/"
	tokenPrefix = "sn1-"
)

// nameTimeForm is the form of the event's time in a name: UTC, to the minute.
const nameTimeForm = "20060102T1504"

// minuteForm is the form of the minute in the business key of a tick: UTC.
const minuteForm = "2006-01-02T15:04Z"

// slotKey is the business key of a due role: two timers, two platforms or a redelivery that mean the same minute mean
// the same snapshot. hours counts the whole hours since at: a snapshot that failed is ordered again under a new key,
// at most once an hour.
func slotKey(role string, at time.Time, hours int) string {
	key := "slot:" + role + ":" + at.UTC().Format(minuteForm)
	if hours > 0 {
		key += ":" + strconv.Itoa(hours)
	}
	return key
}

// ourToken reports whether a token has the form of those that Order.token makes.
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

// deletionToken returns the client token of the deletion of a snapshot by a sweep.
func deletionToken(id string) string { return tokenPrefix + digest("sweep", "DeleteSnapshot", id) }

// Characters of a token's hash that stand in a name and in the key of a joined tag.
const (
	nameHash   = 8
	joinedHash = 16
)

// tokenHash returns the first n characters of a token's hash. Our own tokens are hashes. A caller's own token may hold
// characters that a name may not, or differ in its end alone, so it is hashed first.
func tokenHash(token string, n int) string {
	if ourToken(token) {
		return token[len(tokenPrefix):][:n]
	}
	return digest(token)[:n]
}

// joinedTag is the key of the tag that an order leaves on the snapshot that it joined.
func joinedTag(token string) string { return tagJoined + tokenHash(token, joinedHash) }

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
	tail := "-" + tokenHash(token, nameHash)
	if !at.IsZero() {
		tail = "-" + at.UTC().Format(nameTimeForm) + tail
	}
	return nameHead(role, target, nameMax-len(tail)) + tail
}

// nameHead returns what stands before the time in a name, in at most length characters.
func nameHead(role, target string, length int) string {
	head := role + "-" + target
	if len(head) > length {
		head = strings.TrimRight(head[:length], "-_")
	}
	return head
}

// eventMinute returns the minute of the event that stands in the name of a snapshot, if the name ends in the hash of
// token; else the zero time.
func eventMinute(name, token string) time.Time {
	rest, ok := strings.CutSuffix(name, "-"+tokenHash(token, nameHash))
	if !ok || len(rest) < len(nameTimeForm) {
		return time.Time{}
	}
	at, err := time.Parse(nameTimeForm, rest[len(rest)-len(nameTimeForm):])
	if err != nil {
		return time.Time{}
	}
	return at
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

// meta is the content of TagMeta, and of a joined tag.
type meta struct{ role, trigger, fingerprint, deployment string }

func (m meta) String() string {
	return m.role + "/" + m.trigger + "/" + m.fingerprint + "/" + m.deployment
}

// parseMeta reads TagMeta; false says that the tag is not in our form. Snapshots of the first version have no
// deployment.
func parseMeta(text string) (meta, bool) {
	parts := strings.Split(text, "/")
	if len(parts) == 3 {
		parts = append(parts, "")
	}
	if len(parts) != 4 || !ValidRole(parts[0]) || parts[1] == "" || parts[2] == "" {
		return meta{}, false
	}
	return meta{parts[0], parts[1], parts[2], parts[3]}, true
}

// defaultDeployment is the name of a deployment whose policy names none.
const defaultDeployment = "swas-snapshot"

// deploymentMark is what stands in meta for the name of a deployment.
func deploymentMark(name string) string { return digest(cmp.Or(name, defaultDeployment))[:6] }

// ours reports whether the snapshot carries the two tags of this project.
func (s Snapshot) ours() bool {
	token, hasToken := s.Tag(TagToken)
	_, hasMeta := s.Tag(TagMeta)
	return hasToken && hasMeta && token != ""
}

// meta returns the meta of a snapshot of ours; the zero meta if it is not ours or its tag is unreadable.
func (s Snapshot) meta() meta {
	text, _ := s.Tag(TagMeta)
	m, ok := parseMeta(text)
	if !ok || !s.ours() {
		return meta{}
	}
	return m
}

// role returns the role for which one of our snapshots was taken, or "".
func (s Snapshot) role() string { return s.meta().role }

// joined returns how many orders joined the snapshot.
func (s Snapshot) joined() int {
	n := 0
	for _, tag := range s.Tags {
		if strings.HasPrefix(tag.Key, tagJoined) {
			n++
		}
	}
	return n
}

// belongsTo returns the moment to which a snapshot of ours belongs: the later of its event's minute and its creation.
func (s Snapshot) belongsTo() time.Time {
	token, _ := s.Tag(TagToken)
	if minute := eventMinute(s.Name, token); minute.After(s.CreationTime) {
		return minute
	}
	return s.CreationTime
}

// named reports whether a name has the form of those that this project gives to snapshots of a role and target for a
// minute, whatever its token. A snapshot without our tags but with such a name is ours, and the API hides its tags.
func named(name, role, target string, at time.Time) bool {
	tail := len("-"+nameTimeForm) + 1 + nameHash
	head := nameHead(role, target, nameMax-tail)
	rest, ok := strings.CutPrefix(name, head+"-"+at.UTC().Format(nameTimeForm)+"-")
	return ok && isHash(rest)
}

// hiddenTags reports whether a snapshot has no tags of ours, but a name as ours are for a target.
func (s Snapshot) hiddenTags(target string) bool {
	at := strings.LastIndexByte(s.Name, '-')
	return !s.ours() && at > 0 && strings.Contains(s.Name[:at+1], "-"+target+"-") && isHash(s.Name[at+1:])
}

// isHash reports whether text has the form of the hash in a name.
func isHash(text string) bool {
	return len(text) == nameHash && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
