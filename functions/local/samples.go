package main

import (
	"fmt"
	"io"
	"time"
)

// samples are requests to try serve with, signed with secrets that are made for the run.
type samples struct {
	env   []string // of the functions
	token string
}

// newSamples makes a secret for the API where none is set. With -json it makes none: a machine sets its own.
func newSamples(s *session) samples {
	made := samples{token: s.getenv("API_TOKEN")}
	if made.token == "" && !s.json {
		made.token = "local-" + randomText(16)
		made.env = append(made.env, "API_TOKEN="+made.token)
	}
	return made
}

// print prints a curl line for each sender.
func (s samples) print(w io.Writer, url string, _ time.Time) error {
	_, err := fmt.Fprintf(w, "\ncurl -H 'Authorization: Bearer %s' -H 'Idempotency-Key: try-1' -H 'Content-Type: application/json' -d '{\"target\":\"web-1\"}' %s/snapshots\n", s.token, url)
	return err
}
