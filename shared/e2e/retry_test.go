package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// twoDisks is the policy of a server with two disks, each of which keeps one snapshot: the third slot is free.
const twoDisks = `
region: cn-hangzhou
targets:
  web-1: {disk: d-bp18kjxg9ebrhsgi0001, keep: {deploy: 1}}
  data-1: {disk: d-bp18kjxg9ebrhsgi0003, keep: {nightly: 1}}
allow:
  - {from: api, targets: [web-1], role: deploy, actions: [take, list, plan]}
`

// fullServer starts an account whose server has no free slot: the last one holds a snapshot of the data disk that has
// just begun and takes 20 minutes. Then the sweep deletes the one before, and a slot is free.
func fullServer(t *testing.T) *cloud {
	t.Helper()
	const data = "d-bp18kjxg9ebrhsgi0003"
	c := newCloudAt(t, night, func(config *simulator.Config) {
		config.Duration = 20 * time.Minute
		config.Instances[0].Disks = append(config.Instances[0].Disks, simulator.Disk{ID: data})
	})
	c.add("s-deploy", "deploy", simulator.Accomplished, night.AddDate(0, 0, -1))
	for id, at := range map[string]time.Time{"s-old": night.AddDate(0, 0, -1), "s-new": c.now()} {
		status := simulator.Accomplished
		if id == "s-new" {
			status = simulator.Progressing
		}
		c.AddSnapshot(simulator.Snapshot{ID: id, Name: id, DiskID: data, Status: status, CreationTime: at, Tags: []simulator.Tag{
			{Key: snapshot.TagToken, Value: "token-" + id}, {Key: snapshot.TagMeta, Value: "nightly/timer/0123456789ab"}}})
	}
	return c
}

// queueOf returns how long SQS hides a message of the orders queue that failed, and how often it delivers one.
func queueOf(t *testing.T) (hidden time.Duration, deliveries int) {
	t.Helper()
	template, err := os.ReadFile(filepath.Join("..", "..", "template.yml"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?s)\n  Orders:\n    Type: AWS::SQS::Queue\n.*?VisibilityTimeout: (\d+)\n.*?maxReceiveCount: (\d+)\n`).FindSubmatch(template)
	if found == nil {
		t.Fatal("template.yml has no queue of orders with VisibilityTimeout and maxReceiveCount")
	}
	seconds, _ := strconv.Atoi(string(found[1])) // the pattern takes digits alone
	deliveries, _ = strconv.Atoi(string(found[2]))
	return time.Duration(seconds) * time.Second, deliveries
}

// TestQueueOutlastsDeferral lets an order on Lambda wait for one snapshot and one sweep: the queue's retries of
// template.yml are enough, whenever in their ten minutes the sweeps are. It is not notified, for it goes on.
func TestQueueOutlastsDeferral(t *testing.T) {
	t.Parallel()
	hidden, deliveries := queueOf(t)
	if least := 40 * time.Minute; hidden*time.Duration(deliveries-1) < least {
		t.Fatalf("SQS delivers %d times, every %v: that is less than %v", deliveries, hidden, least)
	}
	for phase := time.Duration(0); phase < 10*time.Minute; phase += 3 * time.Minute {
		t.Run(phase.String(), func(t *testing.T) {
			t.Parallel()
			c, robot := fullServer(t), newRobot(t)
			rules := twoDisks + robot.rule("blocked, failed")
			sweeper := c.deploy(t, deployment{platform: runtimeapi.Lambda, name: timer, policy: rules})
			taker := c.deploy(t, deployment{platform: runtimeapi.Lambda, name: event, policy: rules})
			// The event has a time, so that maxEventAge must let all deliveries pass, too.
			body, err := json.Marshal(fmt.Sprintf(`{"target":"web-1","role":"deploy","key":"build-1","time":%q}`, c.now().UTC().Format(time.RFC3339)))
			if err != nil {
				t.Fatal(err)
			}
			message := fmt.Appendf(nil, `{"Records":[{"messageId":%q,"receiptHandle":"h","body":%s,"attributes":{"SentTimestamp":"%d"},"messageAttributes":{},`+
				`"md5OfBody":"0","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:ap-southeast-1:123456789012:orders","awsRegion":"ap-southeast-1"}]}`,
				poison, body, c.now().UnixMilli())
			start, swept := c.now(), 0
			for delivery := range deliveries {
				at := start.Add(time.Duration(delivery) * hidden)
				for ; start.Add(phase + time.Duration(swept)*10*time.Minute).Before(at); swept++ {
					c.clock.Set(start.Add(phase + time.Duration(swept)*10*time.Minute))
					sweeper.sweep(c)
				}
				c.clock.Set(at)
				taker.Kill()
				if len(read(t, taker.invoke(message)).failed) == 0 {
					t.Logf("done at delivery %d of %d, after %v", delivery+1, deliveries, at.Sub(start))
					c.wantDeleted(t, "s-old")
					if newest := c.Snapshots()[0]; roleOf(newest) != "deploy" || newest.DiskID != disk {
						t.Errorf("the newest snapshot is %+v", newest)
					}
					if got := robot.heard(); len(got) > 0 {
						t.Errorf("an order that goes on was notified: %+v", got)
					}
					return
				}
			}
			t.Errorf("the order was given up after %d deliveries", deliveries)
		})
	}
}

// TestDeferredWithoutQueue shows that the order of an asynchronous invocation is notified as soon as it is deferred: the
// platform's own retries may end before one snapshot and one sweep are over. All retries send one notification.
func TestDeferredWithoutQueue(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c, robot := fullServer(t), newRobot(t)
		f := c.deploy(t, deployment{platform: platform, name: event, policy: twoDisks + robot.rule("blocked, failed")})
		delivery := f.InvokeAsync(t.Context(), []byte(goodOrder))
		if delivery.Err == nil || delivery.Attempts < 3 {
			t.Fatalf("the order ended after %d attempts: %v", delivery.Attempts, delivery.Err)
		}
		wantError(t, read(t, delivery.Answer).only(t), snapshot.CodeBlocked)
		got := robot.heard()
		if len(got) != 1 || got[0].Kind != string(snapshot.NotifyBlocked) {
			t.Errorf("these were sent, want one that the order is blocked: %+v", got)
		}
		c.wantSnapshots(t, 3)
	})
}
