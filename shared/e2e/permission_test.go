package e2e

import (
	"debug/elf"
	"debug/gosym"
	"slices"
	"strings"
	"testing"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// deleting is every function of this project through which a snapshot is deleted, as the linker names it.
var deleting = []string{
	"swas-snapshot/shared/snapshot.(*Service).Sweep",
	"swas-snapshot/shared/snapshot.(*regionSweep).deleteBy",
	"swas-snapshot/shared/swas.Deleter.DeleteSnapshot",
}

// TestNoCodeThatDeletes shows that the functions that are reachable from outside hold no code that deletes: neither this
// project's nor, of the SDK, any that makes a request of DeleteSnapshot.
func TestNoCodeThatDeletes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{timer, "http", event} {
		names := linkedFunctions(t, testbed.Binary(t, name))
		for _, one := range deleting {
			if linked := slices.Contains(names, one); linked != (name == timer) {
				t.Errorf("%s holds %s: %t", name, one, linked)
			}
		}
		if name == timer {
			continue
		}
		for _, one := range names {
			if strings.Contains(one, "DeleteSnapshot") {
				t.Errorf("%s holds %s", name, one)
			}
		}
	}
}

// linkedFunctions returns the names of all functions that a binary holds. They stand in the table for stack traces, which
// stripping leaves.
func linkedFunctions(t *testing.T, binary string) []string {
	t.Helper()
	file, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	section := file.Section(".gopclntab")
	if section == nil {
		t.Fatalf("%s has no table of functions", binary)
	}
	content, err := section.Data()
	if err != nil {
		t.Fatal(err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(content, file.Section(".text").Addr))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range table.Funcs {
		names = append(names, one.Name)
	}
	if !slices.Contains(names, "main.main") {
		t.Fatalf("%s: of %d functions none is main", binary, len(names))
	}
	return names
}

// TestKeyThatMayNotDelete runs a sweep with the key of the other functions: it says which permission is missing, takes
// what is due all the same, and every call of http and event is allowed to that key.
func TestKeyThatMayNotDelete(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, platform runtimeapi.Platform) {
		c := newCloudAt(t, night)
		c.add("s-failed", "daily", simulator.Failed, night.AddDate(0, 0, -1))
		f := c.deploy(t, deployment{platform: platform, name: timer, policy: scheduled,
			keys: &runtimeapi.Credentials{AccessKeyID: takeKey, AccessKeySecret: keySecret}})
		got := read(t, f.invoke(fixture(t, "timer-constant.json")))
		if len(got.results) != 3 {
			t.Fatalf("there are %d results, want daily, the failed deletion and db-1: %+v", len(got.results), got.results)
		}
		wantOutcome(t, got.results[0], snapshot.OutcomeCreated)
		wantError(t, got.results[1], "NoPermission")
		if message := got.results[1].Error.Message; !strings.Contains(message, "swas-open:DeleteSnapshot") {
			t.Errorf("the message does not name the permission: %s", message)
		}
		c.wantSnapshots(t, 2)
	})
}
