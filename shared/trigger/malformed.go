package trigger

import (
	"fmt"
	"strconv"

	"swas-snapshot/shared/snapshot"
)

// nameMax is how many characters of a field's name an error quotes: names come from strangers too.
const nameMax = 40

// malformed makes the one kind of error of this package.
func malformed(format string, args ...any) error {
	return &snapshot.Error{Code: snapshot.CodeMalformed, Kind: snapshot.KindMalformed, Message: fmt.Sprintf(format, args...)}
}

// within says in which part of the input an error lies.
func within(place string, err error) error {
	if err == nil {
		return nil
	}
	return malformed("%s: %s", place, snapshot.AsError(err).Message)
}

// expecting adds what would have been right, with an example to copy.
func expecting(err error, expected string) error {
	if err == nil {
		return nil
	}
	return malformed("%s; expected %s", snapshot.AsError(err).Message, expected)
}

// quoteName renders the name of a field for a message: one line, bounded, control and bidi characters escaped.
func quoteName(name string) string {
	if runes := []rune(name); len(runes) > nameMax {
		name = string(runes[:nameMax-3]) + "..."
	}
	return strconv.Quote(name)
}
