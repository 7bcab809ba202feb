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
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id" required:"true"`
	Source      string    `json:"source" required:"true"`
	Type        string    `json:"type" required:"true"`
	Subject     string    `json:"subject"`
	Time        time.Time `json:"time"`
	Data        node      `json:"data"`
}

func decodeCloudEvent(n node, from origin) ([]Item, error) {
	var event cloudEvent
	if err := n.fill(&event, false); err != nil {
		return nil, err
	}
	if event.SpecVersion != "1.0" {
		return nil, snapshot.Malformed(`field "specversion" of the CloudEvent is not "1.0"`)
	}
	bus := snapshot.BusEvent{
		ID: event.ID, Source: event.Source, Type: event.Type, Subject: event.Subject, Time: event.Time,
	}
	return orderOrEvent(bus, event.Data, from)
}

// awsEvent is an event of AWS EventBridge.
type awsEvent struct {
	Version    string    `json:"version"` // always "0"
	ID         string    `json:"id" required:"true"`
	DetailType string    `json:"detail-type" required:"true"`
	Source     string    `json:"source" required:"true"`
	Time       time.Time `json:"time"`
	Resources  []string  `json:"resources"`
	Detail     node      `json:"detail"`
}

// subject returns what the event is about; AWS lists it first.
func (e awsEvent) subject() string {
	if len(e.Resources) == 0 {
		return ""
	}
	return e.Resources[0]
}

func readAWSEvent(n node) (awsEvent, error) {
	var event awsEvent
	err := n.fill(&event, false)
	if err == nil && event.Version != "0" {
		err = snapshot.Malformed(`field "version" of the event of EventBridge is not "0"`)
	}
	return event, err
}

func decodeAWSBus(n node, from origin) ([]Item, error) {
	event, err := readAWSEvent(n)
	if err != nil {
		return nil, err
	}
	bus := snapshot.BusEvent{
		ID: event.ID, Source: event.Source, Type: event.DetailType, Subject: event.subject(), Time: event.Time,
	}
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
	from.sender, from.key, from.at = "event", bus.Key(), bus.Time
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

// ossRecord is a record of the event of an OSS trigger of Function Compute.
type ossRecord struct {
	EventName   string    `json:"eventName" required:"true"`   // ObjectCreated:PutObject, ...
	EventSource string    `json:"eventSource" required:"true"` // acs:oss
	EventTime   time.Time `json:"eventTime" required:"true"`
	Region      string    `json:"region" required:"true"`
	OSS         struct {
		Bucket struct {
			Name  string `json:"name" required:"true"`
			Owner string `json:"ownerIdentity"`
		} `json:"bucket" required:"true"`
		Object struct {
			Key string `json:"key" required:"true"`
		} `json:"object" required:"true"`
	} `json:"oss" required:"true"`
	ResponseElements struct {
		RequestID string `json:"requestId" required:"true"`
	} `json:"responseElements" required:"true"`
}

func decodeOSS(n node, _ origin) ([]Item, error) {
	var event struct {
		Events []node `json:"events"`
	}
	if err := n.fill(&event, false); err != nil {
		return nil, err
	}
	if len(event.Events) == 0 {
		return nil, snapshot.Malformed(`field "events" is empty`)
	}
	var items []Item
	for i, one := range event.Events {
		bus, err := readOSSRecord(one)
		switch {
		case err != nil:
			items = append(items, failed(within("event "+strconv.Itoa(i+1), err)))
		case !slices.ContainsFunc(items, func(item Item) bool { return item.Event != nil && *item.Event == bus }):
			items = append(items, Item{Event: &bus})
		}
	}
	return items, nil
}

// readOSSRecord returns a record in the words that EventBridge has for events of OSS, so that one rule of the policy
// serves both ways.
func readOSSRecord(n node) (snapshot.BusEvent, error) {
	var r ossRecord
	if err := n.fill(&r, false); err != nil {
		return snapshot.BusEvent{}, err
	}
	if r.EventSource != "acs:oss" {
		return snapshot.BusEvent{}, snapshot.Malformed(`field "eventSource" is not "acs:oss"`)
	}
	bucket, key := r.OSS.Bucket, r.OSS.Object.Key
	return snapshot.BusEvent{
		ID:      snapshot.ComposedKey("object", r.ResponseElements.RequestID, key),
		Source:  "acs.oss",
		Type:    "oss:" + r.EventName,
		Subject: strings.Join([]string{"acs", "oss", r.Region, bucket.Owner, bucket.Name + "/" + key}, ":"),
		Time:    r.EventTime,
	}, nil
}
