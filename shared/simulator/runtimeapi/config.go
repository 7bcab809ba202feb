package runtimeapi

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Platform is the serverless platform that is simulated.
type Platform string

// The platforms.
const (
	FC     Platform = "fc"     // Alibaba Cloud Function Compute 3.0, runtime go1
	Lambda Platform = "lambda" // AWS Lambda, runtime provided.al2023
)

// environmentLimit is the size of a function's own environment, in bytes. Both platforms have the same.
const environmentLimit = 4 << 10

// Account and size of every function.
const (
	accountID = "123456789012"
	memoryMB  = "128"
)

// Config describes a function. Platform and Binary are required; the zero value of every other field is a default.
type Config struct {
	Platform Platform
	Binary   string   // path of the executable
	Dir      string   // working directory of the process; default: the folder of Binary, as on both platforms
	Env      []string // KEY=VALUE; the process gets these and what the platform sets, nothing of this process

	Name   string // default: the base name of Binary
	Region string // default cn-hangzhou on FC, ap-southeast-1 on Lambda

	Timeout     time.Duration // of one invocation, from its delivery to its answer; default 60 s
	InitTimeout time.Duration // from the start of a process to its first poll; default 10 s
	Grace       time.Duration // between SIGTERM and SIGKILL in Close; default 500 ms

	// Credentials are those of the function's role. On FC they are asked for, and sent, at every invocation; on
	// Lambda they are set in the environment when a process starts. By default the function has none.
	Credentials func() Credentials

	MaxInstances int // processes at once; default 4

	Log io.Writer // what the processes print, in whole lines; default: dropped

	Now func() time.Time // the platform's clock; default time.Now
}

// Credentials are temporary keys of a function's role.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
}

// Environment returns the keys as the variables KEY=VALUE by which a function on Lambda gets those of Alibaba Cloud.
// Empty ones are left out.
func (c Credentials) Environment() []string {
	var list []string
	for _, one := range [][2]string{
		{"ACCESS_KEY_ID", c.AccessKeyID}, {"ACCESS_KEY_SECRET", c.AccessKeySecret}, {"SECURITY_TOKEN", c.SecurityToken},
	} {
		if one[1] != "" {
			list = append(list, "ALIBABA_CLOUD_"+one[0]+"="+one[1])
		}
	}
	return list
}

// withDefaults returns the configuration with every default filled in, or an error that says what is wrong.
func (c Config) withDefaults() (Config, error) {
	p, known := protocols[c.Platform]
	if !known {
		return c, fmt.Errorf("unknown platform %q: use %q or %q", c.Platform, FC, Lambda)
	}
	if info, err := os.Stat(c.Binary); err != nil {
		return c, fmt.Errorf("failed to find the function, build it first: %w", err)
	} else if info.IsDir() {
		return c, fmt.Errorf("%s is a folder: name the executable in it", c.Binary)
	}
	if size := len(strings.Join(c.Env, "")); size > environmentLimit {
		return c, fmt.Errorf("the environment has %d bytes and the platform takes %d: move some of it into a file",
			size, environmentLimit)
	}
	binary, err := filepath.Abs(c.Binary) // the process has another working directory
	if err != nil {
		return c, fmt.Errorf("failed to find the function: %w", err)
	}
	c.Binary = binary
	c.Dir = cmp.Or(c.Dir, filepath.Dir(binary))
	c.Name = cmp.Or(c.Name, filepath.Base(binary))
	c.Region = cmp.Or(c.Region, p.region)
	c.Timeout = cmp.Or(c.Timeout, time.Minute)
	c.InitTimeout = cmp.Or(c.InitTimeout, 10*time.Second)
	c.Grace = cmp.Or(c.Grace, 500*time.Millisecond)
	c.MaxInstances = cmp.Or(c.MaxInstances, 4)
	if c.Credentials == nil {
		c.Credentials = func() Credentials { return Credentials{} }
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}
