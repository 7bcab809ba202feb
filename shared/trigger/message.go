package trigger

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"swas-snapshot/shared/snapshot"
)

// mnsMessage is a message that an MNS (SMQ) topic pushes in its JSON format.
type mnsMessage struct {
	MessageID   string `json:"MessageId" required:"true"`
	Message     string `json:"Message"`
	PublishTime int64  `json:"PublishTime"` // milliseconds since 1970
}

func decodeMNS(n node, _ origin) ([]Item, error) {
	var form mnsMessage
	if err := n.fill(&form, false); err != nil {
		return nil, err
	}
	from := messageOrigin(form.MessageID)
	if form.PublishTime != 0 {
		var err error
		if from.at, err = parseMillis("PublishTime", form.PublishTime); err != nil {
			return nil, err
		}
	}
	return decodeText("Message", form.Message, carriedShapes, from)
}

// snsNotification is a notification of Amazon SNS.
type snsNotification struct {
	MessageID string    `json:"MessageId" required:"true"`
	Message   string    `json:"Message"`
	Timestamp time.Time `json:"Timestamp"`
}

// decodeSNS decodes a notification that SNS sent to Lambda, or put into a queue of SQS.
func decodeSNS(n node, by origin) ([]Item, error) {
	var form snsNotification
	if err := n.fill(&form, false); err != nil {
		return nil, err
	}
	from := messageOrigin(form.MessageID)
	from.at, from.repeated = form.Timestamp, by.repeated
	return decodeText("Message", form.Message, carriedShapes, from)
}

// sqsRecord is a message of SQS.
type sqsRecord struct {
	EventSource string `json:"eventSource"` // aws:sqs
	MessageID   string `json:"messageId" required:"true"`
	Body        string `json:"body"`
	Attributes  struct {
		SentTimestamp string `json:"SentTimestamp"` // milliseconds since 1970, as text
	} `json:"attributes"`
}

func decodeSQS(n node, _ origin) ([]Item, error) {
	var form sqsRecord
	if err := n.fill(&form, false); err != nil {
		return nil, err
	}
	from := messageOrigin(form.MessageID)
	from.repeated = true // the queue outlasts one snapshot and one sweep
	if sent := form.Attributes.SentTimestamp; sent != "" {
		millis, err := strconv.ParseInt(sent, 10, 64)
		if err != nil {
			millis = -1 // not a time
		}
		if from.at, err = parseMillis("SentTimestamp", millis); err != nil {
			return nil, err
		}
	}
	return decodeText("body", form.Body, queuedShapes, from)
}

// messageOrigin returns the identity that a message lends to an order without a key.
func messageOrigin(id string) origin {
	return origin{sender: "event", key: snapshot.ComposedKey("message", id)}
}

// maxMillis is the last millisecond of the year 9999, beyond which a time has no RFC 3339 form.
const maxMillis = 253402300799999

// parseMillis reads a time in milliseconds since 1970.
func parseMillis(name string, millis int64) (time.Time, error) {
	if millis <= 0 || millis > maxMillis {
		return time.Time{}, snapshot.Malformed("field %s is not a time in milliseconds since 1970",
			snapshot.Quote(name))
	}
	return time.UnixMilli(millis).UTC(), nil
}

// decodeText decodes the text of a message: one thing, or a list of them.
func decodeText(field, text string, shapes []itemShape, from origin) ([]Item, error) {
	items, err := decodeOneOrList(parse([]byte(text), fold), shapes, from)
	return items, within("field "+snapshot.Quote(field), err)
}

// decodeRecords decodes the records that SNS or SQS send to Lambda. Neither mixes with the other. A message of SQS is
// answered for by its ID, so one without refuses the batch.
func decodeRecords(n node, _ origin) ([]Item, error) {
	var event struct {
		Records []node `json:"Records"`
	}
	if err := n.fill(&event, false); err != nil {
		return nil, err
	}
	if len(event.Records) == 0 {
		return nil, snapshot.Malformed(`field "Records" is empty`)
	}
	var first string
	for i, one := range event.Records {
		source := cmp.Or(one.field("eventSource").text(), one.field("EventSource").text())
		switch {
		case source != "aws:sns" && source != "aws:sqs":
			return nil, snapshot.Malformed(`record %d has an unknown source: "aws:sns" and "aws:sqs" are known`, i+1)
		case first != "" && source != first:
			return nil, snapshot.Malformed("the records mix SNS and SQS")
		}
		first = source
	}
	var items []Item
	seen := make(map[string]string) // the last text by ID: the same ID with another text is another message
	for i, one := range event.Records {
		place := "record " + strconv.Itoa(i+1)
		var messageID string // of SQS
		decode, message := decodeSNS, one.field("Sns")
		id, text := message.field("MessageId").text(), message.field("Message").text()
		if first == "aws:sqs" {
			decode, message = decodeSQS, one
			id, text = one.field("messageId").text(), one.field("body").text()
			if messageID = id; id == "" {
				return nil, within(place, snapshot.Malformed(`field "messageId" is missing`))
			}
		}
		before, found := seen[id]
		if seen[id] = text; found && before == text {
			continue
		}
		some, err := decode(message, origin{})
		if err != nil {
			some = []Item{failed(within(place, err))}
		}
		for _, item := range some {
			item.MessageID = messageID
			items = append(items, item)
		}
	}
	return items, nil
}

// SQSAnswer returns the answer that names to SQS the failed messages of a batch, by their IDs: these come again, the
// others are done. No ID at all means that all are done. Lambda reads it if the event source mapping has
// ReportBatchItemFailures; an ID that was not in the batch fails all of it.
func SQSAnswer(failed []string) []byte {
	type item struct {
		ItemIdentifier string `json:"itemIdentifier"`
	}
	var answer struct {
		BatchItemFailures []item `json:"batchItemFailures"`
	}
	answer.BatchItemFailures = make([]item, len(failed)) // never null
	for i, id := range failed {
		answer.BatchItemFailures[i].ItemIdentifier = id
	}
	data, err := json.Marshal(answer)
	if err != nil {
		panic(err) // text always has a JSON form
	}
	return data
}
