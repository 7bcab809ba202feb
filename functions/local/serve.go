package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"text/tabwriter"
	"time"

	"swas-snapshot/shared/deploy"
	"swas-snapshot/shared/simulator/runtimeapi"
)

// served is what serve prints first with -json: where everything is, and the keys of the simulator.
type served struct {
	HTTP            string   `json:"http"`
	SWAS            string   `json:"swas"`
	AccessKeyID     string   `json:"accessKeyId"`
	AccessKeySecret string   `json:"accessKeySecret"`
	RegionID        string   `json:"regionId"`
	Disks           []string `json:"disks"`
}

// serveTakes is how long the simulator of serve takes for a snapshot: long enough to see it in progress.
const serveTakes = 5 * time.Second

// serve keeps the simulator and the HTTP function up, and fires the timers of s.yaml, until it is interrupted.
func serve(ctx context.Context, s *session) error {
	listener, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("failed to listen on -addr %s: %w: choose a free one, or 127.0.0.1:0 for any", s.addr, err)
	}
	defer listener.Close()
	takes := time.Duration(s.takes)
	if takes == 0 {
		takes = serveTakes
	}
	samples := newSamples(s)
	w, err := newCloud(ctx, s, cloudConfig{
		platform: s.platform, policyFile: policyPath(s.getenv), functions: []string{"http", "timer"}, takes: takes,
		env: samples.env, log: s.stderr,
	})
	if err != nil {
		return err
	}
	defer w.close()
	timers, err := readTimers()
	if err != nil {
		return err
	}
	for _, timer := range timers {
		go fireTimer(ctx, timer, s.platform, w.functions["timer"], s.stderr)
	}
	server := &http.Server{Handler: runtimeapi.Gateway(w.functions["http"]), ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(listener) }()
	here := served{"http://" + listener.Addr().String(), w.apiURL, w.operator.AccessKeyID, w.operator.AccessKeySecret,
		w.regionID, w.disks}
	if err := s.announce(here, timers, samples); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-stopped:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("failed to serve: %w", err)
	}
}

// announce says that everything is ready, and how to use it.
func (s *session) announce(here served, timers []deploy.Timer, samples samples) error {
	if s.json {
		return json.NewEncoder(s.stdout).Encode(here)
	}
	table := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "http\t%s\tthe HTTP function\n", here.HTTP)
	fmt.Fprintf(table, "swas\t%s\tthe simulated API, access key %s\n", here.SWAS, here.AccessKeyID)
	for _, timer := range timers {
		fmt.Fprintf(table, "timer\t%s\tnext at %s\n", timer.Name, timer.Next(time.Now()).Format(time.RFC3339))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("failed to print: %w", err)
	}
	return samples.print(s.stdout, here.HTTP, time.Now())
}
