package bench

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	swas_open "github.com/aliyun/alibaba-cloud-sdk-go/services/swas-open"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// BenchmarkTake measures an order through the core and the API's adapter beside a bare call of the SDK with the same
// parameters, over loopback to a server in another process. The two alternate, and what is compared is this process's
// CPU time and its allocations. The limit is a ratio of 1.3.
func BenchmarkTake(b *testing.B) {
	url := trivialServer(b)
	take, call := taker(b, url), caller(b, url)
	for n := range 10 { // connections, pools and tables
		take(-n - 1)
		call(-n - 1)
	}
	var taking, calling cost
	n := 0
	for b.Loop() {
		taking.add(func() {
			for i := range batch {
				take(n + i)
			}
		})
		calling.add(func() {
			for i := range batch {
				call(n + i)
			}
		})
		n += batch
	}
	b.ReportMetric(float64(calling.cpu.Microseconds())/float64(n), "sdk-µs")
	b.ReportMetric(float64(taking.cpu)/float64(calling.cpu), "cpu/sdk")
	b.ReportMetric(float64(taking.allocations)/float64(calling.allocations), "allocs/sdk")
	b.ReportMetric(float64(taking.bytes)/float64(calling.bytes), "bytes/sdk")
	b.ReportMetric(0, "ns/op")
}

// batch is how many orders are measured at once: reading the clocks must cost little beside them.
const batch = 50

// cost is what something took.
type cost struct {
	cpu                time.Duration
	allocations, bytes uint64
}

func (c *cost) add(do func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpu()
	do()
	c.cpu += cpu() - start
	runtime.ReadMemStats(&after)
	c.allocations += after.Mallocs - before.Mallocs
	c.bytes += after.TotalAlloc - before.TotalAlloc
}

// cpu returns the CPU time of this process.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // only an address that is none fails
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// taker returns what takes the nth order through the core.
func taker(b *testing.B, url string) func(n int) {
	key := credentials.Credentials{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret"}
	api, err := swas.New(url, swas.Static(key))
	if err != nil {
		b.Fatal(err)
	}
	service := &snapshot.Service{
		API: api, Instance: snapshot.NewInstance(0), Rand: rand.Float64,
		Policy: snapshot.Policy{
			RegionID: "cn-hangzhou", Targets: []snapshot.Target{{Name: "web-1", DiskID: "d-bp18kjxg9ebrhsgi0001"}},
		},
	}
	return func(n int) {
		order := snapshot.Order{Target: "web-1", Role: "deploy", Sender: "event", Key: fmt.Sprint("build-", n)}
		result := service.Take(b.Context(), order)
		if result.Outcome != snapshot.OutcomeCreated {
			b.Fatalf("the order was not done: %+v", result)
		}
	}
}

// caller returns what makes the nth call through the SDK alone, with one client for all: the cheapest way there is.
func caller(b *testing.B, url string) func(n int) {
	client, err := swas_open.NewClientWithAccessKey("cn-hangzhou", "made-up-id", "made-up-secret")
	if err != nil {
		b.Fatal(err)
	}
	host := strings.TrimPrefix(url, "http://")
	return func(n int) {
		request := swas_open.CreateCreateSnapshotRequest()
		request.Scheme, request.Domain = requests.HTTP, host
		request.DiskId, request.SnapshotName = "d-bp18kjxg9ebrhsgi0001", fmt.Sprint("deploy-web-1-", n)
		request.ClientToken = fmt.Sprint("build-", n)
		request.Tag = &[]swas_open.CreateSnapshotTag{
			{Key: "swas-snapshot/token", Value: request.ClientToken},
			{Key: "swas-snapshot/meta", Value: "deploy event 0123456789abcdef"},
		}
		if answer, err := client.CreateSnapshot(request); err != nil || answer.SnapshotId == "" {
			b.Fatalf("the call failed: %v", err)
		}
	}
}
