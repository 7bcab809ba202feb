package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/webhook"
)

// cloud is a simulated one: the API, and the platform on which the real functions run as processes of their own.
type cloud struct {
	api      *simulator.Simulator
	apiURL   string
	operator runtimeapi.Credentials // may do everything
	sweeper  runtimeapi.Credentials // of the timer function
	taker    runtimeapi.Credentials // of the others: it may not delete
	regionID string
	disks    []string
	ahead    atomic.Int64 // how far the clock of the API's state is ahead of the wall clock

	functions map[string]*runtimeapi.Function
	folder    string
	listener  net.Listener
}

// cloudConfig says how a cloud differs from the plain one.
type cloudConfig struct {
	platform   string
	policyFile string
	functions  []string      // which to build and run
	takes      time.Duration // how long a snapshot takes; 0: 12 minutes
	env        []string      // KEY=VALUE, added to the functions' environment
	log        io.Writer     // what the functions log
	live       *runtimeapi.Credentials
}

// firstDisk is a disk that the simulator always has; the examples in events use it.
const firstDisk = "d-bp18kjxg9ebrhsgi0001"

// newCloud builds the functions and starts the simulated cloud.
func newCloud(ctx context.Context, s *session, config cloudConfig) (_ *cloud, err error) {
	root, err := sourceRoot()
	if err != nil {
		return nil, err
	}
	c := &cloud{functions: make(map[string]*runtimeapi.Function), regionID: "cn-hangzhou"}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.folder, err = os.MkdirTemp("", "swas-snapshot-"); err != nil {
		return nil, fmt.Errorf("failed to make a temporary folder: %w", err)
	}
	environment := functionEnvironment(s, config)
	if config.live == nil {
		if err := c.startAPI(s, config); err != nil {
			return nil, err
		}
		environment = append(environment, "SWAS_ENDPOINT="+c.apiURL)
	}
	for _, name := range config.functions {
		binary := filepath.Join(c.folder, name)
		if prebuilt != "" {
			binary = filepath.Join(prebuilt, name)
		} else if err := compile(ctx, root, name, binary, ""); err != nil {
			return nil, err
		}
		f, err := runtimeapi.Start(c.runtime(name, binary, environment, config))
		if err != nil {
			return nil, fmt.Errorf("failed to start function %s: %w", name, err)
		}
		c.functions[name] = f
	}
	return c, nil
}

// startAPI starts the simulator with the disks of the policy, and one more server.
func (c *cloud) startAPI(s *session, config cloudConfig) error {
	c.operator, c.sweeper, c.taker = newKey(), newKey(), newKey()
	p, _ := policy.Load(config.policyFile, s.getenv) // a wrong policy is for the functions to answer
	c.api = simulator.New(simulator.Config{
		Now: func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) },
		Credentials: []simulator.Credential{
			{AccessKeyID: c.operator.AccessKeyID, AccessKeySecret: c.operator.AccessKeySecret},
			{AccessKeyID: c.sweeper.AccessKeyID, AccessKeySecret: c.sweeper.AccessKeySecret, Actions: simulator.SweepActions},
			{AccessKeyID: c.taker.AccessKeyID, AccessKeySecret: c.taker.AccessKeySecret, Actions: simulator.TakeActions},
		},
		Instances:      c.instances(p, s.getenv),
		Duration:       config.takes,
		CallsPerMinute: simulator.Unlimited,
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("failed to listen for the API: %w", err)
	}
	c.listener, c.apiURL = listener, "http://"+listener.Addr().String()
	server := &http.Server{Handler: c.api, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return nil
}

// newKey makes an access key of the simulator.
func newKey() runtimeapi.Credentials {
	return runtimeapi.Credentials{AccessKeyID: "LTAIsimulator" + randomText(4), AccessKeySecret: randomText(15)}
}

// keyOf returns the access key of a function.
func (c *cloud) keyOf(function string, config cloudConfig) runtimeapi.Credentials {
	switch {
	case config.live != nil:
		return *config.live
	case function == "timer":
		return c.sweeper
	default:
		return c.taker
	}
}

// instances returns a server for each disk and server of the policy, and spare ones, so that any policy can be tried.
func (c *cloud) instances(p policy.Policy, getenv func(string) string) []simulator.Instance {
	if p.RegionID != "" {
		c.regionID = p.RegionID
	} else if region := getenv("ALIBABA_CLOUD_REGION_ID"); region != "" {
		c.regionID = region
	}
	var all []simulator.Instance
	add := func(region, instance string, disks ...string) {
		one := simulator.Instance{ID: instance, RegionID: region}
		for _, disk := range disks {
			if slices.Contains(c.disks, disk) {
				return
			}
			one.Disks = append(one.Disks, simulator.Disk{ID: disk})
			c.disks = append(c.disks, disk)
		}
		all = append(all, one)
	}
	for n, target := range p.Targets {
		region := target.RegionID
		if region == "" {
			region = c.regionID
		}
		if target.InstanceID != "" {
			add(region, target.InstanceID, fmt.Sprintf("d-simulated%04d", n+1))
		} else {
			add(region, fmt.Sprintf("i-simulated%04d", n+1), target.DiskID)
		}
	}
	add(c.regionID, "i-spare0001", firstDisk)
	add(c.regionID, "i-spare0002", "d-bp18kjxg9ebrhsgi0002")
	add(c.regionID, "i-spare0003", "d-bp18kjxg9ebrhsgi0003")
	return all
}

// runtime is the platform's configuration of one function.
func (c *cloud) runtime(name, binary string, environment []string, given cloudConfig) runtimeapi.Config {
	config := runtimeapi.Config{
		Platform: runtimeapi.Platform(given.platform), Binary: binary, Dir: c.folder, Env: environment,
		Name: "swas-snapshot-" + name, Region: c.regionID, MaxInstances: 10, Timeout: time.Minute,
		Log: given.log,
	}
	key := c.keyOf(name, given)
	if given.platform == string(runtimeapi.FC) {
		config.Credentials = func() runtimeapi.Credentials { return key }
		return config
	}
	config.Env = slices.Concat(config.Env, key.Environment())
	return config
}

// settings are the variables that the functions read, beside the senders' secrets and those that the policy names. The
// last ones are for the way to the real API.
var settings = []string{
	"ALIBABA_CLOUD_REGION_ID", "API_TOKEN", "SNAPSHOT_CALLS_PER_MINUTE", "SNAPSHOT_LOG_LEVEL",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
}

// functionEnvironment is what of this environment the functions read, and the policy's place. Nothing else reaches
// them: a platform takes 4 KB, and some variables would make a function leave the simulator.
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
	if config.live != nil {
		read("SWAS_ENDPOINT")
	} else if set["SNAPSHOT_CALLS_PER_MINUTE"] == "" {
		set["SNAPSHOT_CALLS_PER_MINUTE"] = "0" // the simulator has no limit, so no call has to wait
	}
	webhook.SecretsFromEnv(read)
	_, _ = policy.Load(config.policyFile, read) // a wrong policy is for the functions to answer
	set["SNAPSHOTS_FILE"] = config.policyFile
	environment := make([]string, 0, len(set)+len(config.env))
	for name, value := range set {
		environment = append(environment, name+"="+value)
	}
	return append(environment, config.env...)
}

// pass moves the clock of the API on: what is in progress is accomplished.
func (c *cloud) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// close ends every process and removes what was built.
func (c *cloud) close() {
	for _, f := range c.functions {
		f.Close()
	}
	if c.listener != nil {
		_ = c.listener.Close()
	}
	if c.folder != "" {
		_ = os.RemoveAll(c.folder)
	}
}

// randomText returns 2n hexadecimal digits.
func randomText(n int) string {
	bytes := make([]byte, n)
	_, _ = rand.Read(bytes) // never fails
	return hex.EncodeToString(bytes)
}

// policyPath returns the absolute place of the policy, for functions whose working directory is another.
func policyPath(getenv func(string) string) string {
	path := policy.Path(getenv)
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}
