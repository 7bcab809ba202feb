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

func decodeMNS(n node, _ origin) ([]Item, error) {
	var form mnsMessage
	if err := n.fill(&form, false); err != nil {
		return nil, err
	}
	if err := required("MessageId", form.MessageID); err != nil {
		return nil, err
	}
	var at time.Time
	if form.PublishTime != 0 {
		var err error
		if at, err = parseMillis("PublishTime", form.PublishTime); err != nil {
			return nil, err
		}
	}
	return decodeText("Message", form.Message, carriedShapes, messageOrigin(form.MessageID, at, false))
}

// decodeSNS decodes a notification that a topic of SNS put into a queue of SQS.
func decodeSNS(n node, by origin) ([]Item, error) {
	var form snsNotification
	if err := n.fill(&form, false); err != nil {
		return nil, err
	}
	return form.items(by.repeated)
}

func (n snsNotification) items(repeated bool) ([]Item, error) {
	if err := required("MessageId", n.MessageID); err != nil {
		return nil, err
	}
	at, err := parseTime("Timestamp", n.Timestamp)
	if err != nil {
		return nil, err
	}
	return decodeText("Message", n.Message, carriedShapes, messageOrigin(n.MessageID, at, repeated))
}

func (r sqsRecord) items() ([]Item, error) {
	var at time.Time
	if sent := r.Attributes.SentTimestamp; sent != "" {
		millis, err := strconv.ParseInt(sent, 10, 64)
		if err != nil {
			millis = -1 // not a time
		}
		if at, err = parseMillis("SentTimestamp", millis); err != nil {
			return nil, err
		}
	}
	// Repeated, as the queue outlasts one snapshot and one sweep.
	return decodeText("body", r.Body, queuedShapes, messageOrigin(r.MessageID, at, true))
}

// messageOrigin returns the identity that a message lends to an order without a key.
func messageOrigin(id string, at time.Time, repeated bool) origin {
	return origin{sender: "event", key: snapshot.ComposedKey("message", id), at: at, repeated: repeated}
}

// decodeText decodes the text of a message: one thing, or a list of them.
func decodeText(field, text string, shapes []shape, from origin) ([]Item, error) {
	items, err := decodeOneOrList(parse([]byte(text), fold), shapes, from)
	return items, within("field "+snapshot.Quote(field), err)
}

// decodeRecords decodes the records that SNS or SQS send to Lambda. Neither mixes with the other.
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
		r, err := readRecord(one, first == "aws:sqs")
		if err != nil {
			return nil, within("record "+strconv.Itoa(i+1), err)
		}
		text, found := seen[r.id]
		seen[r.id] = r.text
		if found && text == r.text {
			continue
		}
		some, err := r.items()
		if err != nil {
			some = []Item{failed(within("record "+strconv.Itoa(i+1), err))}
		}
		for _, item := range some {
			item.MessageID = r.queueID
			items = append(items, item)
		}
	}
	return items, nil
}

// record is one record of SNS or SQS.
type record struct {
	id, text string
	queueID  string // of SQS: the message's ID, by which it is answered for
	items    func() ([]Item, error)
}

// readRecord reads a record. Without its ID a message of SQS cannot be answered for, so that is an error of the batch.
func readRecord(n node, sqs bool) (record, error) {
	if sqs {
		var form sqsRecord
		if err := n.fill(&form, false); err != nil {
			return record{}, err
		}
		return record{form.MessageID, form.Body, form.MessageID, form.items}, required("messageId", form.MessageID)
	}
	var form snsRecord
	err := n.fill(&form, false)
	items := func() ([]Item, error) { return form.Sns.items(false) }
	return record{id: form.Sns.MessageID, text: form.Sns.Message, items: items}, err
}

// SQSAnswer returns the answer that tells SQS which messages of a batch failed, by their IDs: these come again, the
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
