package chaos

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"swas-snapshot/functions/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// TestFleet takes snapshots of 200 servers in 5 regions with one tick: one call for each. A sweep then lists each region
// once and changes nothing.
func TestFleet(t *testing.T) {
	t.Parallel()
	const servers = 200
	regions := []string{"cn-hangzhou", "cn-shanghai", "cn-beijing", "ap-southeast-1", "us-west-1"}
	var text strings.Builder
	var fleet []simulator.Instance
	var targets []string
	text.WriteString("targets:\n")
	for n := range servers {
		name, disk, region := fmt.Sprintf("web-%d", n), fmt.Sprintf("d-fleet%04d", n), regions[n%len(regions)]
		fmt.Fprintf(&text, "  %s: {disk: %s, region: %s}\n", name, disk, region)
		fleet = append(fleet, simulator.Instance{ID: "i-" + name, RegionID: region, Disks: []simulator.Disk{{ID: disk}}})
		targets = append(targets, name)
	}
	for _, platform := range testbed.Platforms {
		t.Run(string(platform), func(t *testing.T) {
			t.Parallel()
			api := simulator.New(simulator.Config{
				Credentials: []simulator.Credential{{AccessKeyID: keyID, AccessKeySecret: keySecret, SecurityToken: stsToken}},
				Instances:   fleet, AccountLimit: 20 * simulator.SnapshotsPerAccount, CallsPerMinute: simulator.Unlimited,
			})
			server := httptest.NewServer(api)
			t.Cleanup(server.Close)
			f := deploy(t, testbed.Deployment{Platform: platform, Name: "timer", Policy: text.String(), URL: server.URL})
			tick := func(payload string, outcome snapshot.Outcome, calls map[string]int) {
				t.Helper()
				b := &business{}
				b.asTick(payload, time.Now())
				d := &delivery{business: b, to: f}
				d.run(t)
				if d.problem != "" || d.failed != "" || d.crashed || d.timedOut || len(d.results) != servers {
					t.Fatalf("%s: %s: %d results, %s", payload, ending(d), len(d.results), d.problem)
				}
				for _, one := range d.results {
					if one.Outcome != outcome {
						t.Errorf("%s: %s is %s, want %s", payload, one.Target, one.Outcome, outcome)
					}
				}
				if got := api.CallCounts(); !reflect.DeepEqual(got, calls) {
					t.Errorf("%s: the calls are %v, want %v", payload, got, calls)
				}
				api.ResetCalls()
			}
			named, err := json.Marshal(map[string]any{"role": "daily", "targets": targets})
			if err != nil {
				t.Fatal(err)
			}
			tick(string(named), snapshot.OutcomeCreated, map[string]int{"CreateSnapshot": servers})
			tick(`{"sweep":true}`, snapshot.OutcomeJoined, map[string]int{"ListSnapshots": len(regions)})
			disks := make(map[string]bool)
			for _, one := range api.Snapshots() {
				disks[one.DiskID] = true
			}
			if len(disks) != servers {
				t.Errorf("%d of %d disks have a snapshot", len(disks), servers)
			}
		})
	}
}
