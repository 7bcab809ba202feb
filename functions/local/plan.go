package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"swas-snapshot/shared/snapshot"
)

const planUsage = `Usage: go run ./functions/local plan [-live] [-json] [TARGET]

Print what the next sweep does with a target, or with all, and why, what is due next, and what will be blocked.

  -live  use the real API and the default credentials
  -json  print JSON

  go run ./functions/local plan -live web-1
`

// plan prints what the next sweep does with the snapshots of one target, or of all, and what is expected after it.
func plan(ctx context.Context, s *session) error {
	plans, zone, err := forTargets(ctx, s, (*snapshot.Service).Plan)
	if err != nil {
		return err
	}
	return s.print(map[string]any{"plans": plans}, func(w io.Writer) {
		for _, one := range plans {
			fmt.Fprintf(w, "%s\t%d of %d slots used\n", one.Target, one.Used, one.Of)
			for _, item := range one.Items {
				fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", item.Action, item.SnapshotID, item.SnapshotName, item.Reason)
			}
			if len(one.Items) == 0 {
				fmt.Fprintf(w, "  nothing to do\n")
			}
			printForecast(w, one, zone)
		}
	})
}

// printForecast prints what a plan expects after the next sweep.
func printForecast(w io.Writer, p snapshot.Plan, zone *time.Location) {
	if p.Blocked != "" {
		fmt.Fprintf(w, "  blocked: %s\n", p.Blocked)
	}
	for _, item := range p.Later {
		fmt.Fprintf(w, "  later: delete %s: %s\n", item.SnapshotID, item.Reason)
	}
	for _, one := range p.Outlook {
		switch {
		case one.Blocked != "":
			fmt.Fprintf(w, "  will be blocked: %s\n", one.Blocked)
		case !one.Next.IsZero():
			fmt.Fprintf(w, "  role %s is due next at %s\n", one.Role, one.Next.In(zone).Format(timeForm))
		}
	}
	for _, text := range p.Warnings {
		fmt.Fprintf(w, "  warning: %s\n", text)
	}
}
