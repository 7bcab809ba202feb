package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// step is one step of the demo: what happens, and the results that it must have.
type step struct {
	name    string
	trigger string        // the function
	wait    time.Duration // by which the clock of the API moves on before
	do      func(context.Context, *demoRun) ([]snapshot.Result, error)
	want    string         // the outcome of each result, else its status; - is a target with nothing to do
	calls   map[string]int // of the API; nil: not checked
	deletes int            // snapshots
}

// steps are the demo, in their order.
var steps = []step{
	{name: "the first sweep takes what the schedules say is due, one snapshot a disk at a time", trigger: "timer",
		do: sweep, want: "created created deferred", calls: map[string]int{"ListSnapshots": 1, "CreateSnapshot": 2}},
	{name: "the next sweep, in another process: nothing is taken twice", trigger: "timer",
		do: sweepRestarted, want: "- deferred", calls: map[string]int{"ListSnapshots": 1}},
	{name: "a pipeline's gate orders a snapshot, and joins the one in progress", trigger: "http",
		do: orderAs("run-1"), want: "joined"},
	{name: "15 minutes later, the sweep takes the role that waited", trigger: "timer", wait: demoTakes + 3*time.Minute,
		do: sweep, want: "- created", calls: map[string]int{"ListSnapshots": 1, "CreateSnapshot": 1}},
	{name: "the gate of the next deployment takes a snapshot of its own", trigger: "http", wait: demoTakes,
		do: orderAs("run-2"), want: "created", calls: map[string]int{"CreateSnapshot": 1}},
	{name: "and polls until it is accomplished", trigger: "http", wait: demoTakes,
		do: poll, want: "accomplished", calls: map[string]int{"ListSnapshots": 1}},
	{name: "a signed webhook: a GitHub deployment", trigger: "http", do: sendDeployment, want: "created"},
	{name: "the webhook, delivered again", trigger: "http",
		do: sendDeployment, want: "replayed", calls: map[string]int{}},
	{name: "an order at a full server is deferred: orders never delete", trigger: "http", wait: demoTakes,
		do: orderAs("run-3"), want: "deferred"},
	{name: "the sweep deletes the surplus, and a slot is free again", trigger: "timer",
		do: sweep, want: "- -", deletes: 1},
	{name: "the same order, repeated, is done", trigger: "http",
		do: orderAs("run-3"), want: "created", calls: map[string]int{"CreateSnapshot": 1}},
	{name: "a server full of snapshots of others: blocked, with the plan", trigger: "event",
		do: orderBlocked, want: "blocked"},
}

// sweep sends what the timer sends every ten minutes.
func sweep(ctx context.Context, d *demoRun) ([]snapshot.Result, error) {
	return d.invoke(ctx, "timer", tickEvent(d.platform, "sweep", `{"sweep":true}`, time.Now()))
}

// sweepRestarted sweeps with a process that has no memory of the first sweep.
func sweepRestarted(ctx context.Context, d *demoRun) ([]snapshot.Result, error) {
	d.functions["timer"].Kill()
	return sweep(ctx, d)
}

// orderAs returns the action of a pipeline that orders a snapshot of web-1 over HTTP, with an idempotency key.
func orderAs(key string) func(context.Context, *demoRun) ([]snapshot.Result, error) {
	return func(_ context.Context, d *demoRun) ([]snapshot.Result, error) {
		return d.send(http.MethodPost, "/snapshots", `{"target":"web-1","reason":"before the deployment"}`,
			"Authorization", "Bearer "+d.token, "Idempotency-Key", `"`+key+`"`)
	}
}

// poll asks for the status of the snapshot of the step before.
func poll(_ context.Context, d *demoRun) ([]snapshot.Result, error) {
	ordered := d.reports[len(d.reports)-1].Results[0]
	return d.send(http.MethodGet, "/snapshots/"+ordered.SnapshotID, "", "Authorization", "Bearer "+d.token)
}

// deploymentBody is a GitHub deployment for which the policy of the demo takes a snapshot.
const deploymentBody = `{"action":"created",
"deployment":{"id":4711,"sha":"6dcb09b5b57875f334f61aebed695e2e4193db5e","ref":"main","task":"deploy",
"environment":"production","production_environment":true,"created_at":"%s","creator":{"login":"ana"}},
"repository":{"id":1296269,"full_name":"acme/shop"},"sender":{"login":"ana"}}`

// sendDeployment sends GitHub's webhook about a deployment.
func sendDeployment(_ context.Context, d *demoRun) ([]snapshot.Result, error) {
	if d.deployed.IsZero() { // the build before may have taken minutes, and a late event is answered otherwise
		d.deployed = time.Now().UTC()
	}
	body := fmt.Sprintf(deploymentBody, d.deployed.Format(time.RFC3339))
	mac := hmac.New(sha256.New, []byte(d.secret))
	mac.Write([]byte(body))
	return d.send(http.MethodPost, "/hooks/github", body, "X-GitHub-Event", "deployment",
		"X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
}

// orderBlocked orders a snapshot of a disk whose server is full of snapshots that are not ours.
func orderBlocked(ctx context.Context, d *demoRun) ([]snapshot.Result, error) {
	const disk = "d-bp18kjxg9ebrhsgi0003"
	for n, name := range []string{"before-migration", "golden", "by-hand"} {
		d.api.AddSnapshot(simulator.Snapshot{Name: name, DiskID: disk, CreationTime: time.Now().AddDate(0, 0, -n-1)})
	}
	return d.invoke(ctx, "event",
		[]byte(`{"RegionId":"cn-hangzhou","DiskId":"`+disk+`","ClientToken":"demo-blocked"}`))
}
