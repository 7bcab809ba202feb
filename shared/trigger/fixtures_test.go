package trigger_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// fixtures is the folder of real payloads, one a shape and platform.
const fixtures = "../../events"

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// requestID is that of the invocation in every test.
const requestID = "req-1"

var (
	atTick  = time.Date(2026, 1, 30, 19, 0, 0, 0, time.UTC)
	atSweep = time.Date(2026, 1, 30, 19, 10, 0, 0, time.UTC)
	atEvent = time.Date(2026, 1, 30, 19, 2, 3, 456e6, time.UTC)
	atRound = time.Date(2026, 1, 30, 19, 2, 3, 0, time.UTC)
)

const release = "release 1.4.2"

// deploy is the order that most fixtures carry.
func deploy(sender, key string, explicit bool, at time.Time) trigger.Item {
	return trigger.Item{Order: &snapshot.Order{
		Target: "web-1", Role: "deploy", Reason: release, Sender: sender, Key: key, ExplicitKey: explicit, Time: at,
		Unread: true,
	}}
}

// queued is an item of the SQS message with this ID.
func queued(id string, item trigger.Item) trigger.Item {
	item = withMessage(id, item)
	if item.Order != nil {
		item.Order.Repeated = true
	}
	return item
}

var timerFixtures = map[string]snapshot.Tick{
	"timer-fc.json":         {Role: "daily", Time: atTick, Trigger: "daily"},
	"timer-targets-fc.json": {Role: "daily", Targets: []string{"web-1"}, Time: atTick, Trigger: "daily-web"},
	"timer-sweep-fc.json":   {Time: atSweep, Trigger: "sweep"},
	"timer-eventbridge.json": {Role: "daily", Time: atTick,
		Trigger: "arn:aws:events:ap-southeast-1:123456789012:rule/swas-snapshot-daily"},
	"timer-constant.json": {},
	"timer-scheduler.json": {Role: "daily", Targets: []string{"web-1"}, Time: atTick,
		Trigger: "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/swas-snapshot-daily"},
	"timer-sweep-scheduler.json": {Time: atSweep,
		Trigger: "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/swas-snapshot-sweep"},
}

func busItem(event snapshot.BusEvent) trigger.Item { return trigger.Item{Event: &event} }

func withMessage(id string, item trigger.Item) trigger.Item {
	item.MessageID = id
	return item
}

const (
	firstMessage  = "059f36b4-87a3-44ab-83d2-661975830a7d"
	secondMessage = "2e1424d4-f796-459a-8184-9c92662be6da"
	ossSubject    = "acs:oss:cn-hangzhou:123456789098:acme-artifacts/releases/web/1.4.2.zip"
)

var eventFixtures = map[string][]trigger.Item{
	"event-order.json": {deploy("event", "build-1042", true, time.Time{})},
	"event-order-fresh.json": {{Order: &snapshot.Order{
		Target: "web-1", Role: "daily", Reason: "before the migration", Sender: "event", Key: "migration-7",
		ExplicitKey: true, Time: atRound, MaxAge: time.Hour, DryRun: true, Unread: true,
	}}},
	"event-raw.json": {{Order: &snapshot.Order{
		RegionID: "cn-hangzhou", DiskID: "d-bp18kjxg9ebrhsgi0001", SnapshotName: "deploy-web-1-build-1042",
		ClientToken: "123e4567-e89b-12d3-a456-426655440000", Tags: []snapshot.Tag{{Key: "team", Value: "web"}},
		ResourceGroupID: "rg-aek2bti7cf70001", Sender: "invoke", Key: "request:5:" + requestID, Unread: true,
	}}},
	"event-list.json": {
		deploy("event", "build-1042", true, time.Time{}),
		{Order: &snapshot.Order{Target: "web-1", Role: "daily", Sender: "event", Key: "nightly-7", ExplicitKey: true,
			Unread: true}},
	},
	"event-eventbridge-fc.json": {deploy("event", "event:13:acme.pipeline:35:45ef4de0d1e1-7c35-447a-bd93-fab0001",
		false, atEvent)},
	"event-raw-eventbridge-fc.json": {{Order: &snapshot.Order{
		RegionID: "cn-hangzhou", DiskID: "d-bp18kjxg9ebrhsgi0001", Sender: "event",
		Key: "event:13:acme.pipeline:35:45ef4de0d1e1-7c35-447a-bd93-fab0002", Time: atEvent, Unread: true,
	}}},
	"event-oss.json": {busItem(snapshot.BusEvent{ID: "object:24:697D02EBD0DEFE3930847A6E:22:releases/web/1.4.2.zip",
		Source: "acs.oss", Type: "oss:ObjectCreated:PutObject", Subject: ossSubject, Time: atRound})},
	"event-oss-eventbridge.json": {busItem(snapshot.BusEvent{ID: "697D02EBD0DEFE3930847A6E", Source: "acs.oss",
		Type: "oss:ObjectCreated:PutObject", Subject: ossSubject, Time: atEvent})},
	"event-mns.json": {deploy("event", "message:32:3405CA51807661353B36F2D1C4A9E870", false, atEvent)},
	"event-mns-queue.json": {deploy("event",
		"event:26:MNS-Function-swas-snapshot:36:c2a71017-6f65-4fcf-a814-a396fc8d0001", false, atEvent)},
	"event-stream-rocketmq.json": {deploy("event", "build-1042", true, atEvent)},
	"event-stream-kafka.json":    {deploy("event", "build-1042", true, atEvent)},
	"event-eventbridge-aws.json": {deploy("event", "build-1042", true, atRound)},
	"event-codepipeline-aws.json": {busItem(snapshot.BusEvent{ID: "01234567-0123-0123-0123-012345678901",
		Source: "aws.codepipeline", Type: "CodePipeline Pipeline Execution State Change",
		Subject: "arn:aws:codepipeline:ap-southeast-1:123456789012:shop", Time: atRound})},
	"event-sns.json": {deploy("event", "message:36:95df01b4-ee98-5cb9-9903-4c221d41eb5e", false, atEvent)},
	"event-sqs.json": {
		queued(firstMessage, deploy("event", "message:36:"+firstMessage, false, atEvent)),
		queued(secondMessage, deploy("event", "build-1042", true, atRound)),
	},
	"event-sqs-poison.json": {
		{Err: &snapshot.Error{Code: snapshot.CodeMalformed}, MessageID: firstMessage},
		queued(secondMessage, deploy("event", "build-1042", true, atEvent)),
	},
	"event-sqs-sns.json": {queued(firstMessage,
		deploy("event", "message:36:95df01b4-ee98-5cb9-9903-4c221d41eb5e", false, atEvent))},
}

// call is what a handler sees of an HTTP fixture.
type call struct{ method, uri, authorization, key, cookie, body string }

const (
	demoBearer = "Bearer demo-token-not-a-secret-0001"
	httpOrder  = `{"target":"web-1","role":"deploy","reason":"release 1.4.2"}`
)

var httpFixtures = map[string]call{
	"http-fc-post.json":       {"POST", "/snapshots", demoBearer, "build-1042", "", httpOrder},
	"http-fc-post-plain.json": {"POST", "/snapshots", demoBearer, "build-1042", "", httpOrder},
	"http-fc-get.json":        {"GET", "/snapshots?target=web-1", demoBearer, "", "", ""},
	"http-fc-healthz.json":    {"GET", "/healthz", "", "", "", ""},
	"http-lambda-post.json":   {"POST", "/snapshots", demoBearer, "build-1042", "", httpOrder},
	"http-lambda-get.json":    {"GET", "/snapshots?target=web-1", demoBearer, "", "theme=dark; lang=en", ""},
	"http-apigw.json":         {"POST", "/snapshots", demoBearer, "build-1042", "", httpOrder},
	"http-apigw-get.json":     {"GET", "/plan?target=web-1", demoBearer, "", "", ""},
}

func TestTimerFixtures(t *testing.T) {
	t.Parallel()
	for name, want := range timerFixtures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := trigger.DecodeTimer(fixture(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestEventFixtures(t *testing.T) {
	t.Parallel()
	for name, want := range eventFixtures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := trigger.DecodeEvent(fixture(t, name), requestID)
			if err != nil {
				t.Fatal(err)
			}
			if sqs := strings.HasPrefix(name, "event-sqs"); got.SQS != sqs {
				t.Errorf("SQS is %t, want %t", got.SQS, sqs)
			}
			checkItems(t, got.Items, want)
		})
	}
}

// checkItems compares items; of errors only the code.
func checkItems(t *testing.T, got, want []trigger.Item) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d items, want %d", len(got), len(want))
	}
	for i, one := range got {
		expected := want[i]
		if expected.Err != nil && one.Err != nil {
			checkMalformed(t, one.Err)
			one.Err, expected.Err = nil, nil
		}
		if !reflect.DeepEqual(one, expected) {
			t.Errorf("item %d: got %s, want %s", i, show(one), show(expected))
		}
	}
}

func show(item trigger.Item) string {
	data, err := json.Marshal(item)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func TestHTTPFixtures(t *testing.T) {
	t.Parallel()
	for name, want := range httpFixtures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got call
			var id, source string
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || int64(len(body)) != r.ContentLength {
					t.Errorf("body of %d bytes, ContentLength %d: %v", len(body), r.ContentLength, err)
				}
				got = call{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"),
					r.Header.Get("Cookie"), string(body)}
				id, source = trigger.RequestID(r.Context()), r.RemoteAddr
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusAccepted)
				_, _ = w.Write(body)
			})
			data, err := trigger.ServeHTTP(t.Context(), fixture(t, name), handler, httpapi.WriteStatus)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("the handler saw %+v, want %+v", got, want)
			}
			if id == "" || source != "198.51.100.7:0" {
				t.Errorf("request ID %q, remote address %q", id, source)
			}
			var answer httpAnswer
			if err := trigger.StrictJSON(data, &answer); err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != http.StatusAccepted || answer.Body != want.body || answer.IsBase64Encoded {
				t.Errorf("answer %+v", answer)
			}
		})
	}
}

// TestEveryFixtureIsUsed keeps the folder and the tables from drifting apart.
func TestEveryFixtureIsUsed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(fixtures, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		_, timer := timerFixtures[name]
		_, event := eventFixtures[name]
		_, call := httpFixtures[name]
		if !timer && !event && !call {
			t.Errorf("%s stands in no table", name)
		}
	}
}
