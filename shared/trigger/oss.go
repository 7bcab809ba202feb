package trigger

import (
	"slices"
	"strconv"
	"strings"

	"swas-snapshot/shared/snapshot"
)

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

func decodeOSS(data []byte, _ delivery) ([]Item, error) {
	var event ossEvent
	if err := vendorJSON(data, &event); err != nil {
		return nil, err
	}
	if len(event.Events) == 0 {
		return nil, malformed(`field "events" is empty`)
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

// busEvent puts a record into the words that EventBridge has for events of OSS, so that one rule of the policy serves
// both ways.
func (r ossRecord) busEvent() (snapshot.BusEvent, error) {
	if r.EventSource != "acs:oss" {
		return snapshot.BusEvent{}, malformed(`field "eventSource" is not "acs:oss"`)
	}
	bucket, object := r.OSS.Bucket, r.OSS.Object
	err := present("eventName", r.EventName, "eventTime", r.EventTime, "region", r.Region,
		"oss.bucket.name", bucket.Name, "oss.object.key", object.Key, "responseElements.requestId", r.ResponseElements.RequestID)
	if err != nil {
		return snapshot.BusEvent{}, err
	}
	at, err := parseTime("eventTime", r.EventTime)
	if err != nil {
		return snapshot.BusEvent{}, err
	}
	return snapshot.BusEvent{
		ID:      snapshot.ComposedKey("object", r.ResponseElements.RequestID, object.Key),
		Source:  "acs.oss",
		Type:    "oss:" + r.EventName,
		Subject: strings.Join([]string{"acs", "oss", r.Region, bucket.Owner, bucket.Name + "/" + object.Key}, ":"),
		Time:    at,
	}, nil
}
