package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	cron "github.com/netresearch/go-cron"
	"go.yaml.in/yaml/v3"

	"swas-snapshot/shared/simulator/runtimeapi"
)

// timer is a timer trigger of s.yaml.
type timer struct {
	Name     string
	Cron     string
	Payload  string
	schedule cron.Schedule
}

// cronForm is Function Compute's: six fields with seconds, CRON_TZ=<zone> before them, or @every.
var cronForm = cron.MustNewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// readTimers returns the enabled timers of s.yaml.
func readTimers(path string) ([]timer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("failed to read s.yaml: %w", err)
	}
	var file struct {
		Resources map[string]struct {
			Props struct {
				Triggers []struct {
					Name   string `yaml:"triggerName"`
					Type   string `yaml:"triggerType"`
					Config struct {
						Cron    string `yaml:"cronExpression"`
						Enable  bool   `yaml:"enable"`
						Payload string `yaml:"payload"`
					} `yaml:"triggerConfig"`
				} `yaml:"triggers"`
			} `yaml:"props"`
		} `yaml:"resources"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("failed to read s.yaml: %w", err)
	}
	var timers []timer
	for _, trigger := range file.Resources["timer"].Props.Triggers {
		if trigger.Type != "timer" || !trigger.Config.Enable {
			continue
		}
		schedule, err := cronForm.Parse(trigger.Config.Cron)
		if err != nil {
			return nil, fmt.Errorf("failed to read the cron expression of timer %s in s.yaml: %w", trigger.Name, err)
		}
		timers = append(timers, timer{trigger.Name, trigger.Config.Cron, trigger.Config.Payload, schedule})
	}
	return timers, nil
}

// run fires the timer until ctx ends.
func (t timer) run(ctx context.Context, platform string, f *runtimeapi.Function, log io.Writer) {
	for {
		at := t.schedule.Next(time.Now())
		wait := time.NewTimer(time.Until(at))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
		answer, err := f.Invoke(ctx, t.event(platform, at))
		if err == nil {
			err = answer.Err()
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintf(log, "swas-snapshot: timer %s: %v\n", t.Name, err)
		}
	}
}

// event is what the platform sends when the timer fires.
func (t timer) event(platform string, at time.Time) []byte {
	var event any = map[string]string{"triggerTime": at.UTC().Format("2006-01-02T15:04:05Z"), "triggerName": t.Name, "payload": t.Payload}
	if platform == string(runtimeapi.Lambda) {
		input := map[string]any{}
		_ = json.Unmarshal([]byte(t.Payload), &input)
		input["scheduledTime"] = at.UTC().Format("2006-01-02T15:04:05Z")
		input["scheduleArn"] = "arn:aws:scheduler:ap-southeast-1:123456789012:schedule/default/" + t.Name
		event = input
	}
	text, _ := json.Marshal(event) // text and numbers only
	return text
}
