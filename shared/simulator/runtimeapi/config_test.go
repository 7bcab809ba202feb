package runtimeapi

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(c *Config)
		want   string
	}{
		"Platform":      {func(c *Config) { c.Platform = "azure" }, `platform: "azure" is unknown; use "fc" or "lambda"`},
		"NoBinary":      {func(c *Config) { c.Binary = "" }, "binary: is empty; name the function's executable"},
		"BinaryMissing": {func(c *Config) { c.Binary += "-missing" }, "build it first, with go build -o"},
		"BinaryFolder":  {func(c *Config) { c.Binary = filepath.Dir(c.Binary) }, "is a folder; name the executable in it"},
		"Memory":        {func(c *Config) { c.MemoryMB = 64 }, "memory: 64 MB is less than 128 MB, the least of the platform"},
		"TimeoutLong":   {func(c *Config) { c.Timeout = 901 * time.Second }, "timeout: 15m1s is not between 0 and 15m0s"},
		"TimeoutLess":   {func(c *Config) { c.Timeout = -1 }, "timeout: -1ns is not between"},
		"Grace":         {func(c *Config) { c.Grace = -1 }, "init timeout and grace: 10s and -1ns must not be negative"},
		"MaxInstances":  {func(c *Config) { c.MaxInstances = -1 }, "max instances: -1 must be at least 1"},
		"Retries":       {func(c *Config) { c.Retries = -2 }, "retries: -2 must be -1 for none, 0 for the default, or more"},
		"EnvNoValue":    {func(c *Config) { c.Env = []string{"secret"} }, "env: an element is not of the form KEY=VALUE"},
		"EnvNoKey":      {func(c *Config) { c.Env = []string{"=1"} }, "env: an element is not of the form KEY=VALUE"},
		"EnvNUL":        {func(c *Config) { c.Env = []string{"A=secret\x00"} }, "env: A contains a NUL byte"},
		"EnvReserved": {
			func(c *Config) { c.Env = []string{"AWS_LAMBDA_X=secret"} },
			"env: AWS_LAMBDA_X is reserved for the platform; rename it",
		},
		"EnvSize": {
			func(c *Config) { c.Env = []string{"A=" + strings.Repeat("s", 4096)} },
			"env: 4097 bytes are over the platform's limit of 4096; move some of them into a file",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Config{Platform: Lambda, Binary: echo}
			test.change(&c)
			_, err := Start(c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %s", err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error tells a value: %v", err)
			}
		})
	}
}

func TestStartTellsAllDefects(t *testing.T) {
	t.Parallel()
	_, err := Start(Config{Platform: FC, Binary: echo, MemoryMB: 1, MaxInstances: -1, Env: []string{"FC_A=1", "B"}})
	if n := strings.Count(err.Error(), "\n") + 1; n != 4 {
		t.Errorf("%d defects, want 4: %v", n, err)
	}
}

func TestStartAccepts(t *testing.T) {
	t.Parallel()
	tests := map[string]Config{
		"Least":       {Platform: FC},
		"LongestFC":   {Platform: FC, Timeout: 86400 * time.Second},
		"EnvOfOthers": {Platform: FC, Env: []string{"AWS_LAMBDA_X=1", "EMPTY="}},
		"EnvLimit":    {Platform: Lambda, Env: []string{"A=" + strings.Repeat("s", 4095)}},
		"EnvOfFC":     {Platform: Lambda, Env: []string{"FC_A=1"}},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start(t, c)
		})
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[Platform]string{
		FC:     `^1-695735a5-[0-9a-f]{8}-[0-9a-f]{12}$`,
		Lambda: `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
	}
	for p, pattern := range tests {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			form, seen := regexp.MustCompile(pattern), map[string]bool{}
			for range 1000 {
				id := protocols[p].requestID(now)
				if !form.MatchString(id) || seen[id] {
					t.Fatalf("request ID %s: want %s, and each once", id, pattern)
				}
				seen[id] = true
			}
		})
	}
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	tests := map[time.Duration]int{
		time.Nanosecond: 1, time.Second: 1, time.Second + 1: 2, 2500 * time.Millisecond: 3, time.Minute: 60,
	}
	for d, want := range tests {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%v) = %d, want %d", d, got, want)
		}
	}
}
