package trigger

import "swas-snapshot/shared/snapshot"

// within says in which part of the input an error lies. It keeps the code.
func within(part string, err error) error {
	if err == nil {
		return nil
	}
	known := *snapshot.AsError(err)
	known.Message = part + ": " + known.Message
	return &known
}

// expecting adds to an error what would have been right, with an example to copy.
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
