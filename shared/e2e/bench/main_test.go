// Package bench measures the functions beside baselines, in the same run and on the same machine: what this project
// adds to the SDKs is the ratio of the two. go test -bench . ./shared/e2e/bench prints the table; the plain tests hold
// the sizes and the memory to their limits.
package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"swas-snapshot/shared/e2e/testbed"
)

// functions are what is measured.
var functions = []string{"timer", "http", "event"}

// envServer makes this test binary the trivial server of the benchmarks, in a process whose work does not count.
const envServer = "SWAS_SNAPSHOT_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(envServer) != "" {
		serveTrivially()
		return
	}
	baselines := []string{"./testdata/emptyfc", "./testdata/emptylambda", "./testdata/minimal"}
	os.Exit(testbed.Main(m, append(baselines, testbed.Functions...)...))
}

// trivial answers every call with the same success, as fast as it can: a new snapshot, or a list of none.
var trivial = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	_, _ = io.WriteString(w, `{"RequestId":"20758A-585D-4A41-A9B2-28DA8F4F534F","SnapshotId":"s-bp16oazlsold4dks4dcx",`+
		`"Snapshots":[],"TotalCount":0}`)
})

// serveTrivially serves until standard input ends, and prints first where.
func serveTrivially() {
	server := httptest.NewServer(trivial)
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
}

// trivialServer starts the trivial server in another process and returns its URL.
func trivialServer(tb testing.TB) string {
	tb.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), envServer+"=1")
	stdin, err := command.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := command.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	var url string
	if _, err := fmt.Fscanln(stdout, &url); err != nil {
		tb.Fatalf("the trivial server did not start: %v", err)
	}
	return strings.TrimSpace(url)
}
