package main

import (
	"context"
	"fmt"
	"io"

	"swas-snapshot/shared/snapshot"
)

const pinUsage = `Usage: go run ./functions/local pin [-live] [-json] ID [DAY]

Keep a snapshot until a day, or for ever if no day is given.

  -live  use the real API and the default credentials
  -json  print JSON

  go run ./functions/local pin -live s-bp1example 2026-12-01
`

const unpinUsage = `Usage: go run ./functions/local unpin [-live] [-json] ID

Keep a snapshot no longer than the count of its role does.

  -live  use the real API and the default credentials
  -json  print JSON

  go run ./functions/local unpin -live s-bp1example
`

// pin keeps a snapshot until a day, or for ever.
func pin(ctx context.Context, s *session) error {
	id, day := s.args[0], ""
	if len(s.args) == 2 {
		day = s.args[1]
	}
	return s.changePin(ctx, func(service *snapshot.Service) (snapshot.Pinned, error) {
		return service.Pin(ctx, id, day, nil)
	})
}

// unpin makes a snapshot subject to the count of its role again.
func unpin(ctx context.Context, s *session) error {
	return s.changePin(ctx, func(service *snapshot.Service) (snapshot.Pinned, error) {
		return service.Unpin(ctx, s.args[0], nil)
	})
}

func (s *session) changePin(ctx context.Context, change func(*snapshot.Service) (snapshot.Pinned, error)) error {
	service, end, err := s.service(ctx)
	if err != nil {
		return err
	}
	defer end()
	pinned, err := change(service)
	if err != nil {
		return err
	}
	return s.print(pinned, func(w io.Writer) {
		state := "is no longer kept beyond the count of its role"
		if pinned.Keep != "" {
			state = "is kept: " + pinned.Keep
		}
		fmt.Fprintf(w, "%s of %s %s\n", pinned.SnapshotID, pinned.Target, state)
		if pinned.Warning != "" {
			fmt.Fprintf(w, "warning: %s\n", pinned.Warning)
		}
	})
}
