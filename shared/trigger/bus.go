package trigger

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// cloudEvent is an event of Alibaba Cloud EventBridge: CloudEvents 1.0 in JSON.
type cloudEvent struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Source      string `json:"source"`
	Type        string `json:"type"`
	Subject     string `json:"subject"`
	Time        string `json:"time"` // RFC 3339
	Data        node   `json:"data"`
}

func decodeCloudEvent(n node, from origin) ([]Item, error) {
	var event cloudEvent
	if err := n.fill(&event, false); err != nil {
		return nil, err
	}
	if event.SpecVersion != "1.0" {
		return nil, snapshot.Malformed(`field "specversion" of the CloudEvent is not "1.0"`)
	}
	if err := required("id", event.ID, "source", event.Source, "type", event.Type); err != nil {
		return nil, err
	}
	at, err := parseTime("time", event.Time)
	if err != nil {
		return nil, err
	}
	bus := snapshot.BusEvent{ID: event.ID, Source: event.Source, Type: event.Type, Subject: event.Subject, Time: at}
	return orderOrEvent(bus, event.Data, from)
}

// awsEvent is an event of AWS EventBridge.
type awsEvent struct {
	Version    string   `json:"version"` // always "0"
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Time       string   `json:"time"` // RFC 3339
	Resources  []string `json:"resources"`
	Detail     node     `json:"detail"`
}

// subject returns what the event is about; AWS lists it first.
func (e awsEvent) subject() string {
	if len(e.Resources) == 0 {
		return ""
	}
	return e.Resources[0]
}

func readAWSEvent(n node) (awsEvent, time.Time, error) {
	var event awsEvent
	if err := n.fill(&event, false); err != nil {
		return awsEvent{}, time.Time{}, err
	}
	if event.Version != "0" {
		return awsEvent{}, time.Time{}, snapshot.Malformed(`field "version" of the event of EventBridge is not "0"`)
	}
	if err := required("id", event.ID, "source", event.Source, "detail-type", event.DetailType); err != nil {
		return awsEvent{}, time.Time{}, err
	}
	at, err := parseTime("time", event.Time)
	return event, at, err
}

func decodeAWSBus(n node, from origin) ([]Item, error) {
	event, at, err := readAWSEvent(n)
	if err != nil {
		return nil, err
	}
	bus := snapshot.BusEvent{ID: event.ID, Source: event.Source, Type: event.DetailType, Subject: event.subject(), Time: at}
	return orderOrEvent(bus, event.Detail, from)
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
func orderOrEvent(bus snapshot.BusEvent, content node, from origin) ([]Item, error) {
	carried := content
	if message := content.field(messageFields[bus.Type]); message.kind == kindText {
		carried = message
	}
	if carried.kind == kindText {
		carried = parse([]byte(carried.text()), fold)
	}
	from.sender, from.key, from.at = "event", snapshot.ComposedKey("event", bus.Source, bus.ID), bus.Time
	decode := decodeOrderItem
	switch {
	case carriesOrder(carried):
	case carried.kind == kindList && slices.ContainsFunc(carried.members, carriesOrder):
		decode = func(list node, from origin) ([]Item, error) { return decodeList(list, orderShapes, from) }
	default:
		return []Item{{Event: &bus}}, nil
	}
	items, err := decode(carried, from)
	return items, within("field "+snapshot.Quote(content.name), err)
}

// carriesOrder reports whether the content of a bus event is meant for us. Other events may well have a diskId or a
// Target among their fields, so the name must be exact, unless nothing but our fields is there.
func carriesOrder(content node) bool {
	return content.has("target") || content.has("DiskId") ||
		content.hasAny("target") && content.hasOnly(orderFields...) ||
		content.hasAny("DiskId") && content.hasOnly(requestFields...)
}

// ossEvent is the event of an OSS trigger of Function Compute.
type ossEvent struct {
	Events []ossRecord `json:"events"`
}

type ossRecord struct {
	EventName   string `json:"eventName"`   // ObjectCreated:PutObject, ...
	EventSource string `json:"eventSource"` // acs:oss
	EventTime   string `json:"eventTime"`   // RFC 3339
	Region      string `json:"region"`
	OSS         struct {
		Bucket struct {
			Name  string `json:"name"`
			Owner string `json:"ownerIdentity"`
		} `json:"bucket"`
		Object struct {
			Key string `json:"key"`
		} `json:"object"`
	} `json:"oss"`
	ResponseElements struct {
		RequestID string `json:"requestId"`
	} `json:"responseElements"`
}

func decodeOSS(n node, _ origin) ([]Item, error) {
	var event ossEvent
	if err := n.fill(&event, false); err != nil {
		return nil, err
	}
	if len(event.Events) == 0 {
		return nil, snapshot.Malformed(`field "events" is empty`)
	}
	var items []Item
	for i, record := range event.Events {
		bus, err := record.busEvent()
		switch {
		case err != nil:
			items = append(items, failed(within("event "+strconv.Itoa(i+1), err)))
		case !slices.ContainsFunc(items, func(item Item) bool { return item.Event != nil && *item.Event == bus }):
			items = append(items, Item{Event: &bus})
		}
	}
	return items, nil
}

// busEvent returns a record in the words that EventBridge has for events of OSS, so that one rule of the policy serves
// both ways.
func (r ossRecord) busEvent() (snapshot.BusEvent, error) {
	if r.EventSource != "acs:oss" {
		return snapshot.BusEvent{}, snapshot.Malformed(`field "eventSource" is not "acs:oss"`)
	}
	bucket, key, requestID := r.OSS.Bucket, r.OSS.Object.Key, r.ResponseElements.RequestID
	err := required("eventName", r.EventName, "eventTime", r.EventTime, "region", r.Region,
		"oss.bucket.name", bucket.Name, "oss.object.key", key, "responseElements.requestId", requestID)
	if err != nil {
		return snapshot.BusEvent{}, err
	}
	at, err := parseTime("eventTime", r.EventTime)
	if err != nil {
		return snapshot.BusEvent{}, err
	}
	return snapshot.BusEvent{
		ID:      snapshot.ComposedKey("object", requestID, key),
		Source:  "acs.oss",
		Type:    "oss:" + r.EventName,
		Subject: strings.Join([]string{"acs", "oss", r.Region, bucket.Owner, bucket.Name + "/" + key}, ":"),
		Time:    at,
	}, nil
}
