package trigger

import (
	"encoding/json"
	"strconv"

	"swas-snapshot/shared/snapshot"
)

// mnsMessage is a message that an MNS (SMQ) topic pushes in its JSON format.
type mnsMessage struct {
	MessageID   string `json:"MessageId"`
	Message     string `json:"Message"`
	PublishTime int64  `json:"PublishTime"` // milliseconds since 1970
}

// snsNotification is a notification of Amazon SNS.
type snsNotification struct {
	MessageID string `json:"MessageId"`
	Message   string `json:"Message"`
	Timestamp string `json:"Timestamp"` // RFC 3339
}

// snsRecord is a record of an SNS event.
type snsRecord struct {
	EventSource string          `json:"EventSource"` // aws:sns, with a capital E
	Sns         snsNotification `json:"Sns"`
}

// sqsRecord is a record of an SQS event.
type sqsRecord struct {
	EventSource string `json:"eventSource"` // aws:sqs
	MessageID   string `json:"messageId"`
	Body        string `json:"body"`
	Attributes  struct {
		SentTimestamp string `json:"SentTimestamp"` // milliseconds since 1970, as text
	} `json:"attributes"`
}

func decodeMNS(data []byte, _ delivery) ([]Item, error) {
	var message mnsMessage
	if err := vendorJSON(data, &message); err != nil {
		return nil, err
	}
	from, err := message.delivery()
	if err != nil {
		return nil, err
	}
	items, err := decodeCarried(message.Message, carriedShapes, from)
	return items, within(`field "Message"`, err)
}

func (m mnsMessage) delivery() (delivery, error) {
	if err := present("MessageId", m.MessageID); err != nil {
		return delivery{}, err
	}
	from := messageDelivery(m.MessageID)
	if m.PublishTime == 0 {
		return from, nil
	}
	var err error
	from.at, err = parseMillis("PublishTime", m.PublishTime)
	return from, err
}

// messageDelivery is the identity that a message lends to an order without a key.
func messageDelivery(id string) delivery {
	return delivery{sender: "event", key: snapshot.ComposedKey("message", id)}
}

// decodeRecords decodes the records that SNS or SQS send to Lambda. Neither mixes with the other.
func decodeRecords(data []byte, _ delivery) ([]Item, error) {
	var event struct {
		Records []json.RawMessage `json:"Records"`
	}
	if err := vendorJSON(data, &event); err != nil {
		return nil, err
	}
	if len(event.Records) == 0 {
		return nil, malformed(`field "Records" is empty`)
	}
	var first string
	for i, record := range event.Records {
		source, _ := objectOf(record).text("eventSource")
		if source == "" {
			source, _ = objectOf(record).text("EventSource")
		}
		switch {
		case source != "aws:sns" && source != "aws:sqs":
			return nil, malformed(`record %d has an unknown source: "aws:sns" and "aws:sqs" are known`, i+1)
		case first != "" && source != first:
			return nil, malformed("the records mix SNS and SQS")
		}
		first = source
	}
	if first == "aws:sns" {
		return decodeSNS(event.Records)
	}
	return decodeSQS(event.Records)
}

func decodeSNS(records []json.RawMessage) ([]Item, error) {
	var items []Item
	seen := make(map[string]string)
	for i, raw := range records {
		var record snsRecord
		if err := vendorJSON(raw, &record); err != nil {
			return nil, within("record "+strconv.Itoa(i+1), err)
		}
		if doubled(seen, record.Sns.MessageID, record.Sns.Message) {
			continue
		}
		some, err := record.Sns.items(delivery{})
		if err != nil {
			some = []Item{failed(within("record "+strconv.Itoa(i+1), err))}
		}
		items = append(items, some...)
	}
	return items, nil
}

// decodeNotification decodes a notification that a topic of SNS put into a queue of SQS.
func decodeNotification(data []byte, from delivery) ([]Item, error) {
	var notification snsNotification
	if err := vendorJSON(data, &notification); err != nil {
		return nil, err
	}
	return notification.items(from)
}

func (n snsNotification) items(by delivery) ([]Item, error) {
	if err := present("MessageId", n.MessageID); err != nil {
		return nil, err
	}
	from := messageDelivery(n.MessageID)
	from.repeated = by.repeated
	var err error
	if from.at, err = parseTime("Timestamp", n.Timestamp); err != nil {
		return nil, err
	}
	items, err := decodeCarried(n.Message, carriedShapes, from)
	return items, within(`field "Message"`, err)
}

// decodeSQS decodes a batch of SQS messages. Each is answered for by its ID, so a record without one refuses the
// batch, and one that cannot be read fails alone.
func decodeSQS(records []json.RawMessage) ([]Item, error) {
	var items []Item
	seen := make(map[string]string)
	for i, raw := range records {
		var record sqsRecord
		if err := vendorJSON(raw, &record); err != nil {
			return nil, within("record "+strconv.Itoa(i+1), err)
		}
		if err := present("messageId", record.MessageID); err != nil {
			return nil, within("record "+strconv.Itoa(i+1), err)
		}
		if doubled(seen, record.MessageID, record.Body) {
			continue
		}
		some, err := record.items()
		if err != nil {
			some = []Item{failed(within("record "+strconv.Itoa(i+1), err))}
		}
		for _, item := range some {
			item.MessageID = record.MessageID
			items = append(items, item)
		}
	}
	return items, nil
}

func (r sqsRecord) items() ([]Item, error) {
	from := messageDelivery(r.MessageID)
	if sent := r.Attributes.SentTimestamp; sent != "" {
		millis, err := strconv.ParseInt(sent, 10, 64)
		if err != nil {
			millis = -1 // no time
		}
		if from.at, err = parseMillis("SentTimestamp", millis); err != nil {
			return nil, err
		}
	}
	from.repeated = true // the queue outlasts one snapshot and one sweep
	items, err := decodeCarried(r.Body, queuedShapes, from)
	return items, within(`field "body"`, err)
}

// doubled reports whether a message was seen before. The same ID with another text is another message.
func doubled(seen map[string]string, id, text string) bool {
	before, found := seen[id]
	seen[id] = text
	return found && before == text
}

// SQSAnswer returns the answer that tells SQS which messages of a batch failed, by their IDs: these come again, the
// others are done. No ID at all means that all are done. Lambda reads it if the event source mapping has
// ReportBatchItemFailures; an ID that was not in the batch fails all of it.
func SQSAnswer(failed []string) []byte {
	type failure struct {
		ItemIdentifier string `json:"itemIdentifier"`
	}
	answer := struct {
		BatchItemFailures []failure `json:"batchItemFailures"`
	}{make([]failure, 0, len(failed))}
	for _, id := range failed {
		answer.BatchItemFailures = append(answer.BatchItemFailures, failure{id})
	}
	data, err := json.Marshal(answer)
	if err != nil {
		panic(err) // text always has a JSON form
	}
	return data
}
