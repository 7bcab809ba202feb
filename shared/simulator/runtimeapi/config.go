package runtimeapi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Platform is the serverless platform that is played.
type Platform string

// The platforms.
const (
	FC     Platform = "fc"     // Alibaba Cloud Function Compute 3.0, runtime go1
	Lambda Platform = "lambda" // AWS Lambda, runtime provided.al2023
)

// noRetries as Config.Retries makes asynchronous invocations run once.
const noRetries = -1

// environmentLimit is the size of a function's own environment, in bytes. Both platforms have the same.
const environmentLimit = 4 << 10

// Config describes a function. Platform and Binary are required; the zero value of every other field is a default.
type Config struct {
	Platform Platform
	Binary   string   // path of the executable
	Dir      string   // working directory of the process; default: the folder of Binary, as on both platforms
	Env      []string // KEY=VALUE; the process gets these and what the platform sets, nothing of this process

	Name      string // default: the base name of Binary
	Region    string // default cn-hangzhou on FC, ap-southeast-1 on Lambda
	AccountID string // default 123456789012
	MemoryMB  int    // told to the function, not enforced; default 128

	Timeout     time.Duration // of one invocation, from its delivery to its answer; default 60 s
	InitTimeout time.Duration // from the start of a process to its first poll; default 10 s
	Grace       time.Duration // between SIGTERM and SIGKILL in Close; default 500 ms

	// Credentials are those of the function's role. On FC they are asked for, and sent, at every invocation; on
	// Lambda they are set in the environment when a process starts. By default the function has none.
	Credentials func() Credentials

	MaxInstances int // processes at once; default 4
	Retries      int // of an asynchronous invocation after a function error; default 3 on FC, 2 on Lambda; -1: none

	// Delivered is called once at the end of each asynchronous invocation, from its own goroutine.
	Delivered func(Delivery)

	Stdout io.Writer // what the processes print, in whole lines; default: dropped
	Stderr io.Writer // likewise; may be the same writer as Stdout: they are never written at the same time

	Now func() time.Time // the platform's clock; default time.Now
}

// Credentials are temporary keys of a function's role.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
}

// withDefaults returns the configuration with every default filled in.
func (c Config) withDefaults(p *protocol) Config {
	if c.Dir == "" {
		c.Dir = filepath.Dir(c.Binary)
	}
	if c.Name == "" {
		c.Name = strings.TrimSuffix(filepath.Base(c.Binary), filepath.Ext(c.Binary))
	}
	if c.Region == "" {
		c.Region = p.region
	}
	if c.AccountID == "" {
		c.AccountID = "123456789012"
	}
	if c.MemoryMB == 0 {
		c.MemoryMB = 128
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.InitTimeout == 0 {
		c.InitTimeout = 10 * time.Second
	}
	if c.Grace == 0 {
		c.Grace = 500 * time.Millisecond
	}
	if c.Credentials == nil {
		c.Credentials = func() Credentials { return Credentials{} }
	}
	if c.MaxInstances == 0 {
		c.MaxInstances = 4
	}
	switch c.Retries {
	case 0:
		c.Retries = p.retries
	case noRetries:
		c.Retries = 0
	}
	if c.Delivered == nil {
		c.Delivered = func(Delivery) {}
	}
	if c.Stdout == nil {
		c.Stdout = io.Discard
	}
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// check returns every defect of a configuration with its defaults, joined.
func (c Config) check(p *protocol) error {
	var defects []error
	refuse := func(format string, args ...any) { defects = append(defects, fmt.Errorf(format, args...)) }

	switch info, err := os.Stat(c.Binary); {
	case err != nil:
		refuse("binary: %w; build it first, with go build -o", err)
	case info.IsDir():
		refuse("binary: %s is a folder; name the executable in it", c.Binary)
	}
	if c.MemoryMB < 128 {
		refuse("memory: %d MB is less than 128 MB, the least of the platform", c.MemoryMB)
	}
	if c.Timeout < 0 || c.Timeout > p.longest {
		refuse("timeout: %v is not between 0 and %v, the longest of the platform", c.Timeout, p.longest)
	}
	if c.InitTimeout < 0 || c.Grace < 0 {
		refuse("init timeout and grace: %v and %v must not be negative", c.InitTimeout, c.Grace)
	}
	if c.MaxInstances < 0 {
		refuse("max instances: %d must be at least 1", c.MaxInstances)
	}
	if c.Retries < 0 {
		refuse("retries: %d must be -1 for none, 0 for the default, or more", c.Retries)
	}
	size := 0
	for _, pair := range c.Env {
		key, value, found := strings.Cut(pair, "=")
		size += len(key) + len(value)
		switch {
		case !found || key == "":
			// Only its place is told: without a "=", all of it may be a secret.
			refuse("env: an element is not of the form KEY=VALUE")
		case strings.ContainsRune(pair, 0):
			refuse("env: %s contains a NUL byte", key)
		case p.reserved(key):
			refuse("env: %s is reserved for the platform; rename it", key)
		}
	}
	if size > environmentLimit {
		refuse("env: %d bytes are over the platform's limit of %d; move some of them into a file", size, environmentLimit)
	}
	return errors.Join(defects...)
}
