package snapshot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// How old the list may be that a deletion relies on: since its answer, and since it was asked for. An answer that took
// long may show an earlier state.
const (
	listMaxAge    = time.Second
	listMaxAsking = 3 * time.Second
)

// deletionTries is how often a sweep lists and plans again for one deletion.
const deletionTries = 3

// deletionTime is how much time must be left to begin a deletion, and is given to it then, whatever becomes of the
// invocation.
const (
	deletionTime  = time.Second
	deletionLimit = 15 * time.Second
)

// deleteOne lists the region again and makes the first deletion that the plan from that list names. It reports whether
// the plan may name another one. The order of calls is ListDisks, ListSnapshots, DeleteSnapshot, with nothing between
// the last two, and the pace gives its permission before: a deletion relies on a list that is at most a second old.
func (g *regionSweep) deleteOne(ctx context.Context) (bool, error) {
	return g.deleteBy(ctx, []*regionSweep{g}, func() (deletion, bool) {
		p := g.situation().plan(false)
		if len(p.deletions) == 0 {
			return deletion{}, false
		}
		return p.deletions[0], true
	})
}

// listAgain lists the disks and then the snapshots of regions.
func (sw *sweeping) listAgain(ctx context.Context, regions []*regionSweep) error {
	errs := make([]error, len(regions))
	sw.parallel(len(regions), func(i int) { _, errs[i] = sw.listDisks(ctx, regions[i].id, true, regions[i].tries()) })
	if err := errors.Join(errs...); err != nil {
		return err
	}
	sw.parallel(len(regions), func(i int) { _, errs[i] = sw.list(ctx, regions[i].id, time.Now(), regions[i].tries()) })
	return errors.Join(errs...)
}

// deleteBy deletes what choose names from new lists of regions.
func (g *regionSweep) deleteBy(ctx context.Context, regions []*regionSweep, choose func() (deletion, bool)) (bool, error) {
	var last error
	var tries retry
	for range deletionTries {
		if err := g.pace(ctx, "DeleteSnapshot"); err != nil {
			return false, err
		}
		if err := g.listAgain(ctx, regions); err != nil {
			return false, err
		}
		d, found := choose()
		if !found {
			return false, nil
		}
		var old, asking time.Duration
		for _, listed := range regions {
			known := g.region(listed.id)
			old, asking = max(old, time.Since(known.listedAt)), max(asking, time.Since(known.askedAt))
		}
		if old > listMaxAge || asking > listMaxAsking {
			old = max(old, asking)
			last = fmt.Errorf("the list was %s old when %s was to be deleted", old.Round(100*time.Millisecond), d.snapshot.ID)
			continue
		}
		if deadline, _ := ctx.Deadline(); time.Until(deadline) < deletionTime {
			return false, outOfTime("DeleteSnapshot")
		}
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), deletionLimit)
		err := g.once(detached, &tries, func(ctx context.Context) error {
			return g.deleter.DeleteSnapshot(ctx, g.id, d.snapshot.ID, deletionToken(d.snapshot.ID))
		})
		cancel()
		switch known := AsError(err); {
		case err == nil, codeOf(err) == CodeSnapshotNotFound:
			g.made(ctx, d, "")
			return true, nil
		case unanswered(err), behaviourOf(codeOf(err)).reaction == reactRetry:
			// It may have had its effect, so it counts as made: another one of this server must not go.
			g.made(ctx, d, "; the API did not confirm it")
			return true, nil
		case behaviourOf(codeOf(err)).reaction == reactThrottle:
			tries.limit = noLimit
			if last = err; !g.backOffBy(ctx, &tries, throttleBackoff) {
				return false, err
			}
		case known.Kind == KindConfig:
			return false, fmt.Errorf("failed to delete %s: %w", d.snapshot.ID, err)
		default:
			g.refused(d, known)
			return true, nil
		}
	}
	var answer *APIError
	if errors.As(last, &answer) {
		last = errors.New(AsError(last).Message)
	}
	return false, &Error{Code: CodeDelayed, Kind: KindUnavailable, Retryable: true, Message: fmt.Sprintf(
		"a deletion was put off %d times, for it needs a list that is at most %s old: %v; the next sweep tries again", deletionTries, listMaxAge, last)}
}

// made records a deletion. The slot that a replacement frees goes to its role, before any other create.
func (g *regionSweep) made(ctx context.Context, d deletion, doubt string) {
	d.reason += doubt
	g.spent[d.server] = true
	g.deleted = append(g.deleted, d)
	if token, _ := d.snapshot.Tag(TagToken); d.failed {
		g.usedUp[token] = true // the API would answer this hour's attempt with the snapshot that failed
	}
	g.forget(g.id, d.snapshot.ID)
	g.log().Info("deleted a snapshot", "snapshotId", d.snapshot.ID, "snapshotName", d.snapshot.Name, "diskId", d.snapshot.DiskID, "reason", d.reason)
	if d.forDue == nil {
		return
	}
	g.create(ctx, d.forDue)
	if result := g.results[d.forDue]; result.Outcome != OutcomeCreated {
		g.log().Error("a snapshot was deleted for a due role, and no new one was started", "target", d.target.Name, "role", d.forDue.role,
			"deleted", d.snapshot.ID)
		if d.forDue.state = dueWait; result.Error != nil {
			failed := *result.Error
			failed.Message = d.snapshot.ID + " was deleted for role " + d.forDue.role + ", and the new snapshot failed: " + failed.Message
			result.Error = &failed
			g.results[d.forDue] = result
		}
	}
}

// refused keeps a snapshot in this run that the API will not delete; the plan is made again without it.
func (g *regionSweep) refused(d deletion, err *Error) {
	g.kept[d.snapshot.ID] = "the API refuses to delete it (" + err.Code + "), for instance while a custom image stands on it"
	g.log().Warn("the API refused to delete a snapshot", "snapshotId", d.snapshot.ID, "code", err.Code, "error", err.Message)
}

// replaceFor deletes a snapshot for a due role that only the account has no slot for, after all regions were listed once
// more, and takes the role. It reports whether it tried to.
func (sw *sweeping) replaceFor(ctx context.Context, g *regionSweep, d *due) bool {
	var chosen *due
	ended, err := g.deleteBy(ctx, sw.regions, func() (deletion, bool) {
		total := 0
		for _, region := range sw.regions {
			total += len(sw.known(region.id))
		}
		if total < SlotsPerAccount || !sw.quiet() {
			return deletion{}, false
		}
		s := g.situation()
		for _, again := range s.plan(false).dues {
			if again.role == d.role && again.target.Name == d.target.Name && (again.state == dueCreate || again.behind != nil) {
				one, reason, ok := s.replaced(again)
				chosen = again
				return deletion{snapshot: one, target: again.target, server: s.serverOf(again.target.DiskID), reason: reason, forDue: again}, ok
			}
		}
		return deletion{}, false
	})
	if err != nil {
		g.failed, ended = err, true
	}
	if _, made := g.results[chosen]; chosen != nil && made {
		delete(g.results, d)
		g.dues = slices.DeleteFunc(g.dues, func(other *due) bool { return other == d })
		if !slices.Contains(g.dues, chosen) {
			g.dues = append(g.dues, chosen)
		}
	}
	return ended
}
