package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"swas-snapshot/shared/snapshot"
)

const listUsage = `Usage: go run ./functions/local list [-live] [-json] [TARGET]

Print the snapshots on the servers of a target, or of all, with their roles and ages.

  -live  use the real API and the default credentials
  -json  print JSON

  go run ./functions/local list -live web-1
`

// list prints the snapshots on the servers of one target, or of all.
func list(ctx context.Context, s *session) error {
	listings, zone, err := forTargets(ctx, s, (*snapshot.Service).List)
	if err != nil {
		return err
	}
	return s.print(map[string]any{"listings": listings}, func(w io.Writer) {
		for _, one := range listings {
			fmt.Fprintf(w, "%s\t%d of %d slots used\n", one.Target, one.Slots.Used, one.Slots.Of)
			for n, item := range one.Listed {
				taken, pinned := one.Snapshots[n].CreationTime, ""
				if item.Keep != "" {
					pinned = "pinned: " + item.Keep
				}
				fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\n", item.SnapshotID, cmp.Or(item.Role, "foreign"),
					item.SnapshotName, item.Status, taken.In(zone).Format(timeForm), age(time.Since(taken)), pinned)
			}
			if len(one.Listed) == 0 {
				fmt.Fprintf(w, "  no snapshots\n")
			}
		}
	})
}

// age returns how long ago a snapshot was taken, for users.
func age(d time.Duration) string {
	minutes := max(0, int(d/time.Minute))
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days old", minutes/60/24)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02dm old", minutes/60, minutes%60)
	default:
		return fmt.Sprintf("%dm old", minutes)
	}
}
