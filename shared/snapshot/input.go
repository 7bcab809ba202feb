package snapshot

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// quoteMax is how many characters of a text [Quote] shows.
const quoteMax = 60

// Quote returns text from outside as an error message shows it: in double quotes, on one line, at most 60 characters,
// with control, bidirectional and invisible characters escaped.
func Quote(text string) string {
	if runes := []rune(text); len(runes) > quoteMax {
		text = string(runes[:quoteMax-3]) + "..."
	}
	return strconv.Quote(text)
}

// Malformed returns the error of input that cannot be read: Code [CodeMalformed], Kind [KindMalformed], not retryable.
// The message goes to the sender of the input: no secret, and no part of the input but through [Quote].
func Malformed(format string, args ...any) *Error {
	return &Error{Code: CodeMalformed, Kind: KindMalformed, Message: fmt.Sprintf(format, args...)}
}

// daysMax is how many days a duration may have: a hundred years, well inside a [time.Duration].
const daysMax = 36500

// errDuration names the form of a duration and keeps the text itself out of logs.
var errDuration = errors.New("not a duration: use one such as 90m, 36h, 7d or 1d12h")

// ParseDuration reads a duration as [time.ParseDuration] does, with whole days before it: 90m, 36h, 7d, 1d12h. After
// days come less than 24 hours; 36500 days are the limit. The error says what is right and does not repeat the text.
func ParseDuration(text string) (time.Duration, error) {
	number, rest, hasDays := strings.Cut(text, "d")
	if !hasDays {
		d, err := time.ParseDuration(text)
		if err != nil {
			return 0, errDuration
		}
		return d, nil
	}
	days, err := strconv.ParseUint(number, 10, 16)
	if err != nil || days > daysMax {
		return 0, errDuration
	}
	var below time.Duration
	if rest != "" {
		below, err = time.ParseDuration(rest)
	}
	if err != nil || below < 0 || below >= 24*time.Hour {
		return 0, errDuration
	}
	return time.Duration(days)*24*time.Hour + below, nil
}

// IsLoopback reports whether a host, without its port, is this machine: localhost in any case, or an address of
// 127.0.0.0/8 or ::1.
func IsLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.IsLoopback()
}
