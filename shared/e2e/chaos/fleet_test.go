package chaos

import (
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
)

// TestFleet sweeps 200 servers in 5 regions: it lists each region once and changes nothing.
func TestFleet(t *testing.T) {
	t.Parallel()
	const servers = 200
	regions := []string{"cn-hangzhou", "cn-shanghai", "cn-beijing", "ap-southeast-1", "us-west-1"}
	var text strings.Builder
	var fleet []simulator.Instance
	text.WriteString("targets:\n")
	for n := range servers {
		name, disk, region := fmt.Sprintf("web-%d", n), fmt.Sprintf("d-fleet%04d", n), regions[n%len(regions)]
		fmt.Fprintf(&text, "  %s: {disk: %s, region: %s}\n", name, disk, region)
		fleet = append(fleet, simulator.Instance{ID: "i-" + name, RegionID: region, Disks: []simulator.Disk{{ID: disk}}})
	}
	for _, platform := range testbed.Platforms {
		t.Run(string(platform), func(t *testing.T) {
			t.Parallel()
			api := simulator.New(simulator.Config{
				Credentials: credentials(time.Now().Add(time.Hour)), Instances: fleet, CallsPerMinute: simulator.Unlimited,
			})
			server := httptest.NewServer(api)
			t.Cleanup(server.Close)
			f := deploy(t, testbed.Deployment{Platform: platform, Name: "timer", Policy: text.String(), URL: server.URL})
			b := &business{}
			b.asTick(`{"sweep":true}`, time.Now())
			d := &delivery{business: b, to: f}
			d.run(t)
			if d.problem != "" || d.failed != "" || d.crashed || d.timedOut || len(d.results) != servers {
				t.Fatalf("%s: %d results, %s", ending(d), len(d.results), d.problem)
			}
			if got, want := api.CallCounts(), map[string]int{"ListSnapshots": len(regions)}; !reflect.DeepEqual(got, want) {
				t.Errorf("the calls are %v, want %v", got, want)
			}
		})
	}
}
