package snapshot

import "strings"

// The forms of names and IDs are read by hand: compiling patterns for them took longer than the rest of a cold start.

// ValidRole reports whether text can be a role: 1 to 32 letters, digits, hyphens and underscores, the first a letter
// (a role begins the name of its snapshots, and a name must begin with a letter).
func ValidRole(text string) bool { return ValidTarget(text) && isLetter(text[0]) }

// ValidTarget reports whether text can be the name of a target: 1 to 32 letters, digits, hyphens and underscores.
func ValidTarget(text string) bool { return len(text) >= 1 && len(text) <= TargetMax && isWord(text) }

// ValidDisk reports whether text has the form of a disk ID: d- and 1 to 62 letters, digits, hyphens and underscores.
func ValidDisk(text string) bool { return validID("d-", text) }

// ValidRegion reports whether text has the form of a region ID, such as cn-hangzhou: 2 to 5 words of small letters and
// digits between hyphens, the first of letters alone. It is safe to stand in the name of a host.
func ValidRegion(text string) bool {
	words := strings.Split(text, "-")
	if len(words) < 2 || len(words) > 5 || len(words[0]) < 2 {
		return false
	}
	for i, word := range words {
		if len(word) < 1 || len(word) > 24 {
			return false
		}
		for _, c := range []byte(word) {
			if small := c >= 'a' && c <= 'z'; !small && (i == 0 || !isDigit(c)) {
				return false
			}
		}
	}
	return true
}

// validID reports whether text is a prefix and 1 to 62 letters, digits, hyphens and underscores, the first of them a
// letter or digit.
func validID(prefix, text string) bool {
	rest, ok := strings.CutPrefix(text, prefix)
	return ok && len(rest) >= 1 && len(rest) <= 62 && isWord(rest) && (isLetter(rest[0]) || isDigit(rest[0]))
}

// isWord reports whether text has letters, digits, hyphens and underscores only, all ASCII.
func isWord(text string) bool {
	for _, c := range []byte(text) {
		if !isLetter(c) && !isDigit(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Nearest returns the one of names that name most likely means, or "": at most two typing errors away, and never as far
// away as the name is long.
func Nearest(name string, names []string) string {
	best, distance := "", min(3, len(name))
	for _, candidate := range names {
		if d := edits(strings.ToLower(name), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

// edits is the Levenshtein distance of two short texts.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
