package trigger

import (
	"encoding/json"

	"swas-snapshot/shared/snapshot"
)

// expectedEvent ends the message of an error.
const expectedEvent = "an order, the parameters of CreateSnapshot, a CloudEvent, an event of AWS EventBridge or of OSS, " +
	"a message of MNS, SNS or SQS, or a list of events, such as " + exampleOrder

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
// AWS EventBridge, or the text of a message of MNS, SNS or SQS; an OSS event; or a list of
// events, as objects or as text, as EventBridge streams deliver them. What an event or a message carries may be a list,
// too.
//
// An order with a key of its own has Sender "event" and ExplicitKey. Without a key it takes the identity of what
// brought it, event:<source>:<id> or message:<id> with Sender "event", and where nothing did, request:<requestID> with
// Sender "invoke": a repeated invocation with another request ID is then another order; see [snapshot.ComposedKey]. An order
// without a time takes that of the event or message; a plain invoke has none.
//
// Every order is Unread: an asynchronous invocation looks like one whose caller waits. Those from SQS are Repeated. The
// same holds for the orders that the rules of the policy make of an event: Repeated if the item has a MessageID.
//
// A message, a record or an element that cannot be read fails alone, as [Item].Err; one that stands twice is one item.
// Where nothing can be read the error is a [*snapshot.Error] with Code [snapshot.CodeMalformed], or with the API's own code
// if a parameter of the API breaks its rule.
func DecodeEvent(data []byte, requestID string) (Batch, error) {
	items, err := decodeEvent(data, requestID)
	if err != nil {
		return Batch{}, expecting(err, expectedEvent)
	}
	return Batch{Items: items, SQS: items[0].MessageID != ""}, nil
}

func decodeEvent(data []byte, requestID string) ([]Item, error) {
	from := delivery{sender: "invoke"}
	if requestID != "" { // without one there is no identity, and the core refuses the order
		from.key = snapshot.ComposedKey("request", requestID)
	}
	if err := CheckJSON(data); err != nil {
		return nil, err
	}
	if jsonKind(data) == kindList {
		return decodeList(data, elementShapes, from)
	}
	return decodeOne(data, invokedShapes, from)
}

// decodeCarried decodes the text of a message: one thing, or a list of them.
func decodeCarried(text string, shapes []shape, from delivery) ([]Item, error) {
	data := []byte(text)
	if CheckJSON(data) == nil && jsonKind(data) == kindList {
		return decodeList(data, shapes, from)
	}
	return decodeOne(data, shapes, from)
}

// decodeList decodes each element of a list, an object or text that holds one.
func decodeList(data []byte, shapes []shape, from delivery) ([]Item, error) {
	var elements []json.RawMessage
	if err := json.Unmarshal(data, &elements); err != nil {
		return nil, malformed("the list cannot be read")
	}
	if len(elements) == 0 {
		return nil, malformed("the list of events is empty")
	}
	var items []Item
	for i, element := range elements {
		switch kind := jsonKind(element); kind {
		case kindObject:
		case kindText:
			var text string
			if err := json.Unmarshal(element, &text); err != nil {
				return nil, malformed("element %d of the list cannot be read", i+1)
			}
			element = json.RawMessage(text)
		default:
			items = append(items, failed(malformed("element %d of the list is %s, not an object", i+1, kind)))
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

// failed makes the item of what cannot be read.
func failed(err error) Item { return Item{Err: expecting(err, expectedEvent)} }

func decodeOrderItem(data []byte, from delivery) ([]Item, error) {
	order, err := decodeOrder(data, from)
	if err != nil {
		return nil, err
	}
	return []Item{{Order: order}}, nil
}
