package snapshot

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// deletionTime is how much time must be left to begin a deletion: the snapshot that it makes room for comes next.
const deletionTime = time.Second

// makeRoom decides what a full server means for an order: it joins, waits, deletes one victim, asks, or is blocked.
func (j *takeJob) makeRoom(ctx context.Context) (state, error) {
	if one, own, err := j.findOwn(); own || err != nil {
		return j.replay(one, err)
	}
	if one, ok := j.inProgress(); ok {
		// A deletion would be in vain: the API takes one snapshot of a disk at a time.
		if one.ours() {
			return j.done(OutcomeJoined, one)
		}
		return j.create, hold{&APIError{Action: "CreateSnapshot", Code: CodeCreatingSnapshot, Message: "the disk has a snapshot in progress"}, busyBackoff}
	}
	if len(j.result.Deleted) > 0 {
		return j.create, hold{j.cause, retryBackoff} // by the API's answer the deletion is not through yet
	}
	plan, err := j.plan(ctx, j.target, j.order.Role, true, j.request.SnapshotName)
	if s, ok := j.withoutDisks(err); ok {
		plan, err = makePlan(s, j.request.SnapshotName), nil
	}
	if err != nil {
		return nil, err
	}
	switch {
	case plan.victim == nil && plan.later:
		j.fail(&Error{Code: CodeBlocked, Kind: KindConflict, Retryable: true,
			Message: "the server is full, and this run deletes another of its snapshots: repeat the same order"})
		j.result.Outcome = OutcomeDeferred
		return nil, nil
	case plan.victim == nil:
		return j.blocked(plan)
	case j.order.AskFirst && plan.victim.ID != j.order.Victim:
		j.result.Outcome, j.result.Plan, j.result.Victim = OutcomePlanned, plan.Items, plan.victimItem
		return nil, nil
	}
	j.victim = *plan.victim
	j.condemn(j.target, j.victim)
	reason := plan.victimItem.Reason
	return func(ctx context.Context) (state, error) { return j.deleteVictim(ctx, reason) }, nil
}

// withoutDisks is the situation of an order where the API refuses the list of disks for good, such as to a role that may
// not ask for it: the API said of this disk that it has no free slot, so it exists. Where a snapshot may be on another
// server than it seems, nothing helps.
func (j *takeJob) withoutDisks(err error) (*situation, bool) {
	if !refusedForGood(err) {
		return nil, false
	}
	s := j.situation(j.target, j.order.Role, true)
	s.alive = j.request.DiskID
	return s, j.cause != nil && j.cause.Code == CodeLimitExceed && !s.unplaced()
}

// refusedForGood tells whether the API refuses the list of disks, and would again.
func refusedForGood(err error) bool {
	var answer *APIError
	return errors.As(err, &answer) && answer.Action == "ListDisks" && behaviourOf(answer.Code).reaction == reactFinal
}

// plan makes the plan of a run for a target, with the list of disks if that can matter.
func (r *run) plan(ctx context.Context, target Target, role string, full bool, newName string) (Plan, error) {
	plan := makePlan(r.situation(target, role, full), newName)
	if plan.needsDisks {
		if _, err := r.listDisks(ctx, target.RegionID); err != nil {
			return Plan{}, err
		}
		plan = makePlan(r.situation(target, role, full), newName)
	}
	return plan, nil
}

// blocked ends the order: no slot can be freed, and the plan says why.
func (j *takeJob) blocked(plan Plan) (state, error) {
	if err := j.diskGone(j.target); err != nil {
		return nil, err
	}
	j.result.Plan = plan.Items
	j.fail(&Error{Code: CodeBlocked, Kind: KindConflict, Message: plan.Blocked + ": delete or unpin one, or change keep in snapshots.yaml"})
	j.result.Outcome = OutcomeBlocked
	return nil, nil
}

// deleteVictim deletes the victim, and then the order goes on at once.
func (j *takeJob) deleteVictim(ctx context.Context, reason string) (state, error) {
	if j.deadline.Sub(j.now()) < deletionTime {
		return nil, late("DeleteSnapshot and the CreateSnapshot after it")
	}
	// Once begun, the deletion and the snapshot after it are finished, whatever becomes of the invocation.
	if err := j.remove(context.WithoutCancel(ctx), j.victim, deletionToken(j.request.ClientToken, j.victim.ID)); err != nil {
		return nil, err
	}
	j.result.Deleted = append(j.result.Deleted, Deleted{j.victim.ID, j.victim.Name, reason})
	return j.create, nil
}

// remove deletes a snapshot; one that has vanished is deleted, too.
func (r *run) remove(ctx context.Context, victim Snapshot, token string) error {
	err := r.call("DeleteSnapshot", func() error {
		return r.API.DeleteSnapshot(ctx, victim.RegionID, victim.ID, token)
	})
	var answer *APIError
	if errors.As(err, &answer) && answer.Code == CodeSnapshotNotFound {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("failed to delete %s: %w", victim.ID, err)
	}
	r.lost(victim.RegionID, victim.ID)
	r.log().Info("deleted a snapshot", "snapshotId", victim.ID, "snapshotName", victim.Name, "diskId", victim.DiskID)
	return nil
}

// dryRun answers with the plan, and with what a real run would answer where that is not a new snapshot.
func (j *takeJob) dryRun(ctx context.Context) (state, error) {
	if _, err := j.listSnapshots(ctx, j.request.RegionID, false); err != nil {
		return nil, err
	}
	plan, err := j.plan(ctx, j.target, j.order.Role, false, j.request.SnapshotName)
	if err != nil {
		return nil, err
	}
	j.result.Outcome, j.result.Plan = OutcomePlanned, plan.Items
	one, own, err := j.findOwn()
	if err != nil {
		return nil, err
	}
	outcome, fresh, isFresh := j.freshEnough()
	running, isRunning := j.inProgress()
	switch {
	case own:
		j.warn(fmt.Sprintf("a real run would be replayed: this order took %s before", one.ID))
	case isFresh:
		j.warn(fmt.Sprintf("a real run would be %s: %s is fresh enough", outcome, fresh.ID))
	case isRunning && running.ours():
		j.warn(fmt.Sprintf("a real run would be joined: %s is in progress", running.ID))
	case isRunning:
		j.warn(fmt.Sprintf("a real run would wait: %s of this disk is in progress", running.ID))
	case plan.Blocked != "":
		j.warn("a real run would be blocked: " + plan.Blocked)
	}
	if own || isFresh || isRunning {
		j.result.Plan = withoutCreation(j.result.Plan)
	}
	return nil, nil
}

// withoutCreation is a plan whose snapshot need not be taken: then none goes to make room for it, either.
func withoutCreation(plan []PlanItem) []PlanItem {
	rest := []PlanItem{}
	for _, item := range plan {
		switch item.Action {
		case ActionCreate:
			continue
		case ActionDelete:
			item.Action, item.Reason = ActionKeep, item.Reason+", but no room is needed now"
		}
		rest = append(rest, item)
	}
	return rest
}
