package bench

import (
	"slices"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator/runtimeapi"
)

// BenchmarkColdStart measures a cold start, from the start of the process to its first poll of the runtime API, beside
// that of an empty function on the same SDK. An iteration starts each of them once, so that whatever else the machine
// does meets all alike. Compared are the medians. The limit is a ratio of 1.5.
func BenchmarkColdStart(b *testing.B) {
	for _, c := range []struct {
		platform runtimeapi.Platform
		baseline string
	}{{runtimeapi.FC, "emptyfc"}, {runtimeapi.Lambda, "emptylambda"}} {
		b.Run(string(c.platform), func(b *testing.B) {
			took := make(map[string][]time.Duration)
			for b.Loop() {
				for _, name := range append([]string{c.baseline}, functions...) {
					took[name] = append(took[name], coldStart(b, c.platform, name))
				}
			}
			baseline := median(took[c.baseline])
			b.ReportMetric(float64(baseline.Microseconds())/1000, "empty-ms")
			for _, name := range functions {
				b.ReportMetric(float64(median(took[name]))/float64(baseline), name+"/empty")
			}
			b.ReportMetric(0, "ns/op") // a sum of four starts says nothing
		})
	}
}

// coldStart starts one process and returns the time to its first poll.
func coldStart(b *testing.B, platform runtimeapi.Platform, name string) time.Duration {
	b.Helper()
	config := runtimeapi.Config{Platform: platform, Binary: testbed.Binary(b, name), Grace: time.Millisecond}
	f, err := runtimeapi.Start(config)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	took, err := f.Warm(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return took
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
