// Package bench measures the functions beside baselines, in the same run and on the same machine: what this project adds
// to the SDKs is the ratio of the two. go test -bench . ./functions/bench prints the table; the plain tests hold the
// sizes and the memory to their limits.
package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// built is the folder of the binaries: the functions, stripped as for a deployment, and the baselines of testdata.
var built string

// functions are what is measured.
var functions = []string{"timer", "http", "event"}

// envServer makes this test binary the trivial server of the benchmarks, in a process whose work does not count.
const envServer = "SWAS_SNAPSHOT_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(envServer) != "" {
		serveTrivially()
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "swas-snapshot-bench-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	built = folder
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "-o", folder + string(filepath.Separator),
		"./testdata/emptyfc", "./testdata/emptylambda", "./testdata/minimal"}
	for _, name := range functions {
		args = append(args, "swas-snapshot/functions/"+name)
	}
	command := exec.Command("go", args...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "failed to build what is measured: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// trivial answers every call with the same success, as fast as it can.
var trivial = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	_, _ = io.WriteString(w, `{"RequestId":"20758A-585D-4A41-A9B2-28DA8F4F534F","SnapshotId":"s-bp16oazlsold4dks4dcx"}`)
})

// serveTrivially serves until standard input ends, and says first where.
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
