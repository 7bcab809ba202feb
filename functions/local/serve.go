package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"swas-snapshot/shared/deploy"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/simulator/runtimeapi"
)

const serveUsage = `Usage: go run ./functions/local serve [FLAGS]

Keep the simulator and the HTTP function up, and fire the timers of s.yaml, until interrupted.

  -addr      HOST:PORT where the HTTP function listens (default 127.0.0.1:9000)
  -takes     how long the simulator takes for a snapshot (default 5s)
  -platform  whose runtime the functions run on: fc (default) or lambda
  -json      print JSON

  go run ./functions/local serve -addr 127.0.0.1:8080 -takes 12m
`

// addresses is what serve prints first with -json: where it listens, and the keys of the simulator.
type addresses struct {
	HTTP            string   `json:"http"`
	SWAS            string   `json:"swas"`
	AccessKeyID     string   `json:"accessKeyId"`
	AccessKeySecret string   `json:"accessKeySecret"`
	RegionID        string   `json:"regionId"`
	Disks           []string `json:"disks"`
}

// serveFlags defines the flags of serve.
func (s *session) serveFlags(flags *flag.FlagSet) {
	s.platformFlag(flags)
	flags.StringVar(&s.addr, "addr", "127.0.0.1:9000", "")
	s.takes = 5 * time.Second // long enough to see a snapshot in progress
	flags.Func("takes", "", func(text string) (err error) {
		if s.takes, err = time.ParseDuration(text); err != nil || s.takes <= 0 {
			return errors.New("use a positive duration such as 5s or 12m")
		}
		return nil
	})
}

// serve keeps the simulator and the HTTP function up, and fires the timers of s.yaml, until it is interrupted.
func serve(ctx context.Context, s *session) error {
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("failed to listen on -addr %s: %w: use a free one, or 127.0.0.1:0 for any", s.addr, err)
	}
	defer listener.Close()
	if _, err := policy.Load(policy.Path(s.getenv), s.getenv); err != nil { // the functions start, and answer with it
		fmt.Fprintf(s.stderr, "swas-snapshot: the policy is wrong, so each request is refused:\n%v\n", err)
	}
	examples := newSamples(s)
	c, err := newCloud(ctx, s, cloudConfig{functions: []string{"http", "timer"}, takes: s.takes, env: examples.env})
	if err != nil {
		return err
	}
	defer c.close()
	timers, err := readTimers()
	if err != nil {
		return err
	}
	for _, timer := range timers {
		go eachTime(ctx, timer.Next, func(at time.Time) {
			event := tickEvent(s.platform, timer.Name, timer.Payload, at)
			delivery := c.functions["timer"].InvokeAsync(ctx, event) // repeats what failed, as the platforms do
			if delivery.Err != nil && ctx.Err() == nil {
				fmt.Fprintf(s.stderr, "swas-snapshot: timer %s, invoked %d times: %v\n", timer.Name, delivery.Attempts,
					delivery.Err)
			}
		})
	}
	server := &http.Server{Handler: runtimeapi.Gateway(c.functions["http"]), ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	key := c.keys[operator]
	here := addresses{"http://" + listener.Addr().String(), c.server.URL, key.AccessKeyID, key.AccessKeySecret, c.regionID,
		c.disks}
	if err := s.announce(here, timers, examples); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-stopped:
		return fmt.Errorf("failed to serve: %w", err)
	}
}

// announce prints where serve listens, when the timers fire, and requests to try.
func (s *session) announce(here addresses, timers []deploy.Timer, examples samples) error {
	err := s.print(here, func(w io.Writer) {
		fmt.Fprintf(w, "http\t%s\tthe HTTP function\n", here.HTTP)
		fmt.Fprintf(w, "swas\t%s\tthe simulated API, access key %s\n", here.SWAS, here.AccessKeyID)
		for _, timer := range timers {
			fmt.Fprintf(w, "timer\t%s\tnext at %s\n", timer.Name, timer.Next(time.Now()).Format(time.RFC3339))
		}
	})
	if err != nil || s.json {
		return err
	}
	return examples.print(s.stdout, here.HTTP, time.Now())
}

// readTimers returns the timers of s.yaml, those that can be read if there is an error.
func readTimers() ([]deploy.Timer, error) {
	root, err := sourceRoot()
	if err != nil {
		return nil, err
	}
	file, err := deploy.ReadFC(filepath.Join(root, deploy.FCFile))
	if err != nil {
		err = fmt.Errorf("failed to read the timers: %w", err)
	}
	return file.Timers, err
}

// eachTime calls fire at each time that next returns, until ctx ends.
func eachTime(ctx context.Context, next func(time.Time) time.Time, fire func(time.Time)) {
	for {
		at := next(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(at)):
			fire(at)
		}
	}
}

// tickEvent returns what a platform sends when a timer fires: Function Compute an envelope, EventBridge Scheduler the
// payload with the time and the schedule in it.
func tickEvent(platform, name, payload string, at time.Time) []byte {
	when := at.UTC().Format("2006-01-02T15:04:05Z")
	event := map[string]any{"triggerTime": when, "triggerName": name, "payload": payload}
	if platform == string(runtimeapi.Lambda) {
		event = map[string]any{}
		_ = json.Unmarshal([]byte(payload), &event) // package deploy has read it already
		event["scheduledTime"] = when
		event["scheduleArn"] = "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/" + name
	}
	text, _ := json.Marshal(event) // text and numbers only
	return text
}
