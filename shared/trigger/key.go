package trigger

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// ComposedKey returns the business key of an event that several parts identify, such as push:<ref>:<before>:<after>: the
// kind, and each part behind its length in bytes, so that no two lists of parts have the same key. A key that would be
// longer than [snapshot.KeyMax] is <kind>:sha256:<hash of that key, in hex> instead; no part has the length sha256.
func ComposedKey(kind string, parts ...string) string {
	var key strings.Builder
	key.WriteString(kind)
	for _, part := range parts {
		key.WriteString(":" + strconv.Itoa(len(part)) + ":" + part)
	}
	if key.Len() <= snapshot.KeyMax {
		return key.String()
	}
	sum := sha256.Sum256([]byte(key.String()))
	return kind + ":sha256:" + hex.EncodeToString(sum[:])
}
