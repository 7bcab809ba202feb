package testbed

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"swas-snapshot/shared/simulator/runtimeapi"
)

// Clock is the time of a test in which hours pass in no time. It is the clock of the platform and of the processes of
// each [Deployment] that names it; make it that of the simulated API, too.
type Clock struct {
	t     testing.TB
	file  string
	ahead atomic.Int64 // seconds before the machine's clock
}

// NewClock returns a clock that shows at. The tests must have been started by [MainWithClock].
func NewClock(t testing.TB, at time.Time) *Clock {
	t.Helper()
	c := &Clock{t: t, file: filepath.Join(t.TempDir(), "clock")}
	c.Set(at)
	return c
}

// Now returns the time of the clock.
func (c *Clock) Now() time.Time {
	return time.Now().Round(0).Add(time.Duration(c.ahead.Load()) * time.Second)
}

// Pass moves the clock on by whole seconds, also for the processes that run.
func (c *Clock) Pass(d time.Duration) {
	c.t.Helper()
	ahead := c.ahead.Add(int64(d / time.Second))
	file, err := os.OpenFile(c.file, os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(ahead)), 0)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// Set moves the clock on to a time, or less than a second behind it.
func (c *Clock) Set(at time.Time) {
	c.t.Helper()
	c.Pass(at.Sub(c.Now()) + time.Second)
}

// envClock names the file that a process reads its clock from.
const envClock = "SWAS_SNAPSHOT_TEST_CLOCK"

// realNow is the line of package time that is renamed in those functions.
const realNow = "\nfunc Now() Time {"

// movedNow takes its place: the machine's clock and the seconds in the file, without the monotonic clock, which would
// not know of them. The file is mapped, for timers call Now where no system call is allowed. The bytes are one load.
const movedNow = `
func Now() Time {
	now := machineNow()
	now.stripMono()
	if b := testClock; len(b) == 8 {
		now.addSec(int64(uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56))
	}
	return now
}

var testClock = func() []byte {
	name, found := syscall.Getenv("` + envClock + `")
	if !found {
		return nil
	}
	file, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic("the clock of the test cannot be opened")
	}
	ahead, err := syscall.Mmap(file, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("the clock of the test cannot be read")
	}
	return ahead
}()

func machineNow() Time {`

// clocked is the folder, among the binaries, of the functions that are built for a [Clock].
const clocked = "clocked"

// use makes c the clock of the processes and, if the platform has none of its own, of the platform.
func (c *Clock) use(config *runtimeapi.Config) {
	config.Binary = filepath.Join(binaries, clocked, filepath.Base(config.Binary))
	config.Env = append(config.Env, envClock+"="+c.file)
	if config.Now == nil {
		config.Now = c.Now
	}
}

// buildClocked builds the functions once more, as they are but for the clock: package time is replaced.
func buildClocked() error {
	overlay, err := overlayTime()
	if err != nil {
		return fmt.Errorf("failed to replace the clock of package time: %w", err)
	}
	return build(clocked, append([]string{"-overlay=" + overlay}, Functions...)...)
}

// overlayTime writes what the go command reads in place of package time, and returns the name of the list of it.
func overlayTime() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	changed := strings.Replace(string(text), realNow, movedNow, 1)
	changed = strings.Replace(changed, "\nimport (", "\nimport (\n\t\"syscall\"", 1)
	if strings.Count(changed, "func machineNow()") != 1 || strings.Count(changed, "\"syscall\"") != 1 {
		return "", fmt.Errorf("%s is not as expected", original)
	}
	replacement, list := filepath.Join(binaries, "time.go"), filepath.Join(binaries, "overlay.json")
	content, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replacement}})
	if err != nil {
		return "", err
	}
	return list, errors.Join(os.WriteFile(replacement, []byte(changed), 0o600), os.WriteFile(list, content, 0o600))
}
