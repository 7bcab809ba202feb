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

// tickAll is the nightly timer, for both targets. Delivered again, it is the same tick.
func tickAll(ctx context.Context, st *stage) ([]snapshot.Result, error) {
	return st.fire(ctx, st.minute, `{"role":"daily"}`)
}

// tickRestarted delivers the tick to a process that knows nothing of the first.
func tickRestarted(ctx context.Context, st *stage) ([]snapshot.Result, error) {
	st.functions["timer"].Kill()
	return tickAll(ctx, st)
}

// sameSnapshots checks that a redelivery got the snapshot of the first delivery.
func sameSnapshots(st *stage, again snapshot.Result) error {
	for _, first := range st.results[0].Results {
		if first.Target == again.Target && first.SnapshotID != again.SnapshotID {
			return fmt.Errorf("%s has a second snapshot for one tick: %s and %s", again.Target, first.SnapshotID, again.SnapshotID)
		}
	}
	return nil
}

// deploy is an order of a pipeline before it deploys.
func deploy(ctx context.Context, st *stage) ([]snapshot.Result, error) {
	st.pass(demoTakes + 3*time.Minute)
	return st.invoke(ctx, "event", []byte(`{"target":"web-1","role":"deploy","reason":"release 42","key":"deployment:42"}`))
}

// orderWhileBusy asks over HTTP while the deploy's snapshot is in progress.
func orderWhileBusy(_ context.Context, st *stage) ([]snapshot.Result, error) {
	r := httptest.NewRequest(http.MethodPost, "/snapshots", strings.NewReader(`{"target":"web-1","reason":"before the upgrade"}`))
	r.Header.Set("Authorization", "Bearer "+st.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", `"upgrade-7"`)
	return st.send(r)
}

// deploymentBody is a GitHub deployment, of which the policy of the demo takes a snapshot.
const deploymentBody = `{"action":"created","deployment":{"id":4711,"sha":"6dcb09b5b57875f334f61aebed695e2e4193db5e","ref":"main","task":"deploy","environment":"production","production_environment":true,"created_at":"%s","creator":{"login":"ana"}},"repository":{"id":1296269,"full_name":"acme/shop"},"sender":{"login":"ana"}}`

// deployment is GitHub telling of a deployment, once the disk is free.
func deployment(_ context.Context, st *stage) ([]snapshot.Result, error) {
	st.pass(demoTakes)
	body := fmt.Sprintf(deploymentBody, st.minute.Format(time.RFC3339))
	mac := hmac.New(sha256.New, []byte(st.secret))
	mac.Write([]byte(body))
	r := httptest.NewRequest(http.MethodPost, "/hooks/github", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "deployment")
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return st.send(r)
}

// tickFull is the next nights' ticks of db-1, until its server is full and the oldest daily must make room.
func tickFull(ctx context.Context, st *stage) ([]snapshot.Result, error) {
	var results []snapshot.Result
	for night := 1; night <= 3; night++ {
		st.pass(demoTakes)
		var err error
		if results, err = st.fire(ctx, st.minute.Add(-time.Duration(night)*time.Hour), `{"targets":["db-1"],"role":"daily"}`); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func deletedOne(_ *stage, result snapshot.Result) error {
	if len(result.Deleted) != 1 {
		return fmt.Errorf("%d snapshots were deleted, not 1", len(result.Deleted))
	}
	return nil
}

// blockedOrder orders a snapshot of a disk whose server is full of snapshots that are not ours.
func blockedOrder(ctx context.Context, st *stage) ([]snapshot.Result, error) {
	st.plant("d-bp18kjxg9ebrhsgi0003", "before-migration", "golden", "by-hand")
	return st.invoke(ctx, "event", []byte(`{"RegionId":"cn-hangzhou","DiskId":"d-bp18kjxg9ebrhsgi0003","ClientToken":"demo-blocked"}`))
}

func deletedNone(st *stage, result snapshot.Result) error {
	if len(result.Deleted) > 0 || st.api.CallCounts()["DeleteSnapshot"] > 0 {
		return errors.New("a snapshot was deleted")
	}
	return nil
}

// sweep is the sweep's timer.
func sweep(ctx context.Context, st *stage) ([]snapshot.Result, error) {
	st.pass(demoTakes)
	return st.fire(ctx, st.minute, `{"sweep":true}`)
}
