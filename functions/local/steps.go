package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// step is one step of the demo: what happens, and what must come of it.
type step struct {
	name    string
	trigger string
	do      func(context.Context, *demonstration) ([]snapshot.Result, error)
	want    string         // the outcomes of the results, in their order; - is a target with nothing to do
	calls   map[string]int // of the API; nil: not checked
	check   func(*demonstration, []snapshot.Result) error
}

// steps are the demo, in their order.
var steps = []step{
	{"the first sweep takes what the schedules say is due, one snapshot a disk at a time", "timer", sweepNow,
		"created created deferred", map[string]int{"ListSnapshots": 1, "CreateSnapshot": 2}, nil},
	{"the next sweep, in another process: nothing is taken twice", "timer", sweepRestarted, "- deferred",
		map[string]int{"ListSnapshots": 1}, nil},
	{"a pipeline's gate orders a snapshot, and joins the one in progress", "http", firstGate, "joined", nil, nil},
	{"15 minutes later, the sweep takes the role that waited", "timer", sweepLater, "- created",
		map[string]int{"ListSnapshots": 1, "CreateSnapshot": 1}, nil},
	{"the gate of the next deployment takes a snapshot of its own", "http", nextGate, "created",
		map[string]int{"CreateSnapshot": 1}, nil},
	{"and polls until it is accomplished", "http", pollGate, "-", map[string]int{"ListSnapshots": 1}, accomplished},
	{"a signed webhook: a GitHub deployment", "http", deployment, "created", nil, nil},
	{"the webhook, delivered again", "http", deployment, "replayed", map[string]int{}, nil},
	{"an order at a full server is deferred: orders never delete", "http", orderWhenFull, "deferred", nil, nothingDeleted},
	{"the sweep deletes the surplus, and a slot is free again", "timer", sweepNow, "- -", nil, deletedOne},
	{"the same order, repeated, is done", "http", orderAgain, "created", map[string]int{"CreateSnapshot": 1}, nil},
	{"a server full of snapshots of others: blocked, with the plan", "event", blockedOrder, "blocked", nil,
		nothingDeleted},
}

// sweepNow is the timer that fires every ten minutes.
func sweepNow(ctx context.Context, d *demonstration) ([]snapshot.Result, error) {
	return d.fire(ctx, `{"sweep":true}`)
}

// sweepRestarted sweeps with a process that knows nothing of the first sweep.
func sweepRestarted(ctx context.Context, d *demonstration) ([]snapshot.Result, error) {
	d.functions["timer"].Kill()
	return sweepNow(ctx, d)
}

func sweepLater(ctx context.Context, d *demonstration) ([]snapshot.Result, error) {
	d.pass(demoTakes + 3*time.Minute)
	return sweepNow(ctx, d)
}

// orderBy orders a snapshot of web-1 over HTTP, as a pipeline does.
func (d *demonstration) orderBy(key string) ([]snapshot.Result, error) {
	r := httptest.NewRequest(http.MethodPost, "/snapshots",
		strings.NewReader(`{"target":"web-1","reason":"before the deployment"}`))
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", `"`+key+`"`)
	return d.send(r)
}

func firstGate(_ context.Context, d *demonstration) ([]snapshot.Result, error) {
	return d.orderBy("run-1")
}

func nextGate(_ context.Context, d *demonstration) ([]snapshot.Result, error) {
	d.pass(demoTakes)
	return d.orderBy("run-2")
}

// pollGate asks for the status of the gate's snapshot.
func pollGate(_ context.Context, d *demonstration) ([]snapshot.Result, error) {
	d.pass(demoTakes)
	gated := d.results[len(d.results)-1].Results[0]
	r := httptest.NewRequest(http.MethodGet, "/snapshots/"+gated.SnapshotID, nil)
	r.Header.Set("Authorization", "Bearer "+d.token)
	return d.send(r)
}

func accomplished(_ *demonstration, results []snapshot.Result) error {
	if results[0].Status != snapshot.Accomplished {
		return fmt.Errorf("its status is %q", results[0].Status)
	}
	return nil
}

// deploymentBody is a GitHub deployment, of which the policy of the demo takes a snapshot.
const deploymentBody = `{"action":"created","deployment":{"id":4711,"sha":"6dcb09b5b57875f334f61aebed695e2e4193db5e","ref":"main","task":"deploy","environment":"production","production_environment":true,"created_at":"%s","creator":{"login":"ana"}},"repository":{"id":1296269,"full_name":"acme/shop"},"sender":{"login":"ana"}}`

// deployment is GitHub's webhook about a deployment.
func deployment(_ context.Context, d *demonstration) ([]snapshot.Result, error) {
	body := fmt.Sprintf(deploymentBody, d.started.Format(time.RFC3339))
	mac := hmac.New(sha256.New, []byte(d.secret))
	mac.Write([]byte(body))
	r := httptest.NewRequest(http.MethodPost, "/hooks/github", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "deployment")
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return d.send(r)
}

// orderWhenFull orders a third deployment's snapshot before a sweep came.
func orderWhenFull(_ context.Context, d *demonstration) ([]snapshot.Result, error) {
	d.pass(demoTakes)
	return d.orderBy("run-3")
}

func orderAgain(_ context.Context, d *demonstration) ([]snapshot.Result, error) {
	return d.orderBy("run-3")
}

// blockedOrder orders a snapshot of a disk whose server is full of snapshots that are not ours.
func blockedOrder(ctx context.Context, d *demonstration) ([]snapshot.Result, error) {
	d.addForeign("d-bp18kjxg9ebrhsgi0003", "before-migration", "golden", "by-hand")
	return d.invoke(ctx, "event",
		[]byte(`{"RegionId":"cn-hangzhou","DiskId":"d-bp18kjxg9ebrhsgi0003","ClientToken":"demo-blocked"}`))
}

func deletedOne(_ *demonstration, results []snapshot.Result) error {
	deleted := 0
	for _, result := range results {
		deleted += len(result.Deleted)
	}
	if deleted != 1 {
		return fmt.Errorf("%d snapshots were deleted, not 1", deleted)
	}
	return nil
}

func nothingDeleted(d *demonstration, _ []snapshot.Result) error {
	if d.api.CallCounts()["DeleteSnapshot"] > 0 {
		return errors.New("a snapshot was deleted")
	}
	return nil
}
