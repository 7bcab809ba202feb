package trigger

import (
	"fmt"
	"strconv"

	"swas-snapshot/shared/snapshot"
)

// nameMax is how many characters of a field's name an error quotes: names come from unauthenticated callers, too.
const nameMax = 40

// malformed makes the one kind of error of this package.
func malformed(format string, args ...any) error {
	return &snapshot.Error{Code: snapshot.CodeMalformed, Kind: snapshot.KindMalformed, Message: fmt.Sprintf(format, args...)}
}

// within says in which part of the input an error lies. It keeps the code.
func within(place string, err error) error {
	if err == nil {
		return nil
	}
	known := *snapshot.AsError(err)
	known.Message = place + ": " + known.Message
	return &known
}

// expecting adds what would have been right, with an example to copy.
func expecting(err error, expected string) error {
	if err == nil {
		return nil
	}
	known := *snapshot.AsError(err)
	if known.Code == snapshot.CodeMalformed { // the rules of a parameter say themselves what would have been right
		known.Message += "; expected " + expected
	}
	return &known
}

// quoteName renders the name of a field for a message: one line, bounded, control and bidi characters escaped.
func quoteName(name string) string {
	if runes := []rune(name); len(runes) > nameMax {
		name = string(runes[:nameMax-3]) + "..."
	}
	return strconv.Quote(name)
}
