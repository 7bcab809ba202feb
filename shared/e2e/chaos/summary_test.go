package chaos

import (
	"encoding/json"
	"strings"
)

// summary is what these tests read of the one line that an invocation writes when it ends.
type summary struct {
	Level     string `json:"level"`
	Message   string `json:"msg"`
	RequestID string `json:"requestId"`
}

// summaries returns the summary lines of an invocation that a log has.
func summaries(log, requestID string) []summary {
	var found []summary
	for line := range strings.Lines(log) {
		var one summary
		if json.Unmarshal([]byte(line), &one) == nil && one.Message == "invocation" && one.RequestID == requestID {
			found = append(found, one)
		}
	}
	return found
}
