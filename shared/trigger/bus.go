package trigger

import (
	"encoding/json"
	"slices"
	"time"

	"swas-snapshot/shared/snapshot"
)

// cloudEvent is an event of Alibaba Cloud EventBridge: CloudEvents 1.0 in JSON.
type cloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time"` // RFC 3339
	Data        json.RawMessage `json:"data"`
}

// awsEvent is an event of AWS EventBridge.
type awsEvent struct {
	Version    string          `json:"version"` // always "0"
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Time       string          `json:"time"` // RFC 3339
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// subject returns what the event is about; AWS lists it first.
func (e awsEvent) subject() string {
	if len(e.Resources) == 0 {
		return ""
	}
	return e.Resources[0]
}

func decodeAWSEvent(data []byte) (awsEvent, time.Time, error) {
	var event awsEvent
	if err := vendorJSON(data, &event); err != nil {
		return awsEvent{}, time.Time{}, err
	}
	if event.Version != "0" {
		return awsEvent{}, time.Time{}, malformed(`field "version" of the event of EventBridge is not "0"`)
	}
	if err := present("id", event.ID, "source", event.Source, "detail-type", event.DetailType); err != nil {
		return awsEvent{}, time.Time{}, err
	}
	at, err := parseTime("time", event.Time)
	return event, at, err
}

func decodeAWSBus(data []byte, from delivery) ([]Item, error) {
	event, at, err := decodeAWSEvent(data)
	if err != nil {
		return nil, err
	}
	bus := snapshot.BusEvent{ID: event.ID, Source: event.Source, Type: event.DetailType, Subject: event.subject(), Time: at}
	return orderOrEvent(bus, "detail", event.Detail, from)
}

func decodeCloudEvent(data []byte, from delivery) ([]Item, error) {
	var event cloudEvent
	if err := vendorJSON(data, &event); err != nil {
		return nil, err
	}
	if event.SpecVersion != "1.0" {
		return nil, malformed(`field "specversion" of the CloudEvent is not "1.0"`)
	}
	if err := present("id", event.ID, "source", event.Source, "type", event.Type); err != nil {
		return nil, err
	}
	at, err := parseTime("time", event.Time)
	if err != nil {
		return nil, err
	}
	bus := snapshot.BusEvent{ID: event.ID, Source: event.Source, Type: event.Type, Subject: event.Subject, Time: at}
	return orderOrEvent(bus, "data", event.Data, from)
}

// messageFields is the field of its data in which an event of EventBridge carries the text of a queue message, by the
// event's type.
var messageFields = map[string]string{
	"mns:Queue:SendMessage":  "messageBody",
	"mq:Topic:SendMessage":   "body",
	"alikafka:Topic:Message": "value",
}

// orderOrEvent returns the order that a bus event carries in its content, directly, as text or as the text of a queue
// message, or else the event itself: the rules of the policy say what it means. from is what brought the bus event.
func orderOrEvent(bus snapshot.BusEvent, name string, content json.RawMessage, from delivery) ([]Item, error) {
	carried := []byte(content)
	var text string
	if json.Unmarshal(content, &text) == nil {
		carried = []byte(text)
	} else if text, found := objectOf(content).text(messageFields[bus.Type]); found {
		carried = []byte(text)
	}
	from.sender, from.key, from.at = "event", snapshot.ComposedKey("event", bus.Source, bus.ID), bus.Time
	switch {
	case carriesOrder(carried):
		items, err := decodeOrderItem(carried, from)
		return items, within("field "+quoteName(name), err)
	case carriesOrders(carried):
		items, err := decodeList(carried, orderShapes, from)
		return items, within("field "+quoteName(name), err)
	}
	return []Item{{Event: &bus}}, nil
}

// carriesOrders reports whether the content of a bus event is a list with something that is meant for us.
func carriesOrders(content []byte) bool {
	var elements []json.RawMessage
	return json.Unmarshal(content, &elements) == nil && slices.ContainsFunc(elements, func(one json.RawMessage) bool { return carriesOrder(one) })
}

// carriesOrder reports whether the content of a bus event is meant for us. Other events may well have a diskId or a
// Target among their fields, so the name must be exact, unless nothing but our fields is there.
func carriesOrder(content []byte) bool {
	fields := objectOf(content)
	if fields.has("target") || fields.has("DiskId") {
		return true
	}
	return fields.folds("target") && fields.onlyOf(orderFields) || fields.folds("DiskId") && fields.onlyOf(requestFields)
}

// present demands text in fields, given as pairs of name and value.
func present(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return malformed("field %s is missing", quoteName(pairs[i]))
		}
	}
	return nil
}
