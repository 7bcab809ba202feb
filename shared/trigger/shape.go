package trigger

import (
	"slices"
	"strings"
)

// shape is one form in which an event arrives.
type shape struct {
	name   string
	marks  func(object) bool // reports whether an object has the fields that only this shape has
	decode func(data []byte, from delivery) ([]Item, error)
}

// Shapes by where they may stand. A message carries an order or an event, never another message, with the one
// exception of a topic of SNS that feeds a queue of SQS.
var (
	orderShapes   = []shape{{"an order", looksLikeOrder, decodeOrderItem}}
	carriedShapes = slices.Concat(orderShapes, []shape{
		{"a CloudEvent", func(o object) bool { return o.has("specversion") }, decodeCloudEvent},
		{"an event of AWS EventBridge", func(o object) bool { return o.has("detail-type") }, decodeAWSBus},
		{"an OSS event", func(o object) bool { return o.has("events") }, decodeOSS},
	})
	queuedShapes = slices.Concat(carriedShapes, []shape{
		{"a notification of SNS", func(o object) bool { return o.has("TopicArn", "MessageId", "Message") }, decodeNotification},
	})
	elementShapes = slices.Concat(carriedShapes, []shape{
		{"a message of MNS", func(o object) bool { return o.has("MessageId", "Message") }, decodeMNS},
	})
	invokedShapes = slices.Concat(elementShapes, []shape{
		{"records of SNS or SQS", func(o object) bool { return o.has("Records") }, decodeRecords},
	})
)

// looksLikeOrder reports whether an object has what every order has, or nothing but parameters of the API.
func looksLikeOrder(o object) bool {
	return o.folds("target", "DiskId") || len(o) > 0 && o.onlyOf(requestFields)
}

// decodeOne decodes one object, which has exactly one of the shapes.
func decodeOne(data []byte, shapes []shape, from delivery) ([]Item, error) {
	if err := CheckJSON(data); err != nil {
		return nil, err
	}
	if kind := jsonKind(data); kind != kindObject {
		return nil, malformed("the event is %s, not an object", kind)
	}
	fields := objectOf(data)
	var found []shape
	var names []string
	for _, s := range shapes {
		if s.marks(fields) {
			found, names = append(found, s), append(names, s.name)
		}
	}
	switch {
	case len(found) == 1:
		return found[0].decode(data, from)
	case len(found) > 1:
		return nil, malformed("the event has the marks of %s: %s", strings.Join(names, " and of "), fields.describe())
	case fields.has("triggerTime"):
		return nil, malformed("the event is that of a timer: the timer function takes it")
	case fields.has("requestContext"):
		return nil, malformed("the event is an HTTP request: the http function takes it")
	default:
		return nil, malformed("the event has no known shape: it has %s", fields.describe())
	}
}
