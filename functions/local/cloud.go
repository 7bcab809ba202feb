package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/swas"
	"swas-snapshot/shared/webhook"
)

// prebuilt is a folder with the functions built for this machine. If it is empty, each run builds what it needs. The
// tests of this command build once for all of its runs.
var prebuilt string

// operator is the user of the simulator that may call every action.
const operator = "operator"

// firstDisk is a disk that the simulator always has; the examples in events use it.
const firstDisk = "d-bp18kjxg9ebrhsgi0001"

// cloud is a simulated API, and a simulated platform that runs the real functions as processes.
type cloud struct {
	api      *simulator.Simulator // nil with -live
	server   *httptest.Server     // of api
	keys     map[string]runtimeapi.Credentials
	regionID string
	disks    []string
	ahead    atomic.Int64 // nanoseconds by which the clock of the API is ahead of the wall clock

	functions map[string]*runtimeapi.Function
	folder    string // of the binaries
}

// cloudConfig is what a command needs of a cloud.
type cloudConfig struct {
	functions  []string      // to build and run
	policyFile string        // empty: that of the session
	takes      time.Duration // how long a snapshot takes; 0: 12 minutes
	env        []string      // KEY=VALUE, added to the functions' environment
	log        io.Writer     // for the functions' logs; nil: stderr
}

// newCloud starts the simulated API, and builds and starts the functions. With -live it starts no API: the functions
// get the default credentials.
func newCloud(ctx context.Context, s *session, config cloudConfig) (_ *cloud, err error) {
	config.policyFile = cmp.Or(config.policyFile, policyPath(s.getenv))
	environment := functionEnvironment(s, config)
	c := &cloud{
		keys: make(map[string]runtimeapi.Credentials), functions: make(map[string]*runtimeapi.Function),
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if s.live {
		found, err := (&swas.DefaultChain{}).Credentials(ctx)
		if err != nil {
			return nil, err
		}
		for _, name := range config.functions {
			c.keys[name] = runtimeapi.Credentials(found)
		}
	} else {
		c.startAPI(s, config)
		environment = append(environment, "SWAS_ENDPOINT="+c.server.URL)
	}
	if len(config.functions) == 0 {
		return c, nil
	}
	if c.folder, err = os.MkdirTemp("", "swas-snapshot-"); err != nil {
		return nil, fmt.Errorf("failed to make a temporary folder: %w", err)
	}
	binaries := prebuilt
	if binaries == "" {
		root, err := sourceRoot()
		if err != nil {
			return nil, err
		}
		binaries = c.folder
		if err := compile(ctx, root, binaries+string(filepath.Separator), "", config.functions...); err != nil {
			return nil, err
		}
	}
	for _, name := range config.functions {
		runtime := c.runtime(name, s.platform, environment)
		runtime.Binary = filepath.Join(binaries, name)
		runtime.Log = s.stderr
		if config.log != nil {
			runtime.Log = config.log
		}
		if c.functions[name], err = runtimeapi.Start(runtime); err != nil {
			delete(c.functions, name)
			return nil, fmt.Errorf("failed to start function %s: %w", name, err)
		}
	}
	return c, nil
}

// startAPI starts the simulator, with the permissions of each function as its RAM role has them.
func (c *cloud) startAPI(s *session, config cloudConfig) {
	p, _ := policy.Load(config.policyFile, s.getenv) // the functions report a wrong policy
	c.regionID = cmp.Or(p.RegionID, s.getenv("ALIBABA_CLOUD_REGION_ID"), "cn-hangzhou")
	api := simulator.Config{
		Now:       func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) },
		Instances: c.instances(p), Duration: config.takes, CallsPerMinute: simulator.Unlimited,
	}
	for name, actions := range map[string][]string{
		operator: nil, "timer": simulator.SweepActions, "http": simulator.TakeActions, "event": simulator.TakeActions,
	} {
		key := runtimeapi.Credentials{AccessKeyID: "LTAIsimulator" + randomText(4), AccessKeySecret: randomText(15)}
		c.keys[name] = key
		api.Credentials = append(api.Credentials, simulator.Credential{
			AccessKeyID: key.AccessKeyID, AccessKeySecret: key.AccessKeySecret, Actions: actions})
	}
	c.api = simulator.New(api)
	c.server = httptest.NewServer(c.api)
}

// instances returns a server for each disk and server of the policy, and three more.
func (c *cloud) instances(p policy.Policy) []simulator.Instance {
	var all []simulator.Instance
	add := func(region, instance, disk string) {
		if !slices.Contains(c.disks, disk) {
			c.disks = append(c.disks, disk)
			all = append(all, simulator.Instance{ID: instance, RegionID: region, Disks: []simulator.Disk{{ID: disk}}})
		}
	}
	for n, target := range p.Targets {
		add(cmp.Or(target.RegionID, c.regionID), cmp.Or(target.InstanceID, fmt.Sprintf("i-simulated%04d", n+1)),
			cmp.Or(target.DiskID, fmt.Sprintf("d-simulated%04d", n+1)))
	}
	for n, disk := range []string{firstDisk, "d-bp18kjxg9ebrhsgi0002", "d-bp18kjxg9ebrhsgi0003"} {
		add(c.regionID, fmt.Sprintf("i-spare%04d", n+1), disk)
	}
	return all
}

// runtime returns the platform's configuration of a function.
func (c *cloud) runtime(name, platform string, environment []string) runtimeapi.Config {
	config := runtimeapi.Config{
		Platform: runtimeapi.Platform(platform), Dir: c.folder, Env: environment, Name: "swas-snapshot-" + name,
		Region: cmp.Or(c.regionID, "cn-hangzhou"), MaxInstances: 10, Timeout: time.Minute,
	}
	key := c.keys[name]
	if platform == string(runtimeapi.FC) {
		config.Credentials = func() runtimeapi.Credentials { return key }
		return config
	}
	config.Env = slices.Concat(config.Env, key.Environment())
	return config
}

// settings are the variables that the functions read, beside the senders' secrets and those that the policy names. The
// second row is for connections to the real API.
var settings = []string{
	"ALIBABA_CLOUD_REGION_ID", "API_TOKEN", "SNAPSHOT_CALLS_PER_MINUTE", "SNAPSHOT_LOG_LEVEL",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
}

// functionEnvironment returns the variables of this environment that the functions read. No other reaches them: a
// platform takes 4 KB, and with some variables a function would call the real API.
func functionEnvironment(s *session, config cloudConfig) []string {
	set := make(map[string]string)
	read := func(name string) string {
		value := s.getenv(name)
		if value != "" {
			set[name] = value
		}
		return value
	}
	for _, name := range settings {
		read(name)
	}
	if s.live {
		read("SWAS_ENDPOINT")
	} else if set["SNAPSHOT_CALLS_PER_MINUTE"] == "" {
		set["SNAPSHOT_CALLS_PER_MINUTE"] = "0" // the simulator has no limit, so no call has to wait
	}
	webhook.SecretsFromEnv(read)
	_, _ = policy.Load(config.policyFile, read) // the functions report a wrong policy
	set["SNAPSHOTS_FILE"] = config.policyFile
	environment := make([]string, 0, len(set)+len(config.env))
	for name, value := range set {
		environment = append(environment, name+"="+value)
	}
	return append(environment, config.env...)
}

// advance moves the clock of the API on: what is in progress is accomplished.
func (c *cloud) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// close ends every process and removes what was built.
func (c *cloud) close() {
	for _, f := range c.functions {
		f.Close()
	}
	if c.server != nil {
		c.server.Close()
	}
	if c.folder != "" {
		_ = os.RemoveAll(c.folder)
	}
}

// randomText returns 2n hexadecimal digits.
func randomText(n int) string {
	digits := make([]byte, n)
	_, _ = rand.Read(digits) // never fails
	return hex.EncodeToString(digits)
}
