package testbed

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"swas-snapshot/shared/simulator/runtimeapi"
)

// Region is where every function of a test runs.
const Region = "cn-hangzhou"

// Platforms are both platforms.
var Platforms = []runtimeapi.Platform{runtimeapi.FC, runtimeapi.Lambda}

// Deployment is a function and where it runs.
type Deployment struct {
	Platform  runtimeapi.Platform
	Name      string // timer, http or event
	Policy    string // the text of snapshots.yaml; empty: there is no such file
	URL       string // of the API
	Keys      runtimeapi.Credentials
	Env       []string         // KEY=VALUE; the last one of a name counts
	Timeout   time.Duration    // default: that of package runtimeapi
	Instances int              // processes at most; default: that of package runtimeapi
	Clock     func() time.Time // of the platform; default: that of Moved, else the machine's
	Moved     *Clock           // of the processes, which are built for it; nil: the machine's
}

// Function is a deployed function and what it logged.
type Function struct {
	*runtimeapi.Function
	Platform runtimeapi.Platform
	Name     string
	Log      *Log
}

// Deploy makes a function, with the keys handed over as its platform does. When the test ends, its processes end, and then
// ended looks at the log.
func Deploy(t *testing.T, d Deployment, ended func(log string)) *Function {
	t.Helper()
	folder := t.TempDir()
	if d.Policy != "" {
		if err := os.WriteFile(filepath.Join(folder, "snapshots.yaml"), []byte(d.Policy), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := &Function{Platform: d.Platform, Name: d.Name, Log: &Log{}}
	binary := Binary(t, d.Name)
	if d.Moved != nil {
		binary = filepath.Join(clocked, d.Name)
		d.Env = append(d.Env, envClock+"="+d.Moved.file)
		if d.Clock == nil {
			d.Clock = d.Moved.Now
		}
	}
	config := runtimeapi.Config{
		Platform: d.Platform, Binary: binary, Dir: folder, Region: Region, Timeout: d.Timeout, Now: d.Clock,
		Grace: time.Millisecond, MaxInstances: d.Instances, Stdout: f.Log, Stderr: f.Log,
		Env: []string{"SWAS_ENDPOINT=" + d.URL, "SNAPSHOT_CALLS_PER_MINUTE=0"},
	}
	if d.Platform == runtimeapi.FC {
		config.Credentials = func() runtimeapi.Credentials { return d.Keys }
	} else {
		config.Env = append(config.Env, "ALIBABA_CLOUD_REGION_ID="+Region)
		for name, value := range map[string]string{
			"ACCESS_KEY_ID": d.Keys.AccessKeyID, "ACCESS_KEY_SECRET": d.Keys.AccessKeySecret, "SECURITY_TOKEN": d.Keys.SecurityToken,
		} {
			if value != "" {
				config.Env = append(config.Env, "ALIBABA_CLOUD_"+name+"="+value)
			}
		}
	}
	config.Env = append(config.Env, d.Env...)
	var err error
	if f.Function, err = runtimeapi.Start(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		ended(f.Log.String())
	})
	return f
}

// Log is what the processes of a function wrote. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all of the log so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
