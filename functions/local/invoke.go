package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"swas-snapshot/shared/simulator/runtimeapi"
)

// eventMax is the size of an event in bytes, at most: what Function Compute takes.
const eventMax = 32 << 20

// invoke sends one event through the real function and prints its answer. A function error, and an HTTP answer of
// status 400 and more, is exit status 1.
func invoke(ctx context.Context, s *session) error {
	function, file := s.args[0], s.args[1]
	if !slices.Contains(functionNames, function) {
		return usageError(fmt.Sprintf("there is no function %s: use timer, http or event", quoted(function)))
	}
	event, err := s.readEvent(file)
	if err != nil {
		return err
	}
	if s.now {
		event = atPresent(event, time.Now())
	}
	live, err := s.liveCredentials(ctx)
	if err != nil {
		return err
	}
	w, err := newCloud(ctx, s, cloudConfig{
		platform: s.platform, policyFile: policyPath(s.getenv), functions: []string{function}, log: s.stderr, live: live,
	})
	if err != nil {
		return err
	}
	defer w.close()
	answer, err := w.functions[function].Invoke(ctx, event)
	if err != nil {
		return fmt.Errorf("failed to invoke %s: %w", function, err)
	}
	if answer.FunctionError != "" {
		fmt.Fprintln(s.stdout, s.pretty([]byte(answer.ErrorMessage)))
		fmt.Fprintf(s.stderr, "swas-snapshot: function error %s\n", answer.FunctionError)
		return errFailed
	}
	fmt.Fprintln(s.stdout, s.pretty(answer.Payload))
	if status := httpStatus(answer); function == "http" && status >= 400 {
		if status == 404 && s.getenv("API_TOKEN") == "" {
			fmt.Fprintln(s.stderr, "swas-snapshot: API_TOKEN is not set, so the HTTP API is off: set it to the token of the event")
		}
		return errFailed
	}
	return nil
}

// readEvent returns the bytes of an event's file.
func (s *session) readEvent(file string) ([]byte, error) {
	reader := s.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("failed to read the event: %w: name a file such as events/timer-fc.json, or - for standard input", err)
		}
		defer f.Close()
		reader = f
	}
	event, err := io.ReadAll(io.LimitReader(reader, eventMax+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to read the event: %w", err)
	case len(event) > eventMax:
		return nil, fmt.Errorf("failed to read the event: %s has more than 32 MiB, which no platform takes", quoted(file))
	}
	return event, nil
}

// pretty indents JSON for users; with -json, and if it is not JSON, it stays as it is.
func (s *session) pretty(text []byte) string {
	if s.json {
		return string(text)
	}
	var value json.RawMessage
	if err := json.Unmarshal(text, &value); err != nil {
		return string(text)
	}
	indented, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return string(text)
	}
	return string(indented)
}

// httpStatus returns the status of the HTTP function's answer.
func httpStatus(answer runtimeapi.Answer) int {
	var envelope struct {
		StatusCode int `json:"statusCode"`
	}
	_ = json.Unmarshal(answer.Payload, &envelope)
	return envelope.StatusCode
}
