package trigger

import (
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// expectedEvent ends the message of an error.
const expectedEvent = "an order, the parameters of CreateSnapshot, a CloudEvent, an event of AWS EventBridge or of " +
	"OSS, a message of MNS, SNS or SQS, or a list of events, such as " + exampleOrder

// Item is one thing that arrived. Exactly one of Order, Event and Err is set.
type Item struct {
	Order     *snapshot.Order    // a snapshot to take
	Event     *snapshot.BusEvent // a bus event without an order; the rules of the policy say what it means
	Err       error              // why this item alone cannot be read; a *snapshot.Error
	MessageID string             // of an SQS message: what SQSAnswer names if the item failed
}

// Batch is what one invocation brought.
type Batch struct {
	Items []Item // at least one, in the order of arrival
	SQS   bool   // every item has a MessageID, and the answer is that of SQSAnswer
}

// DecodeEvent decodes what a bus, a queue or a pipeline sends: an order of this project, or the API's own parameters
// of CreateSnapshot; one of these as the data of a CloudEvent (EventBridge of Alibaba Cloud), the detail of an event of
// AWS EventBridge, or the text of a message of MNS, SNS or SQS; an OSS event; or a list of events, as objects or as
// text, as EventBridge streams deliver them. What an event or a message carries may be a list, too.
//
// An order with a key of its own has Sender "event" and ExplicitKey. Without a key it takes the identity of what
// brought it, event:<source>:<id> or message:<id> with Sender "event", and where nothing did, request:<requestID> with
// Sender "invoke": a repeated invocation with another request ID is then another order; see [snapshot.ComposedKey]. An
// order without a time takes that of the event or message; a plain invoke has none.
//
// Every order is Unread: an asynchronous invocation looks like one whose caller waits. Those from SQS are Repeated. The
// same holds for the orders that the rules of the policy make of an event: Repeated if the item has a MessageID.
//
// A message, a record or an element that cannot be read fails alone, as [Item].Err; one that is there twice is one
// item. Where nothing can be read the error is a [*snapshot.Error] with Code [snapshot.CodeMalformed], or with the
// API's own code if a parameter of the API breaks its rule.
func DecodeEvent(data []byte, requestID string) (Batch, error) {
	from := origin{sender: "invoke"}
	if requestID != "" { // without one there is no key, and the core refuses the order
		from.key = snapshot.ComposedKey("request", requestID)
	}
	event, shapes := parse(data, fold), invokedShapes
	if event.kind == kindList {
		shapes = elementShapes
	}
	items, err := decodeOneOrList(event, shapes, from)
	if err != nil {
		return Batch{}, expecting(err, expectedEvent)
	}
	return Batch{Items: items, SQS: items[0].MessageID != ""}, nil
}

// origin is what brought an order: the identity that the order takes unless it has a key of its own, and the time that
// it takes unless it has one.
type origin struct {
	sender   string
	key      string
	at       time.Time // zero: without a time
	repeated bool      // by a queue, until the order is done
}

// shape is one form in which an event arrives. D decodes it.
type shape[D any] struct {
	name   string
	marks  func(node) bool // reports whether an object has the fields that only this shape has
	decode D
}

type (
	itemDecoder = func(event node, from origin) ([]Item, error)
	itemShape   = shape[itemDecoder]
)

// Shapes by where they may stand. A message carries an order or an event, never another message, with the one
// exception of a topic of SNS that feeds a queue of SQS.
var (
	orderShapes   = []itemShape{{"an order", looksLikeOrder, decodeOrderItem}}
	carriedShapes = slices.Concat(orderShapes, []itemShape{
		{"a CloudEvent", func(n node) bool { return n.has("specversion") }, decodeCloudEvent},
		{"an event of AWS EventBridge", func(n node) bool { return n.has("detail-type") }, decodeAWSBus},
		{"an OSS event", func(n node) bool { return n.has("events") }, decodeOSS},
	})
	queuedShapes = slices.Concat(carriedShapes, []itemShape{
		{"a notification of SNS", func(n node) bool { return n.has("TopicArn", "MessageId", "Message") }, decodeSNS},
	})
	elementShapes = slices.Concat(carriedShapes, []itemShape{
		{"a message of MNS", func(n node) bool { return n.has("MessageId", "Message") }, decodeMNS},
	})
	invokedShapes = slices.Concat(elementShapes, []itemShape{
		{"records of SNS or SQS", func(n node) bool { return n.has("Records") }, decodeRecords},
	})
)

// pick returns the decoder of an object that has exactly one of the shapes.
func pick[D any](event node, shapes []shape[D]) (decode D, err error) {
	if err := event.check(); err != nil {
		return decode, err
	}
	if event.kind != kindObject {
		return decode, snapshot.Malformed("the event is %s, not an object", event.kind)
	}
	var names []string
	for _, s := range shapes {
		if s.marks(event) {
			decode, names = s.decode, append(names, s.name)
		}
	}
	switch {
	case len(names) == 1:
		return decode, nil
	case len(names) > 1:
		err = snapshot.Malformed("the event has the marks of %s: %s", strings.Join(names, " and of "), event.describe())
	case event.has("triggerTime"):
		err = snapshot.Malformed("the event is that of a timer: the timer function takes it")
	case event.has("requestContext"):
		err = snapshot.Malformed("the event is an HTTP request: the http function takes it")
	case looksLikeOrder(event):
		err = snapshot.Malformed("the event is an order: the event function takes it")
	default:
		err = snapshot.Malformed("the event has no known shape: it has %s", event.describe())
	}
	return decode, err
}

// decodeOne decodes one object.
func decodeOne(event node, shapes []itemShape, from origin) ([]Item, error) {
	decode, err := pick(event, shapes)
	if err != nil {
		return nil, err
	}
	return decode(event, from)
}

// decodeOneOrList decodes an object, or a list that is sound as a whole.
func decodeOneOrList(event node, shapes []itemShape, from origin) ([]Item, error) {
	if event.kind == kindList && event.defect == nil {
		return decodeList(event, shapes, from)
	}
	return decodeOne(event, shapes, from)
}

// decodeList decodes each element of a list, an object or text that holds one.
func decodeList(list node, shapes []itemShape, from origin) ([]Item, error) {
	if len(list.members) == 0 {
		return nil, snapshot.Malformed("the list of events is empty")
	}
	var items []Item
	for i, element := range list.members {
		switch element.kind {
		case kindObject:
		case kindText:
			element = parse([]byte(element.text()), fold)
		default:
			err := snapshot.Malformed("element %d of the list is %s, not an object", i+1, element.kind)
			items = append(items, failed(err))
			continue
		}
		some, err := decodeOne(element, shapes, from)
		if err != nil {
			some = []Item{failed(err)}
		}
		items = append(items, some...)
	}
	return items, nil
}

// failed returns the item of what cannot be read.
func failed(err error) Item { return Item{Err: expecting(err, expectedEvent)} }
