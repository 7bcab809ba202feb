package e2e

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// expected is what must come of a fixture in an empty account.
type expected struct {
	calls    map[string]int
	outcomes []snapshot.Outcome // one an order; "": it failed
	name     string             // how the name of the first snapshot begins
	status   int                // HTTP
	failed   []string           // SQS: the messages that failed
	after    time.Duration      // how long after night the fixture arrives
}

var (
	oneCall   = map[string]int{"CreateSnapshot": 1}
	oneDue    = map[string]int{"ListSnapshots": 1, "CreateSnapshot": 1}                    // a sweep that takes what is due
	oneJoined = map[string]int{"CreateSnapshot": 1, "ListSnapshots": 1, "TagResources": 1} // an order while another is in progress
	twoOrders = map[string]int{"CreateSnapshot": 2, "ListSnapshots": 1, "TagResources": 1} // the second joins the first
	created   = []snapshot.Outcome{snapshot.OutcomeCreated}
	andJoined = []snapshot.Outcome{snapshot.OutcomeCreated, snapshot.OutcomeJoined}
	andSwept  = []snapshot.Outcome{snapshot.OutcomeCreated, nothing}
)

const (
	daily   = "daily-web-1-20260130T1900-"
	deploy  = "deploy-web-1-20260130T1902-"
	noTime  = "deploy-web-1-"
	poison  = "059f36b4-87a3-44ab-83d2-661975830a7d"
	nothing = ""
)

// fixtures is what comes of every payload of events/, on both platforms. Each tick finds that daily is due since 19:00Z.
var fixtures = map[string]expected{
	"timer-fc.json":              {calls: oneDue, outcomes: andSwept, name: daily},
	"timer-targets-fc.json":      {calls: oneDue, outcomes: andSwept, name: daily},
	"timer-eventbridge.json":     {calls: oneDue, outcomes: andSwept, name: daily},
	"timer-scheduler.json":       {calls: oneDue, outcomes: andSwept, name: daily},
	"timer-constant.json":        {calls: oneDue, outcomes: andSwept, name: daily},
	"timer-sweep-fc.json":        {calls: oneDue, outcomes: andSwept, name: daily, after: 8 * time.Minute},
	"timer-sweep-scheduler.json": {calls: oneDue, outcomes: andSwept, name: daily, after: 8 * time.Minute},

	"event-order.json":              {calls: oneCall, outcomes: created, name: noTime},
	"event-order-fresh.json":        {calls: map[string]int{"ListSnapshots": 1}, outcomes: []snapshot.Outcome{snapshot.OutcomePlanned}, name: "daily-web-1-"},
	"event-raw.json":                {calls: oneCall, outcomes: created, name: "deploy-web-1-build-1042"},
	"event-list.json":               {calls: twoOrders, outcomes: andJoined, name: noTime},
	"event-eventbridge-fc.json":     {calls: oneCall, outcomes: created, name: deploy},
	"event-raw-eventbridge-fc.json": {calls: oneCall, outcomes: created, name: deploy},
	"event-oss.json":                {calls: oneCall, outcomes: created, name: deploy},
	"event-oss-eventbridge.json":    {calls: oneCall, outcomes: created, name: deploy},
	"event-mns.json":                {calls: oneCall, outcomes: created, name: deploy},
	"event-mns-queue.json":          {calls: oneCall, outcomes: created, name: deploy},
	"event-stream-rocketmq.json":    {calls: oneCall, outcomes: created, name: noTime},
	"event-stream-kafka.json":       {calls: oneCall, outcomes: created, name: noTime},
	"event-eventbridge-aws.json":    {calls: oneCall, outcomes: created, name: noTime},
	"event-codepipeline-aws.json":   {calls: oneCall, outcomes: created, name: deploy},
	"event-sns.json":                {calls: oneCall, outcomes: created, name: deploy},
	"event-sqs.json":                {calls: twoOrders},
	"event-sqs-poison.json":         {calls: oneCall, failed: []string{poison}},
	"event-sqs-sns.json":            {calls: oneCall},

	"http-fc-post.json":       {calls: oneCall, outcomes: created, name: noTime, status: 202},
	"http-fc-post-plain.json": {calls: oneCall, outcomes: created, name: noTime, status: 202},
	"http-lambda-post.json":   {calls: oneCall, outcomes: created, name: noTime, status: 202},
	"http-apigw.json":         {calls: oneCall, outcomes: created, name: noTime, status: 202},
	"http-fc-get.json":        {calls: map[string]int{"ListSnapshots": 1}, outcomes: []snapshot.Outcome{nothing}, status: 200},
	"http-lambda-get.json":    {calls: map[string]int{"ListSnapshots": 1}, outcomes: []snapshot.Outcome{nothing}, status: 200},
	"http-apigw-get.json":     {calls: map[string]int{"ListSnapshots": 1}, outcomes: []snapshot.Outcome{nothing}, status: 200},
	"http-fc-healthz.json":    {outcomes: []snapshot.Outcome{nothing}, status: 200},
}

// functionOf returns the function that a fixture is for.
func functionOf(fixture string) string {
	name, _, _ := strings.Cut(fixture, "-")
	return name
}

// TestFixtures sends every fixture to a new process in an empty account: the same calls, the same answers on both
// platforms, to the byte where the order does not carry the invocation's own ID.
func TestFixtures(t *testing.T) {
	t.Parallel()
	for name, want := range fixtures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			payloads := make(map[runtimeapi.Platform]string)
			for _, platform := range testbed.Platforms {
				c := newCloudAt(t, night.Add(want.after))
				f := c.deploy(t, deployment{platform: platform, name: functionOf(name), policy: scheduled})
				answer := f.invoke(fixture(t, name))
				got := read(t, answer)
				c.wantCalls(t, want.calls)
				checkFixture(t, want, got)
				payloads[platform] = creationTime.ReplaceAllString(string(answer.Payload), "")
			}
			if fc, lambda := payloads[runtimeapi.FC], payloads[runtimeapi.Lambda]; fc != lambda {
				t.Errorf("the answers differ:\nfc     %s\nlambda %s", fc, lambda)
			}
		})
	}
}

// creationTime is the one part of an answer that depends on when the test runs.
var creationTime = regexp.MustCompile(`,\\?"creationTime\\?":\\?"[^"]*"`)

func checkFixture(t *testing.T, want expected, got answered) {
	t.Helper()
	if got.status != want.status {
		t.Errorf("the status is %d, want %d", got.status, want.status)
	}
	if !reflect.DeepEqual(got.failed, want.failed) {
		t.Errorf("the failed messages are %v, want %v", got.failed, want.failed)
	}
	if len(got.results) != len(want.outcomes) {
		t.Fatalf("there are %d results, want %d: %+v", len(got.results), len(want.outcomes), got.results)
	}
	for i, result := range got.results {
		wantOutcome(t, result, want.outcomes[i])
	}
	if want.name != "" && !strings.HasPrefix(got.results[0].SnapshotName, want.name) {
		t.Errorf("the name is %q, want %q...", got.results[0].SnapshotName, want.name)
	}
}

// TestEveryFixture keeps the folder and the table from drifting apart.
func TestEveryFixture(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "events", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no fixtures: %v", err)
	}
	for _, file := range files {
		if _, known := fixtures[filepath.Base(file)]; !known {
			t.Errorf("%s stands in no table", filepath.Base(file))
		}
	}
	for name := range fixtures {
		if _, err := os.Stat(filepath.Join("..", "..", "events", name)); err != nil {
			t.Errorf("%s is in the table and not in events", name)
		}
	}
}
