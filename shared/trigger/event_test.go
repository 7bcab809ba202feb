package trigger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// text returns JSON as the text of a JSON string.
func text(data string) string {
	quoted, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

const at = `"2026-01-30T19:02:03Z"`

func cloudEvent(more string) string {
	return `{"specversion":"1.0","id":"e-1","source":"acme","type":"t","subject":"s","time":` + at + more + `}`
}

func awsEvent(detail string) string {
	return `{"version":"0","id":"e-1","detail-type":"t","source":"acme","time":` + at +
		`,"resources":["s"],"detail":` + detail + `}`
}

// kafka is cloudEvent of a message of Kafka.
func kafka(data string) string {
	return strings.Replace(cloudEvent(`,"data":`+data), `"type":"t"`, `"type":"alikafka:Topic:Message"`, 1)
}

func mns(message string) string {
	return `{"TopicOwner":"1","Message":` + text(message) +
		`,"PublishTime":1769799723000,"TopicName":"t","MessageId":"m-1"}`
}

func sns(records ...string) string { return `{"Records":[` + strings.Join(records, ",") + `]}` }

func snsRecord(id, message string) string {
	return `{"EventSource":"aws:sns","Sns":{"MessageId":"` + id + `","Message":` + text(message) +
		`,"Timestamp":` + at + `}}`
}

func sqsRecord(id, body string) string {
	return `{"eventSource":"aws:sqs","messageId":"` + id + `","body":` + text(body) +
		`,"attributes":{"SentTimestamp":"1769799723000"}}`
}

func ossRecord(name, key string) string {
	return `{"eventName":"` + name + `","eventSource":"acs:oss","eventTime":` + at + `,"region":"cn-hangzhou",` +
		`"oss":{"bucket":{"name":"b"},"object":{"key":"` + key + `"}},"responseElements":{"requestId":"r-1"}}`
}

// created returns an OSS event of objects that were put.
func created(keys ...string) string {
	var records []string
	for _, key := range keys {
		records = append(records, ossRecord(put, key))
	}
	return `{"events":[` + strings.Join(records, ",") + `]}`
}

const put = "ObjectCreated:PutObject"

const web1 = `{"target":"web-1"}`

// want1 is the order of web1 with an identity.
func want1(sender, key string, at time.Time) trigger.Item {
	return trigger.Item{Order: &snapshot.Order{Target: "web-1", Sender: sender, Key: key, Time: at, Unread: true}}
}

func ossEvent(name, key string) trigger.Item {
	return busItem(snapshot.BusEvent{ID: snapshot.ComposedKey("object", "r-1", key), Source: "acs.oss",
		Type: "oss:" + name, Subject: "acs:oss:cn-hangzhou::b/" + key, Time: atRound})
}

// bus is the event of cloudEvent and awsEvent when it carries no order.
var bus = busItem(snapshot.BusEvent{ID: "e-1", Source: "acme", Type: "t", Subject: "s", Time: atRound})

// poison is an item that cannot be read.
func poison(id string) trigger.Item {
	return trigger.Item{Err: &snapshot.Error{}, MessageID: id}
}

func TestDecodeEvent(t *testing.T) {
	t.Parallel()
	invoked := want1("invoke", "request:5:"+requestID, time.Time{})
	carried := want1("event", "event:4:acme:3:e-1", atRound)
	aged := func(age time.Duration) trigger.Item {
		item := want1("invoke", "request:5:"+requestID, time.Time{})
		item.Order.MaxAge = age
		return item
	}
	timed := func(sender, key string, explicit bool, at time.Time) trigger.Item {
		item := want1(sender, key, at)
		item.Order.ExplicitKey = explicit
		return item
	}
	explicit := trigger.Item{Order: &snapshot.Order{Target: "web-1", Sender: "event", Key: "k", ExplicitKey: true,
		Time: atRound, Unread: true}}
	tests := map[string]struct {
		data string
		want []trigger.Item
	}{
		"order":          {web1, []trigger.Item{invoked}},
		"age in hours":   {`{"target":"web-1","maxAge":"1h30m"}`, []trigger.Item{aged(90 * time.Minute)}},
		"age in days":    {`{"target":"web-1","maxAge":"2d"}`, []trigger.Item{aged(48 * time.Hour)}},
		"age in both":    {`{"target":"web-1","maxAge":"1d12h"}`, []trigger.Item{aged(36 * time.Hour)}},
		"age of nothing": {`{"target":"web-1","maxAge":"0s"}`, []trigger.Item{aged(0)}},
		"time": {`{"target":"web-1","time":"2026-01-30T20:00:00+01:00"}`,
			[]trigger.Item{timed("invoke", "request:5:"+requestID, false, atTick)}},
		"time and key": {`{"target":"web-1","key":"k","time":"2026-01-30T19:00:00Z"}`,
			[]trigger.Item{timed("event", "k", true, atTick)}},
		"own time": {cloudEvent(`,"data":{"target":"web-1","time":"2026-01-30T19:00:00Z"}`),
			[]trigger.Item{timed("event", "event:4:acme:3:e-1", false, atTick)}},
		"own time and key": {mns(`{"target":"web-1","key":"k","time":"2026-01-30T19:00:00Z"}`),
			[]trigger.Item{timed("event", "k", true, atTick)}},
		"API parameters": {`{"DiskId":"d-1"}`,
			[]trigger.Item{{Order: &snapshot.Order{DiskID: "d-1", Sender: "invoke", Key: "request:5:" + requestID,
				Unread: true}}}},
		"CloudEvent":       {cloudEvent(`,"data":` + web1), []trigger.Item{carried}},
		"own key":          {cloudEvent(`,"data":{"target":"web-1","key":"k"}`), []trigger.Item{explicit}},
		"data as text":     {cloudEvent(`,"data":` + text(web1)), []trigger.Item{carried}},
		"no data":          {cloudEvent(``), []trigger.Item{bus}},
		"null data":        {cloudEvent(`,"data":null`), []trigger.Item{bus}},
		"other data":       {cloudEvent(`,"data":{"diskId":"d-1","size":1}`), []trigger.Item{bus}},
		"other text data":  {cloudEvent(`,"data":"hello"`), []trigger.Item{bus}},
		"list data":        {cloudEvent(`,"data":[` + web1 + `,` + web1 + `]`), []trigger.Item{carried, carried}},
		"list text data":   {cloudEvent(`,"data":` + text(`[`+web1+`]`)), []trigger.Item{carried}},
		"list with poison": {cloudEvent(`,"data":[` + web1 + `,{"x":1}]`), []trigger.Item{carried, poison("")}},
		"other list data":  {cloudEvent(`,"data":[{"diskId":"d-1","size":1},5]`), []trigger.Item{bus}},
		"empty list data":  {cloudEvent(`,"data":[]`), []trigger.Item{bus}},
		"AWS list":         {awsEvent(`[` + web1 + `]`), []trigger.Item{carried}},
		"MNS list": {mns(`[` + web1 + `,` + cloudEvent(`,"data":`+web1) + `]`),
			[]trigger.Item{want1("event", "message:3:m-1", atRound), carried}},
		"SNS list": {sns(snsRecord("m-1", `[`+web1+`]`)),
			[]trigger.Item{want1("event", "message:3:m-1", atRound)}},
		"SQS list": {sns(sqsRecord("m-1", `[`+web1+`,`+web1+`]`), sqsRecord("m-2", `[`+web1+`,5]`)), []trigger.Item{
			queued("m-1", want1("event", "message:3:m-1", atRound)),
			queued("m-1", want1("event", "message:3:m-1", atRound)),
			queued("m-2", want1("event", "message:3:m-2", atRound)), poison("m-2")}},
		"extension": {cloudEvent(`,"aliyunregionid":"cn-hangzhou","new":{"x":[]}`), []trigger.Item{bus}},
		"no time": {`{"specversion":"1.0","id":"e-1","source":"acme","type":"t","data":` + web1 + `}`,
			[]trigger.Item{want1("event", "event:4:acme:3:e-1", time.Time{})}},
		"AWS event":        {awsEvent(web1), []trigger.Item{carried}},
		"AWS other detail": {awsEvent(`{"Target":"x","State":"ok"}`), []trigger.Item{bus}},
		"AWS no detail":    {awsEvent(`{}`), []trigger.Item{bus}},
		"MNS":              {mns(web1), []trigger.Item{want1("event", "message:3:m-1", atRound)}},
		"MNS own key":      {mns(`{"target":"web-1","key":"k"}`), []trigger.Item{explicit}},
		"MNS of an event":  {mns(cloudEvent(`,"data":` + web1)), []trigger.Item{carried}},
		"SNS": {sns(snsRecord("m-1", web1), snsRecord("m-2", awsEvent(`{}`))),
			[]trigger.Item{want1("event", "message:3:m-1", atRound), bus}},
		"SNS doubled": {sns(snsRecord("m-1", web1), snsRecord("m-1", web1)),
			[]trigger.Item{want1("event", "message:3:m-1", atRound)}},
		"SNS poison": {sns(snsRecord("m-1", "x"), snsRecord("m-2", web1)),
			[]trigger.Item{poison(""), want1("event", "message:3:m-2", atRound)}},
		"SQS in order": {sns(sqsRecord("m-2", web1), sqsRecord("m-1", awsEvent(web1)),
			sqsRecord("m-3", cloudEvent(``))), []trigger.Item{
			queued("m-2", want1("event", "message:3:m-2", atRound)),
			queued("m-1", want1("event", "event:4:acme:3:e-1", atRound)), queued("m-3", bus)}},
		"SQS doubled": {sns(sqsRecord("m-1", web1), sqsRecord("m-1", web1)), []trigger.Item{
			queued("m-1", want1("event", "message:3:m-1", atRound))}},
		"SQS doubled ID, another body": {sns(sqsRecord("m-1", web1), sqsRecord("m-1", `{"target":"web-2"}`)),
			[]trigger.Item{
				queued("m-1", want1("event", "message:3:m-1", atRound)),
				queued("m-1",
					trigger.Item{Order: &snapshot.Order{Target: "web-2", Sender: "event", Key: "message:3:m-1",
						Time: atRound, Unread: true}})}},
		"SQS poison": {sns(sqsRecord("m-1", ""), sqsRecord("m-2", "x"), sqsRecord("m-3", `[]`),
			sqsRecord("m-4", `{"target":"web-1","x":1}`), sqsRecord("m-5", web1)),
			[]trigger.Item{poison("m-1"), poison("m-2"), poison("m-3"), poison("m-4"),
				queued("m-5", want1("event", "message:3:m-5", atRound))}},
		"SQS without attributes": {sns(`{"eventSource":"aws:sqs","messageId":"m-1","body":` + text(web1) + `}`),
			[]trigger.Item{queued("m-1", want1("event", "message:3:m-1", time.Time{}))}},
		"SQS with a wrong time": {sns(strings.Replace(sqsRecord("m-1", web1), "1769799723000", "soon", 1)),
			[]trigger.Item{poison("m-1")}},
		"SQS with a body that is no text": {
			sns(`{"eventSource":"aws:sqs","messageId":"m-1","body":{}}`, sqsRecord("m-2", web1)),
			[]trigger.Item{poison("m-1"), queued("m-2", want1("event", "message:3:m-2", atRound))}},
		"SNS with a wrong time": {
			sns(strings.Replace(snsRecord("m-1", web1), at, `"soon"`, 1), snsRecord("m-2", web1)),
			[]trigger.Item{poison(""), want1("event", "message:3:m-2", atRound)}},
		"SNS without an ID": {
			sns(`{"EventSource":"aws:sns","Sns":{"Message":`+text(web1)+`}}`, `{"EventSource":"aws:sns"}`),
			[]trigger.Item{poison(""), poison("")}},
		"OSS": {`{"events":[` + ossRecord(put, "a/b") + `,` + ossRecord("ObjectRemoved:DeleteObject", "a/b") + `]}`,
			[]trigger.Item{ossEvent(put, "a/b"), ossEvent("ObjectRemoved:DeleteObject", "a/b")}},
		"OSS doubled": {created("a", "a", "b"), []trigger.Item{ossEvent(put, "a"), ossEvent(put, "b")}},
		"OSS poison": {
			`{"events":[{"eventSource":"acs:oss"},` +
				strings.Replace(ossRecord(put, "b"), "acs:oss", "acs:ecs", 1) + `,` +
				strings.Replace(ossRecord(put, "c"), at, `"soon"`, 1) + `,5,` + ossRecord(put, "a") + `]}`,
			[]trigger.Item{poison(""), poison(""), poison(""), poison(""), ossEvent(put, "a")}},
		"list": {`[` + web1 + `,` + text(web1) + `]`, []trigger.Item{invoked, invoked}},
		"list of many": {`[` + cloudEvent(``) + `,` + text(cloudEvent(`,"data":`+web1)) + `,` + mns(web1) + `]`,
			[]trigger.Item{bus, carried, want1("event", "message:3:m-1", atRound)}},
		"list poison": {`["x",` + web1 + `,{"x":1},"[]"]`,
			[]trigger.Item{poison(""), invoked, poison(""), poison("")}},
		"list of all": {`[[` + web1 + `],` + web1 + `,5,null]`,
			[]trigger.Item{poison(""), invoked, poison(""), poison("")}},
		"list of records": {`[` + sns(sqsRecord("m-1", web1)) + `,` + web1 + `]`, []trigger.Item{poison(""), invoked}},
		"long list":       {`[` + strings.Repeat(web1+",", 999) + web1 + `]`, slices.Repeat([]trigger.Item{invoked}, 1000)},
		"MNS of OSS":      {mns(created("a")), []trigger.Item{ossEvent(put, "a")}},
		"SQS of OSS": {sns(sqsRecord("m-1", created("a", "b"))),
			[]trigger.Item{queued("m-1", ossEvent(put, "a")), queued("m-1", ossEvent(put, "b"))}},
		"order of Kafka": {kafka(`{"value":` + text(web1) + `}`), []trigger.Item{carried}},
		"other text of Kafka": {kafka(`{"value":"x"}`), []trigger.Item{busItem(snapshot.BusEvent{ID: "e-1",
			Source: "acme", Type: "alikafka:Topic:Message", Subject: "s", Time: atRound})}},
		"text list with a doubled field": {cloudEvent(`,"data":` + text(`[`+web1+`,{"target":"a","TARGET":"b"}]`)),
			[]trigger.Item{carried, poison("")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			batch, err := trigger.DecodeEvent([]byte(test.data), requestID)
			if err != nil {
				t.Fatal(err)
			}
			checkItems(t, batch.Items, test.want)
		})
	}
}

func TestDecodeEventRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ data, message string }{
		"no fields":                {`{}`, "no known shape: it has no fields"},
		"text in JSON":             {`"daily"`, "the event is text, not an object"},
		"number":                   {`5`, "the event is a number, not an object"},
		"null":                     {`null`, "the event is null, not an object"},
		"unknown shape":            {`{"b":1,"a":2}`, `it has the fields "a", "b"`},
		"unknown shape of many":    {`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}`, `"h", ...`},
		"timer":                    {fcTimer(`{"role":"daily"}`), "the timer function takes it"},
		"HTTP":                     {string(fcEvent(nil)), "the http function takes it"},
		"role alone":               {`{"role":"daily"}`, "no known shape"},
		"order, unknown field":     {`{"target":"web-1","targets":["web-1"]}`, `field "targets" is unknown`},
		"order, wrong case":        {`{"TARGET":"web-1"}`, `field "TARGET" must be written "target"`},
		"order, doubled by case":   {`{"target":"web-1","Target":"web-2"}`, "are the same: name each field once"},
		"order, no target":         {`{"target":""}`, `field "target" is missing`},
		"order, empty key":         {`{"target":"web-1","key":""}`, `field "key" is empty`},
		"order, null key":          {`{"target":"web-1","key":null}`, `field "key" is null`},
		"order, number for a key":  {`{"target":"web-1","key":42}`, `field "key" is a number, not text`},
		"order, number for an age": {`{"target":"web-1","maxAge":3600}`, `field "maxAge" is a number, not text`},
		"order, bare number age": {`{"target":"web-1","maxAge":"3600"}`,
			`field "maxAge" is not a duration: use one such as 90m`},
		"order, empty age":           {`{"target":"web-1","maxAge":""}`, `field "maxAge" is not a duration`},
		"order, age of half a day":   {`{"target":"web-1","maxAge":"1.5d"}`, `field "maxAge" is not a duration`},
		"order, age of 30 h and 1 d": {`{"target":"web-1","maxAge":"1d30h"}`, `field "maxAge" is not a duration`},
		"order, age beyond time":     {`{"target":"web-1","maxAge":"36501d"}`, `field "maxAge" is not a duration`},
		"order, days and no number":  {`{"target":"web-1","maxAge":"d"}`, `field "maxAge" is not a duration`},
		"order, days twice":          {`{"target":"web-1","maxAge":"1d1d"}`, `field "maxAge" is not a duration`},
		"order, empty time": {`{"target":"web-1","time":""}`,
			`field "time" is empty: give it a value, or leave it out`},
		"order, no time": {`{"target":"web-1","time":"yesterday"}`,
			`field "time" is not a time: write one such as 2026-01-31T03:00:00Z`},
		"order, time without a zone": {`{"target":"web-1","time":"2026-01-31T03:00:00"}`, `field "time" is not a time`},
		"order, time in seconds":     {`{"target":"web-1","time":1769799723}`, `field "time" is a number, not text`},
		"order, null time":           {`{"target":"web-1","time":null}`, `field "time" is null`},
		"order, text for dryRun":     {`{"target":"web-1","dryRun":"true"}`, `field "dryRun" is text`},
		"API, DISKID": {`{"RegionId":"cn-hangzhou","DISKID":"d-1"}`,
			`field "DISKID" must be written "DiskId"`},
		"API, doubled by case":       {`{"DiskId":"d-1","DISKID":"d-2"}`, "are the same: name each field once"},
		"API, doubled by the long s": {`{"DiskId":"d-1","Di\u017fkId":"d-2"}`, "are the same: name each field once"},
		"API, dryRun beside":         {`{"DiskId":"d-1","dryRun":true}`, `field "dryRun" is unknown`},
		"API, target beside":         {`{"DiskId":"d-1","target":"web-1"}`, `field "target" is unknown`},
		"API, Tag.N":                 {`{"DiskId":"d-1","Tag.1.Key":"a"}`, `field "Tag.1.Key" is unknown`},
		"API, tag with more": {`{"DiskId":"d-1","Tag":[{"Key":"a","Value":"b","Scope":"c"}]}`,
			`field "Scope" is unknown`},
		"API, tag of wrong case": {`{"DiskId":"d-1","Tag":[{"key":"a"}]}`, `field "key" must be written "Key"`},
		"API, tags as an object": {`{"DiskId":"d-1","Tag":{"a":"b"}}`, `field "Tag" is an object, not a list`},
		"CloudEvent, 0.3":        {`{"specversion":"0.3","id":"1","source":"a","type":"b"}`, `field "specversion"`},
		"CloudEvent, no ID":      {`{"specversion":"1.0","source":"a","type":"b"}`, `field "id" is missing`},
		"CloudEvent, no source":  {`{"specversion":"1.0","id":"1","type":"b"}`, `field "source" is missing`},
		"CloudEvent, no type":    {`{"specversion":"1.0","id":"1","source":"a"}`, `field "type" is missing`},
		"CloudEvent, wrong time": {`{"specversion":"1.0","id":"1","source":"a","type":"b","time":"now"}`,
			`field "time" is not a time`},
		"CloudEvent, number for ID": {`{"specversion":"1.0","id":1,"source":"a","type":"b"}`,
			`field "id" is a number`},
		"CloudEvent, wrong order": {cloudEvent(`,"data":{"target":"web-1","x":1}`),
			`field "data": field "x" is unknown`},
		"CloudEvent, wrong case": {cloudEvent(`,"data":{"Target":"web-1","role":"deploy"}`),
			`must be written "target"`},
		"CloudEvent, wrong case API": {cloudEvent(`,"data":{"diskId":"d-1","RegionId":"cn-hangzhou"}`),
			`must be written "DiskId"`},
		"CloudEvent, doubled": {cloudEvent(`,"data":{"x":{"a":1,"A":1}}`), "are the same: name each field once"},
		"CloudEvent and AWS": {`{"specversion":"1.0","detail-type":"x"}`,
			"the marks of a CloudEvent and of an event of AWS EventBridge"},
		"CloudEvent and order": {cloudEvent(`,"target":"web-1"`), "the marks of an order and of a CloudEvent"},
		"AWS, version 1":       {`{"version":"1","id":"1","detail-type":"t","source":"a"}`, `field "version"`},
		"AWS, no source":       {`{"version":"0","id":"1","detail-type":"t"}`, `field "source" is missing`},
		"AWS, wrong order":     {awsEvent(`{"DiskId":5}`), `field "detail": field "DiskId" is a number`},
		"MNS, text":            {mns("web-1"), `field "Message": the input is not JSON`},
		"MNS, empty":           {mns(""), `field "Message": nothing arrived`},
		"MNS, list":            {mns(`[]`), `field "Message": the list of events is empty`},
		"MNS in MNS":           {mns(mns(web1)), `field "Message": the event has no known shape`},
		"MNS, no ID":           {`{"Message":"{}","MessageId":""}`, `field "MessageId" is missing`},
		"MNS, time as text": {`{"Message":"{}","MessageId":"1","PublishTime":"1"}`,
			`field "PublishTime" is text`},
		"MNS, time before 1970": {`{"Message":"{}","MessageId":"1","PublishTime":-1}`,
			`field "PublishTime" is not a time`},
		"MNS, time with a fraction": {`{"Message":"{}","MessageId":"1","PublishTime":1.5}`,
			`field "PublishTime" has a value out of range`},
		"OSS, no events":     {`{"events":[]}`, `field "events" is empty`},
		"OSS, object":        {`{"events":{}}`, `field "events" is an object, not a list`},
		"records, none":      {`{"Records":[]}`, `field "Records" is empty`},
		"records, null":      {`{"Records":null}`, `field "Records" is empty`},
		"records of S3":      {`{"Records":[{"eventSource":"aws:s3"}]}`, "record 1 has an unknown source"},
		"records of nothing": {`{"Records":[{}]}`, "record 1 has an unknown source"},
		"records of text":    {`{"Records":["x"]}`, "record 1 has an unknown source"},
		"records mixed": {sns(sqsRecord("m-1", web1), snsRecord("m-2", web1)),
			"the records mix SNS and SQS"},
		"records, second unknown": {sns(sqsRecord("m-1", web1), `{"eventSource":"aws:kinesis"}`),
			"record 2 has an unknown source"},
		"records and order": {`{"Records":[],"target":"web-1"}`, "the marks of an order and of records"},
		"SQS, no ID": {sns(`{"eventSource":"aws:sqs","body":"{}"}`),
			`record 1: field "messageId" is missing`},
		"list of nothing": {`[]`, "the list of events is empty"},
	}
	for name, test := range structureDefects {
		tests[name] = test
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			batch, err := trigger.DecodeEvent([]byte(test.data), requestID)
			checkMalformed(t, err)
			checkMessage(t, err, test.message)
			if !reflect.DeepEqual(batch, trigger.Batch{}) {
				t.Errorf("a batch stands beside the error: %+v", batch)
			}
		})
	}
}

// TestIdentityOfDeliveries: whatever delivers an event, the same event has the same identity, and another has another.
func TestIdentityOfDeliveries(t *testing.T) {
	t.Parallel()
	key := func(data, request string) string {
		batch, err := trigger.DecodeEvent([]byte(data), request)
		if err != nil {
			t.Fatal(err)
		}
		return batch.Items[0].Order.Key
	}
	for name, data := range map[string]string{
		"CloudEvent": cloudEvent(`,"data":` + web1), "AWS": awsEvent(web1), "MNS": mns(web1),
		"SNS": sns(snsRecord("m", web1)),
		"SQS": sns(sqsRecord("m", web1)), "own key": `{"target":"web-1","key":"k"}`,
	} {
		if one, two := key(data, "r-1"), key(data, "r-2"); one != two {
			t.Errorf("%s: a redelivery is another order: %s and %s", name, one, two)
		}
	}
	parted := func(source, id string) string {
		return key(`{"specversion":"1.0","id":"`+id+`","source":"`+source+`","type":"t","data":`+web1+`}`, "r-1")
	}
	if one, two := parted("a:b", "c"), parted("a", "b:c"); one == two {
		t.Errorf("events of two sources are one order: %s", one)
	}
	if one, two := key(web1, "r-1"), key(web1, "r-2"); one == two {
		t.Errorf("two invocations are one order: %s", one)
	}
	if got := key(web1, ""); got != "" {
		t.Errorf("without a request ID the key is %q: every such order would be the same", got)
	}
}

func TestDecodeOrder(t *testing.T) {
	t.Parallel()
	got, err := trigger.DecodeOrder([]byte(`{"target":"web-1","role":"deploy","reason":"r","key":"k",` +
		`"time":"2026-01-30T19:00:00Z","maxAge":"1h","dryRun":true}`))
	if err != nil {
		t.Fatal(err)
	}
	want := snapshot.Order{Target: "web-1", Role: "deploy", Reason: "r", Key: "k", ExplicitKey: true, Time: atTick,
		MaxAge: time.Hour, DryRun: true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, data := range []string{``, `{}`, `[` + web1 + `]`, `{"DiskId":"d-1"}`, `{"target":"web-1","DiskId":"d-1"}`,
		`{"target":"web-1"}{}`} {
		order, err := trigger.DecodeOrder([]byte(data))
		checkMalformed(t, err)
		if !reflect.DeepEqual(order, snapshot.Order{}) {
			t.Errorf("%s: an order stands beside the error: %+v", data, order)
		}
	}
}

func TestSQSAnswer(t *testing.T) {
	t.Parallel()
	for want, failed := range map[string][]string{
		`{"batchItemFailures":[]}`: nil,
		`{"batchItemFailures":[{"itemIdentifier":"m-1"},{"itemIdentifier":"m-2"}]}`: {"m-1", "m-2"},
	} {
		if got := string(trigger.SQSAnswer(failed)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func ExampleDecodeEvent() {
	batch, err := trigger.DecodeEvent([]byte(`{"target":"web-1","role":"deploy","key":"build-42"}`), "c2f1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range batch.Items {
		fmt.Println(item.Order.Target, item.Order.Role, item.Order.Key)
	}
	// Output: web-1 deploy build-42
}

// The API's own parameters break the API's own rules: the errors have its codes.
func TestDecodeEventOfBrokenRules(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ data, code, says string }{
		"no disk": {`{"DiskId":""}`, "MissingDiskId", "DiskId: is missing"},
		"no mark": {`{"RegionId":"cn-hangzhou","SnapshotName":"abc"}`, "MissingDiskId", "DiskId: is missing"},
		"every violation": {`{"RegionId":"cn-hangzhou","SnapshotName":"x"}`, "InvalidOrder",
			"SnapshotName: has 1 characters"},
		"within a message": {mns(`{"DiskId":""}`), "MissingDiskId", `field "Message": DiskId: is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := trigger.DecodeEvent([]byte(c.data), requestID)
			var known *snapshot.Error
			if !errors.As(err, &known) || known.Code != c.code || !strings.Contains(known.Message, c.says) ||
				strings.Contains(known.Message, "expected") {
				t.Errorf("got %v, want %s: %s", err, c.code, c.says)
			}
		})
	}
}
