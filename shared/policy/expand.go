package policy

import (
	"errors"
	"fmt"
	"strings"
)

// expand replaces each ${NAME} in a scalar by the variable of that name. A value is not expanded again. The error names
// the variable, never a value.
func expand(text string, getenv func(string) string) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !variableName(name) {
			return "", errors.New("has a ${ without a variable's name and }: write ${NAME}")
		}
		value := getenv(name)
		if value == "" {
			return "", fmt.Errorf("takes ${%s} from the environment, where it is unset or empty: set it", name)
		}
		out.WriteString(value)
		text = after
	}
}

// variableName reports whether name can be that of an environment variable.
func variableName(name string) bool {
	for i, c := range name {
		letter := c == '_' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && len(name) <= 128
}
