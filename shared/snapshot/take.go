package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// takeJob is one order on its way.
type takeJob struct {
	*run
	machine
	order       Order
	target      Target
	request     Request
	fingerprint string
	cause       *APIError // the answer that made us look
	fewest      int       // 1 + snapshots of the region when the API last said that no slot is free, although one seemed to be; 0: never
	victim      Snapshot
	leads       *flight
	follows     *flight
	result      Result
	factID      string // identity of what people are told of a failure; "": the token
	ofState     bool   // a sweep wants it for the state as it is now, however late its tick is
	after       func() // called when the order has ended; nil: nothing follows
}

func (r *run) newTake(order Order) *takeJob {
	order.Role = cmp.Or(order.Role, RoleManual)
	j := &takeJob{run: r, order: order, result: Result{Target: order.Target, RegionID: order.RegionID, DiskID: order.DiskID, Role: order.Role}}
	j.state = j.resolve
	return j
}

func (j *takeJob) step(ctx context.Context) (time.Duration, bool) {
	wait, done, failed := j.advance(ctx, j.run)
	if failed != nil {
		j.fail(failed)
	}
	if done {
		j.land(ctx)
	}
	return wait, done
}

func (j *takeJob) following() <-chan struct{} {
	if j.follows == nil {
		return nil
	}
	return j.follows.done
}

// copyLeader takes over the result of the equal order that was in flight.
func (j *takeJob) copyLeader(context.Context) (state, error) {
	j.result = j.follows.result.replayed()
	return nil, nil
}

// replayed returns the result of an order as the same order gets it once more.
func (r Result) replayed() Result {
	if r.SnapshotID != "" && r.Error == nil {
		r.Outcome, r.Deleted = OutcomeReplayed, nil
	}
	return r
}

// expire ends the order as deferred: it did not fail, a retry goes on.
func (j *takeJob) expire() {
	j.fail(j.outOfTime())
	j.result.Outcome = OutcomeDeferred
	j.land(context.Background())
}

// abandon lets followers go if a panic of the API's client ended the run.
func (j *takeJob) abandon() {
	if j.leads != nil {
		j.expire()
	}
}

// fail ends the order with an error. If a snapshot was deleted for it, that is said first.
func (j *takeJob) fail(err *Error) {
	if len(j.result.Deleted) > 0 {
		loud := *err
		prefix := j.result.Deleted[0].SnapshotID + " was deleted to make room, and the new snapshot could not be taken: "
		loud.Message, loud.Advice = prefix+err.Message, prefix+err.Public()
		err = &loud
		j.log().Error("no snapshot after a deletion", "target", j.target.Name, "deleted", j.result.Deleted[0].SnapshotID, "code", err.Code)
	}
	j.result.Error = err
	j.result.RequestID = cmp.Or(err.RequestID, j.result.RequestID)
	j.state = nil
}

// land ends the order: followers get its result, people get the facts.
func (j *takeJob) land(ctx context.Context) {
	j.result.Slots, j.result.Reason, j.result.Actor = j.slots(j.target), j.order.Reason, j.order.Actor
	if j.leads != nil {
		j.Instance.land(j.request.ClientToken, j.leads, j.result, j.now())
		j.leads = nil
	}
	if j.result.Error != nil && len(j.result.Deleted) > 0 && j.target.Name != "" {
		j.Instance.owe(j.target.Name, j.order)
	}
	j.tellFailure(ctx)
	if j.after != nil {
		j.after()
	}
}

// tellFailure tells people that an order failed or is blocked. A deferred one goes on, and one that is invalid is the
// business of who gave it.
func (j *takeJob) tellFailure(ctx context.Context) {
	err := j.result.Error
	if err == nil || j.request.ClientToken == "" || j.result.Outcome == OutcomeDeferred || err.Kind == KindInvalid {
		return
	}
	id := cmp.Or(j.factID, j.request.ClientToken)
	fact := Notification{
		Kind: NotifyFailed, Target: j.target.Name, RegionID: j.request.RegionID, DiskID: j.request.DiskID,
		What: "a " + j.order.Role + " snapshot could not be taken: " + err.Code, Advice: err.Message,
		Since: j.now(), Key: "failed:" + id,
	}
	if j.result.Outcome == OutcomeBlocked {
		fact.Kind, fact.Key = NotifyBlocked, "blocked:"+id
		fact.What = "a " + j.order.Role + " snapshot is blocked: no slot can be freed"
	}
	j.tell(ctx, fact)
}

// warn adds something to look at although the order is done.
func (j *takeJob) warn(text string) {
	if j.result.Warning != "" {
		text = j.result.Warning + "; " + text
	}
	j.result.Warning = text
}

// done ends the order with an outcome and the snapshot that answers it.
func (j *takeJob) done(outcome Outcome, one Snapshot) (state, error) {
	j.result.Outcome = outcome
	j.result.SnapshotID, j.result.SnapshotName = one.ID, one.Name
	j.result.Status, j.result.Progress = one.Status, one.Progress
	if one.Status == Failed {
		j.warn("this snapshot failed: give a new order, with a new key")
	}
	return nil, nil
}

// resolve completes the order: its target, region, disk, name, tags and token.
func (j *takeJob) resolve(ctx context.Context) (state, error) {
	wrong := j.order.Validate()
	if j.order.Target == "" && j.order.DiskID == "" {
		return nil, wrong
	}
	if j.order.Target != "" && ValidTarget(j.order.Target) {
		target, ok := j.Policy.Target(j.order.Target)
		if !ok {
			return nil, j.unknownTarget(j.order.Target)
		}
		j.target = target
	} else {
		j.target = j.targetOfDisk(j.order)
	}
	j.target.RegionID = j.regionOf(j.target)
	j.result.Target, j.result.RegionID, j.result.DiskID = j.target.Name, j.target.RegionID, j.target.DiskID
	if wrong != nil && j.target.DiskID == "" {
		return nil, wrong // no call for the disk of an order that is refused anyway
	}
	if err := j.tooOld(); err != nil {
		return nil, err
	}
	if err := j.findDisk(ctx, &j.target); err != nil {
		return nil, err
	}
	j.result.DiskID = j.target.DiskID
	j.build()
	if wrong := join(wrong, j.given().Validate()); wrong != nil {
		return nil, wrong
	}
	if j.order.DryRun {
		return j.dryRun, nil
	}
	return j.claim, nil
}

// tooOld refuses an order whose event is older than the policy allows: a late redelivery must not spend a slot.
func (j *takeJob) tooOld() error {
	limit := cmp.Or(j.Policy.MaxEventAge, defaultMaxEventAge)
	age := j.now().Sub(j.order.Time)
	if j.order.Time.IsZero() || age <= limit || j.ofState {
		return nil
	}
	return &Error{Code: CodeTooOld, Kind: KindInvalid, Message: fmt.Sprintf(
		"the event is %s old, more than the %s of maxEventAge: nothing was done, give a new order if it is still wanted", age.Round(time.Second), limit)}
}

// targetOfDisk returns the target of the policy that protects the disk of an order, or one made up for the disk:
// without slots, so that nothing is ever deleted for it.
func (j *takeJob) targetOfDisk(order Order) Target {
	for _, target := range j.Policy.Targets {
		if target.DiskID != "" && target.DiskID == order.DiskID && (order.RegionID == "" || order.RegionID == j.regionOf(target)) {
			return target
		}
	}
	return Target{DiskID: order.DiskID, RegionID: order.RegionID}
}

// build makes the request: a pure function of the business event and the policy.
func (j *takeJob) build() {
	o, t := j.order, j.target
	token := o.token(t.RegionID, t.DiskID)
	name := o.SnapshotName
	if name == "" {
		name = snapshotName(o.Role, cmp.Or(t.Name, t.DiskID), o.nameTime(), token)
	}
	if o.DiskID != "" { // the API's own parameters are sent as they are
		t.ResourceGroupID, t.Tags = "", nil
	}
	r := Request{
		RegionID: t.RegionID, DiskID: t.DiskID, SnapshotName: name, ClientToken: token,
		ResourceGroupID: cmp.Or(o.ResourceGroupID, t.ResourceGroupID),
	}
	for _, tag := range t.Tags {
		if !slices.ContainsFunc(o.Tags, func(own Tag) bool { return own.Key == tag.Key }) {
			r.Tags = append(r.Tags, tag)
		}
	}
	r.Tags = append(r.Tags, o.Tags...)
	j.fingerprint = o.fingerprint(r)
	r.Tags = append(r.Tags,
		Tag{TagToken, tokenTag(token)},
		Tag{TagMeta, meta{o.Role, cmp.Or(o.Sender, "invoke"), j.fingerprint}.String()})
	j.request = r
	j.result.SnapshotName, j.result.ClientToken = name, token
	if near := t.misspelt(o.Role); near != "" {
		j.warn("keep names no slots for role " + o.Role + ", so this snapshot is never deleted: did you mean " + near + "?")
	}
}

// given returns the request without what this project adds to it: a defect of what the caller wrote must not be told
// twice, once as what was made of it.
func (j *takeJob) given() Request {
	r := j.request
	if j.order.SnapshotName == "" {
		r.SnapshotName = "generated"
	}
	r.Tags = slices.Clip(r.Tags[:len(r.Tags)-OwnTags])
	return r
}

// claim makes this job the one that takes the order, unless it is being taken or was taken a moment ago.
func (j *takeJob) claim(context.Context) (state, error) {
	leads, follows, recent, err := j.Instance.claim(j.request.ClientToken, j.fingerprint, j.now())
	if err != nil {
		return nil, err
	}
	if recent != nil {
		j.result = recent.replayed()
		return nil, nil
	}
	j.leads, j.follows = leads, follows
	if follows != nil {
		return j.copyLeader, errFollow
	}
	if j.order.MaxAge > 0 || j.order.Paced && j.target.MinInterval > 0 {
		return j.reuse, nil
	}
	return j.create, nil
}

// reuse looks for a snapshot that is fresh enough to do instead.
func (j *takeJob) reuse(ctx context.Context) (state, error) {
	if _, err := j.listSnapshots(ctx, j.request.RegionID, false); err != nil {
		return nil, err
	}
	if one, own, err := j.findOwn(); own || err != nil {
		return j.replay(one, err)
	}
	if outcome, one, ok := j.freshEnough(); ok {
		return j.done(outcome, one)
	}
	return j.create, nil
}

// freshEnough returns the snapshot of the disk that an order with MaxAge, or a paced one, gets instead of a new one.
func (j *takeJob) freshEnough() (Outcome, Snapshot, bool) {
	all := j.ofDisk()
	if j.order.Paced && j.target.MinInterval > 0 {
		for _, one := range all {
			if (one.Good() || one.InProgress()) && j.now().Sub(one.CreationTime) < j.target.MinInterval {
				return OutcomeReused, one, true
			}
		}
	}
	if j.order.MaxAge > 0 {
		for _, one := range all {
			switch {
			case one.InProgress() && one.ours():
				return OutcomeJoined, one, true
			case one.Good() && j.now().Sub(one.CreationTime) < j.order.MaxAge:
				return OutcomeReused, one, true
			}
		}
	}
	return "", Snapshot{}, false
}

// ofDisk returns the known snapshots of the order's disk, newest first.
func (j *takeJob) ofDisk() []Snapshot {
	var all []Snapshot
	for _, one := range j.region(j.request.RegionID).snapshots {
		if one.DiskID == j.request.DiskID {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, newestFirst)
	return all
}

// create makes the one call of the happy path.
func (j *takeJob) create(ctx context.Context) (state, error) {
	if j.cause == nil && len(j.result.Deleted) == 0 && j.region(j.request.RegionID).listed && j.situation(j.target, j.order.Role, false).atCap() {
		return j.makeRoom, nil // this run knows already what the API would answer
	}
	call := j.call
	if len(j.result.Deleted) > 0 {
		ctx, call = context.WithoutCancel(ctx), j.callNow // room was made for it
	}
	var created Created
	err := call("CreateSnapshot", func() (err error) {
		created, err = j.API.CreateSnapshot(ctx, j.request)
		return err
	})
	if errors.As(err, &j.cause) && (behaviourOf(j.cause.Code).reaction == reactLookup || j.cause.Code == CodeEmptyAnswer) {
		return j.lookUp, nil
	}
	if err != nil {
		return nil, err
	}
	one := Snapshot{
		ID: created.SnapshotID, Name: j.request.SnapshotName, RegionID: j.request.RegionID, DiskID: j.request.DiskID,
		Status: Progressing, Progress: "0%", CreationTime: j.now(), Tags: j.request.Tags,
	}
	j.took(one)
	j.result.RequestID = created.RequestID
	return j.done(OutcomeCreated, one)
}

// lookUp lets the state of the region decide what an answer means.
func (j *takeJob) lookUp(ctx context.Context) (state, error) {
	if _, err := j.listSnapshots(ctx, j.request.RegionID, true); err != nil {
		return nil, err
	}
	if one, own, err := j.findOwn(); own || err != nil {
		return j.replay(one, err)
	}
	switch j.cause.Code {
	case CodeNameDuplicate:
		return j.nameTaken()
	case CodeCreatingSnapshot:
		if one, ok := j.inProgress(); ok && one.ours() {
			return j.done(OutcomeJoined, one)
		}
		return j.create, hold{j.cause, busyBackoff}
	case CodeLimitExceed:
		if n := 1 + len(j.region(j.request.RegionID).snapshots); !j.situation(j.target, j.order.Role, false).atCap() && (j.fewest == 0 || n < j.fewest) {
			// A slot is free by the list: the same order, delivered twice, may be making room at this moment, and then
			// nothing must be deleted a second time. Or the account is at its cap, and the API says so again.
			j.fewest = n
			return j.create, nil
		}
		return j.makeRoom, nil
	default:
		return j.create, hold{j.cause, retryBackoff}
	}
}

// findOwn returns the snapshot that carries the order's token; one with other parameters is an error.
func (j *takeJob) findOwn() (Snapshot, bool, error) {
	for _, one := range j.region(j.request.RegionID).snapshots {
		if token, _ := one.Tag(TagToken); !one.ours() || token != tokenTag(j.request.ClientToken) {
			continue
		}
		text, _ := one.Tag(TagMeta)
		if m, _ := parseMeta(text); m.fingerprint != j.fingerprint {
			return Snapshot{}, false, mismatch()
		}
		return one, true, nil
	}
	return Snapshot{}, false, nil
}

func (j *takeJob) replay(one Snapshot, err error) (state, error) {
	if err != nil {
		return nil, err
	}
	return j.done(OutcomeReplayed, one)
}

// nameTaken is final when the holder of the name is seen. One that is not listed may be our own of a lost answer, and
// then the list is only late: a name that we made is looked for again.
func (j *takeJob) nameTaken() (state, error) {
	listed := slices.ContainsFunc(j.region(j.request.RegionID).snapshots, func(one Snapshot) bool { return one.Name == j.request.SnapshotName })
	if j.order.SnapshotName == "" && !listed {
		return j.create, hold{j.cause, retryBackoff}
	}
	return nil, j.cause
}

// inProgress returns the snapshot of the order's disk that is being taken.
func (j *takeJob) inProgress() (Snapshot, bool) {
	for _, one := range j.ofDisk() {
		if one.InProgress() {
			return one, true
		}
	}
	return Snapshot{}, false
}

// join returns every violation of two checks as one error.
func join(first, second error) error {
	var all Violations
	for _, err := range []error{first, second} {
		var some Violations
		if errors.As(err, &some) {
			all = append(all, some...)
		}
	}
	return all.orNil()
}
