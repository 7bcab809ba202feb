package main

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/trigger"
)

// timeFields are the fields in which the platforms write the time of an event.
var timeFields = map[string]func(time.Time) any{
	"triggerTime":   utc,                                                                   // timers of Function Compute
	"scheduledTime": utc,                                                                   // EventBridge Scheduler
	"time":          utc,                                                                   // CloudEvents, EventBridge
	"eventTime":     utc,                                                                   // OSS
	"Timestamp":     utc,                                                                   // SNS
	"PublishTime":   func(t time.Time) any { return t.UnixMilli() },                        // MNS
	"SentTimestamp": func(t time.Time) any { return strconv.FormatInt(t.UnixMilli(), 10) }, // SQS
}

func utc(t time.Time) any { return t.UTC().Format("2006-01-02T15:04:05Z") }

// atPresent returns an event as if it happened now: examples are older than any maxEventAge. What the functions would
// refuse to read stays as it is, so that they report what is wrong with it.
func atPresent(event []byte, now time.Time) []byte {
	if trigger.CheckJSON(event) != nil {
		return event
	}
	decoder := json.NewDecoder(bytes.NewReader(event))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return event
	}
	moved, err := json.Marshal(move(value, now))
	if err != nil {
		return event
	}
	return moved
}

// move sets the times in a JSON value to now.
func move(value any, now time.Time) any {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			value[name] = move(inner, now)
			_, isMap := inner.(map[string]any)
			_, isList := inner.([]any)
			if form, ok := timeFields[name]; ok && !isMap && !isList {
				value[name] = form(now)
			}
		}
	case []any:
		for i, inner := range value {
			value[i] = move(inner, now)
		}
	case string:
		if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") { // JSON within a string
			return string(atPresent([]byte(value), now))
		}
	}
	return value
}
