package snapshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// taking is one order on its way.
type taking struct {
	*run
	order       Order
	target      Target
	request     Request
	fingerprint string
	result      Result
	tries       retry
	lost        time.Time // when the last CreateSnapshot of this order got no answer; zero: all were answered
}

// take does one order.
func (r *run) take(ctx context.Context, order Order) Result {
	t := &taking{run: r, order: order, tries: retry{limit: noLimit}}
	t.result = Result{Target: order.Target, RegionID: order.RegionID, DiskID: order.DiskID, Role: order.Role, Reason: order.Reason, Actor: order.Actor}
	if err := t.resolve(ctx); err != nil {
		t.end(err)
	} else if order.DryRun {
		t.dryRun(ctx)
	} else {
		t.share(ctx)
	}
	t.notifyFailure(ctx)
	return t.result
}

// resolve completes the order: its target, region, disk, role, name, tags and token.
func (t *taking) resolve(ctx context.Context) error {
	wrong := t.order.Validate()
	if t.order.Target == "" && t.order.DiskID == "" {
		return wrong
	}
	if t.order.Target != "" && ValidTarget(t.order.Target) {
		target, ok := t.Policy.Target(t.order.Target)
		if !ok {
			return t.unknownTarget(t.order.Target)
		}
		t.target = target
	} else {
		if wrong == nil {
			if err := t.findSystemDisks(ctx); err != nil {
				return err
			}
		}
		t.target = t.targetOfDisk(t.order)
	}
	t.target.RegionID = t.regionOf(t.target)
	t.result.Target, t.result.RegionID, t.result.DiskID = t.target.Name, t.target.RegionID, t.target.DiskID
	if wrong != nil && t.target.DiskID == "" {
		return wrong // no call for the disk of an order that is refused anyway
	}
	if wrong == nil {
		if err := t.resolveRole(); err != nil {
			return err
		}
	}
	if err := t.checkTime(); err != nil {
		return err
	}
	if err := t.findDisk(ctx, &t.target, &t.tries); err != nil {
		return err
	}
	t.result.DiskID = t.target.DiskID
	t.build()
	return joinViolations(wrong, t.given().Validate())
}

// findSystemDisks asks for the list of disks where the disk of a raw order may be that of a target that names its server.
func (t *taking) findSystemDisks(ctx context.Context) error {
	regionID := cmp.Or(t.order.RegionID, t.Policy.RegionID)
	unknown := func(target Target) bool { return target.DiskID == "" }
	if !ValidRegion(regionID) || !slices.ContainsFunc(t.targetsIn(regionID), unknown) {
		return nil
	}
	_, err := t.listDisks(ctx, regionID, false, &t.tries)
	return err
}

// targetOfDisk returns the target of the policy that protects the disk of an order, or one made up for the disk:
// without slots, so that nothing is ever deleted for it.
func (t *taking) targetOfDisk(order Order) Target {
	for _, target := range t.Policy.Targets {
		diskID := cmp.Or(target.DiskID, t.systemDisk(t.regionOf(target), target.InstanceID))
		if diskID == order.DiskID && diskID != "" && (order.RegionID == "" || order.RegionID == t.regionOf(target)) {
			target.DiskID = diskID
			return target
		}
	}
	return Target{DiskID: order.DiskID, RegionID: order.RegionID}
}

// resolveRole gives the order its role, and refuses one that keep does not name.
func (t *taking) resolveRole() error {
	switch unscheduled := t.target.unscheduled(); {
	case len(t.target.Keep) == 0:
		t.order.Role = cmp.Or(t.order.Role, t.order.DefaultRole, RoleDeploy)
	case t.target.keepSum() >= SlotsPerServer:
		return &Error{Code: CodeUnknownRole, Kind: KindInvalid, Message: fmt.Sprintf(
			"role: keep of %s fills all %d slots, so only its schedule takes there: keep at most %d to take orders, too",
			t.target.Name, SlotsPerServer, SlotsPerServer-1)}
	case t.order.Role != "":
		if _, named := t.target.slots(t.order.Role); !named {
			return unknownRole(t.order.Role, t.target)
		}
	case len(unscheduled) == 1:
		t.order.Role = unscheduled[0]
	default:
		return &Error{Code: CodeUnknownRole, Kind: KindInvalid, Message: fmt.Sprintf(
			"role: is missing, and keep of %s has %d roles that no schedule fires: name one of %s", t.target.Name, len(unscheduled), t.target.roles())}
	}
	t.result.Role = t.order.Role
	return nil
}

// futureMax is how far in the future an event may be: what clocks differ by.
const futureMax = 5 * time.Minute

// checkTime refuses an order whose event is older than the policy allows, or in the future.
func (t *taking) checkTime() error {
	if t.order.Time.IsZero() {
		return nil
	}
	limit := cmp.Or(t.Policy.MaxEventAge, defaultMaxEventAge)
	switch old := t.now().Sub(t.order.Time); {
	case old > limit:
		return &Error{Code: CodeTooOld, Kind: KindInvalid, Message: fmt.Sprintf(
			"the event is %s old, more than the %s of maxEventAge: nothing was done, give a new order if it is still wanted", age(old), age(limit))}
	case old < -futureMax:
		return &Error{Code: CodeTooOld, Kind: KindInvalid, Message: fmt.Sprintf(
			"the event is %s in the future: nothing was done, correct its time or the clock of the sender", age(-old))}
	}
	return nil
}

// build makes the request: a pure function of the business event and the policy.
func (t *taking) build() {
	t.request, t.fingerprint = t.requestOf(t.order, t.target)
	t.result.SnapshotName, t.result.ClientToken = t.request.SnapshotName, t.request.ClientToken
}

// requestOf returns the parameters of the CreateSnapshot of an order, and their fingerprint.
func (r *run) requestOf(o Order, target Target) (Request, string) {
	token := o.token(target.RegionID, target.DiskID)
	name := o.SnapshotName
	if name == "" {
		name = snapshotName(o.Role, cmp.Or(target.Name, target.DiskID), o.nameTime(), token)
	}
	if o.DiskID != "" { // the API's own parameters are sent as they are
		target.ResourceGroupID, target.Tags = "", nil
	}
	request := Request{
		RegionID: target.RegionID, DiskID: target.DiskID, SnapshotName: name, ClientToken: token,
		ResourceGroupID: cmp.Or(o.ResourceGroupID, target.ResourceGroupID),
	}
	for _, tag := range target.Tags {
		if !slices.ContainsFunc(o.Tags, func(own Tag) bool { return own.Key == tag.Key }) {
			request.Tags = append(request.Tags, tag)
		}
	}
	request.Tags = append(request.Tags, o.Tags...)
	fingerprint := o.fingerprint(request)
	mark := meta{o.Role, cmp.Or(o.Sender, "invoke"), fingerprint, deploymentMark(r.Policy.Deployment)}
	request.Tags = append(request.Tags, Tag{TagToken, tokenTag(token)}, Tag{TagMeta, mark.String()})
	return request, fingerprint
}

// given returns the request without what this project adds to it: a defect of what the caller wrote is reported once,
// not again as what was made of it.
func (t *taking) given() Request {
	request := t.request
	if t.order.SnapshotName == "" {
		request.SnapshotName = "generated"
	}
	request.Tags = slices.Clip(request.Tags[:len(request.Tags)-2])
	return request
}

// share does the order, unless an equal one is in flight in this process or was done a moment ago.
func (t *taking) share(ctx context.Context) {
	leads, follows, recent, err := t.Instance.claim(t.request.ClientToken, t.fingerprint, t.now())
	switch {
	case err != nil:
		t.fail(err)
	case recent != nil:
		t.result = recent.replayed()
	case follows != nil:
		select {
		case <-follows.done:
			t.result = follows.result.replayed()
		case <-ctx.Done():
			t.deferred(outOfTime("CreateSnapshot"))
		}
	default:
		landed := false
		defer func() {
			if !landed { // a panic of the API's client: followers go on
				t.deferred(outOfTime("CreateSnapshot"))
			}
			t.Instance.land(t.request.ClientToken, leads, t.result, t.now())
		}()
		t.lost = t.Instance.lostAnswer(t.request.ClientToken)
		t.do(ctx)
		landed = true
	}
}

// replayed returns the result of an order as the same order gets it once more.
func (r Result) replayed() Result {
	if r.SnapshotID != "" && r.Error == nil {
		r.Outcome = OutcomeReplayed
	}
	return r
}

// lateAfter is the age of an event from which on the order looks before it takes: a redelivery, maybe to another process
// and after the API forgot the token, must not replace a newer restore point.
const lateAfter = time.Minute

// do does an order that is not in flight in this process.
func (t *taking) do(ctx context.Context) {
	late := !t.order.Time.IsZero() && t.now().Sub(t.order.Time) > lateAfter
	if late || t.order.MaxAge > 0 || t.order.Paced && t.target.MinInterval > 0 {
		done, err := t.look(ctx, time.Time{}, late)
		if done || err != nil {
			t.end(err)
			return
		}
	}
	for {
		var created Created
		err := t.create(ctx, &created)
		if err == nil {
			one := Snapshot{ID: created.SnapshotID, Name: t.request.SnapshotName, RegionID: t.request.RegionID, DiskID: t.request.DiskID,
				InstanceID: "", Status: Progressing, Progress: "0%", CreationTime: t.now(), Tags: t.request.Tags}
			t.remember(one)
			one.CreationTime = time.Time{} // the API may have answered with an older one: only a list tells
			t.result.RequestID = created.RequestID
			t.done(OutcomeCreated, one)
			return
		}
		if behaviourOf(codeOf(err)).reaction != reactLookup {
			t.end(err)
			return
		}
		again, err := t.explain(ctx, err)
		if err != nil {
			t.end(err)
			return
		}
		if !again {
			return
		}
	}
}

// create makes the one call of the happy path, and repeats it while it gets no answer.
func (t *taking) create(ctx context.Context, created *Created) error {
	return t.call(ctx, "CreateSnapshot", &t.tries, func(ctx context.Context) (err error) {
		*created, err = t.API.CreateSnapshot(ctx, t.request)
		if unanswered(err) {
			t.lost = time.Now()
			t.Instance.loseAnswer(t.request.ClientToken, t.lost)
		}
		return err
	})
}

// unanswered reports whether a call may have had its effect although it failed.
func unanswered(err error) bool {
	switch codeOf(err) {
	case CodeNoAnswer, CodeEmptyAnswer, CodeUnknownAnswer, CodeInternalError:
		return true
	}
	return false
}

// look asks for a list that is not older than since, and reports whether a snapshot that it shows answers the order. A
// late order gets one of its role that was taken after its event, too.
func (t *taking) look(ctx context.Context, since time.Time, late bool) (bool, error) {
	if _, err := t.list(ctx, t.request.RegionID, since, &t.tries); err != nil {
		return false, err
	}
	if done, err := t.findOwn(); done || err != nil {
		return done, err
	}
	if one, ok := t.freshEnough(late); ok {
		t.done(OutcomeReused, one)
		return true, nil
	}
	if one, ok := inProgress(t.ofDisk()); ok && t.order.MaxAge > 0 && one.ours() && !t.situation().stuck(one) {
		return true, t.join(ctx, one)
	}
	return false, nil
}

// freshEnough returns the snapshot of the disk that an order with MaxAge, a paced or a late one gets instead of a new
// one.
func (t *taking) freshEnough(late bool) (Snapshot, bool) {
	for _, one := range t.ofDisk() {
		young := t.now().Sub(one.CreationTime)
		usable := one.Good() || one.InProgress() && young < stuckAge
		switch {
		case late && usable && one.role() == t.order.Role && !one.CreationTime.Before(t.order.Time),
			usable && t.order.Paced && young < t.target.MinInterval,
			one.Good() && young < t.order.MaxAge:
			return one, true
		}
	}
	return Snapshot{}, false
}

// ofDisk returns the known snapshots of the order's disk, newest first.
func (t *taking) ofDisk() []Snapshot {
	var all []Snapshot
	for _, one := range t.known(t.request.RegionID) {
		if one.DiskID == t.request.DiskID {
			all = append(all, one)
		}
	}
	sortNewestFirst(all)
	return all
}

// findOwn ends the order with the snapshot that it got before: the one that carries its token, that it joined, or that
// has its name where the API shows no tags. One with other parameters is an error.
func (t *taking) findOwn() (bool, error) {
	for _, one := range t.known(t.request.RegionID) {
		token, _ := one.Tag(TagToken)
		taken := one.ours() && token == tokenTag(t.request.ClientToken)
		text, joined := one.Tag(joinedTag(t.request.ClientToken))
		switch {
		case taken && one.meta().fingerprint != t.fingerprint:
			return false, mismatch()
		case joined && !taken:
			if m, ok := parseMeta(text); ok && m.fingerprint != t.fingerprint {
				return false, mismatch()
			}
			fallthrough
		case taken, !one.ours() && one.Name == t.request.SnapshotName && one.DiskID == t.request.DiskID && t.order.SnapshotName == "":
			t.done(OutcomeReplayed, one)
			if !one.ours() {
				t.warn("the API shows no tags of " + one.ID + ": it was found by its name")
			}
			return true, nil
		}
	}
	return false, nil
}

// done ends the order with an outcome and the snapshot that answers it.
func (t *taking) done(outcome Outcome, one Snapshot) {
	t.result.Outcome = outcome
	t.result.SnapshotID, t.result.SnapshotName = one.ID, one.Name
	t.result.Status, t.result.Progress, t.result.CreationTime = one.Status, one.Progress, one.created()
	t.result.Slots = t.slots()
	if one.Status == Failed {
		t.warn("this snapshot failed: give a new order, with a new key")
	}
}

// end ends an order that a call ended: with nil it is done already.
func (t *taking) end(err error) {
	if err == nil {
		return
	}
	if known := AsError(err); known.Retryable {
		t.deferred(known)
	} else {
		t.fail(err)
	}
}

// deferred ends the order for now: it did not fail, the same order again goes on.
func (t *taking) deferred(err *Error) {
	later := *err
	later.Retryable = true
	t.fail(&later)
	t.result.Outcome = OutcomeDeferred
}

// lostWait is how long after an unanswered call a list must be asked for, to prove that the call had no effect.
const lostWait = time.Minute

// fail ends the order with an error. A final one is not believed as long as a call without an answer may have had its
// effect after all.
func (t *taking) fail(err error) {
	known := AsError(err)
	if !t.lost.IsZero() && !known.Retryable && !t.refuted() {
		later := *known
		later.Retryable = true
		later.Message += "; but an earlier call got no answer and may have taken the snapshot: repeat the same order in a minute"
		known = &later
		t.result.Outcome = OutcomeDeferred
	}
	t.result.Error = known
	t.result.RequestID = cmp.Or(known.RequestID, t.result.RequestID)
	t.result.Slots = t.slots()
}

// refuted reports whether a list that was asked for long enough after the lost answer shows neither snapshot nor name.
func (t *taking) refuted() bool {
	known := t.region(t.request.RegionID)
	if !known.listed || known.askedAt.Before(t.lost.Add(lostWait)) {
		return false
	}
	for _, one := range t.known(t.request.RegionID) {
		token, _ := one.Tag(TagToken)
		if token == tokenTag(t.request.ClientToken) || one.Name == t.request.SnapshotName {
			return false
		}
	}
	return true
}

// warn adds something to look at although the order is done.
func (t *taking) warn(text string) { t.result.Warning = join("; ", t.result.Warning, text) }

// slots counts the slots of the target's server, as far as this run has listed it.
func (t *taking) slots() *SlotCount {
	if !t.region(t.target.RegionID).listed || t.target.DiskID == "" {
		return nil
	}
	s := t.situation()
	return &SlotCount{Used: len(s.byServer[s.serverOf(t.target.DiskID)]), Of: SlotsPerServer}
}

// notifyFailure notifies that an order failed, is blocked, or is deferred, where the caller does not read or repeat it.
func (t *taking) notifyFailure(ctx context.Context) {
	err, o := t.result.Error, t.order
	if err == nil || o.DryRun {
		return
	}
	waits := t.result.Outcome == OutcomeDeferred
	switch {
	case waits && o.Repeated:
		return // the caller goes on
	case err.Kind == KindInvalid || err.Kind == KindUnknown || err.Kind == KindMalformed:
		if !o.Unread {
			return // the caller has to correct the order
		}
	}
	n := Notification{
		Kind: NotifyFailed, Target: t.target.Name, RegionID: t.target.RegionID, DiskID: t.target.DiskID,
		What:   join("", "a ", cmp.Or(o.Role, "new"), " snapshot for an order from ", cmp.Or(o.Sender, "an invoke"), " was not taken: ", err.Code),
		Advice: err.Message, Since: t.now(), Key: "order:" + cmp.Or(t.request.ClientToken, digest(o.Sender, o.Tenant, o.Key)) + ":" + err.Code,
	}
	switch {
	case t.result.Outcome == OutcomeBlocked:
		n.Kind, n.What = NotifyBlocked, "no slot comes free for a "+o.Role+" snapshot that "+cmp.Or(o.Sender, "an invoke")+" ordered"
	case waits && err.Code == CodeBlocked:
		n.Kind, n.What = NotifyBlocked, "no slot was free for a "+o.Role+" snapshot that "+cmp.Or(o.Sender, "an invoke")+" ordered, and it may not be repeated"
	}
	t.notify(ctx, n)
}

// joinViolations returns every violation of two checks as one error.
func joinViolations(first, second error) error {
	var all Violations
	for _, err := range []error{first, second} {
		var some Violations
		if errors.As(err, &some) {
			all = append(all, some...)
		}
	}
	return all.orNil()
}

// sweepEvery is how often the timer sweeps.
const sweepEvery = 10 * time.Minute

// nextSweep is when the next sweep begins.
func (r *run) nextSweep() time.Time { return r.now().Truncate(sweepEvery).Add(sweepEvery) }

// dryRun answers with the plan of the next sweep, and with what a real order would get.
func (t *taking) dryRun(ctx context.Context) {
	if _, err := t.list(ctx, t.request.RegionID, time.Time{}, &t.tries); err != nil {
		t.end(err)
		return
	}
	s, err := t.settled(ctx)
	if err != nil {
		t.end(err)
		return
	}
	plan := s.show(t.target)
	real := *t
	late := !t.order.Time.IsZero() && t.now().Sub(t.order.Time) > lateAfter
	done, err := real.findOwn()
	if err != nil {
		t.fail(err)
		return
	}
	t.result.Outcome, t.result.Plan = OutcomePlanned, plan.Items
	fresh, isFresh := t.freshEnough(late)
	running, isRunning := inProgress(t.ofDisk())
	switch {
	case done:
		t.warn("a real order would be replayed: it took " + real.result.SnapshotID + " before")
	case isFresh:
		t.warn("a real order would be reused: " + fresh.ID + " is fresh enough")
	case isRunning && running.ours() && !s.stuck(running):
		t.warn("a real order would be joined: " + running.ID + " is in progress")
	case isRunning:
		t.warn("a real order would be deferred: " + running.ID + " of this disk is in progress")
	case s.free(s.serverOf(t.target.DiskID), false) > 0:
		item := PlanItem{SnapshotName: t.request.SnapshotName, Action: ActionCreate, Target: t.target.Name,
			Reason: fmt.Sprintf("a new %s snapshot: a slot is free (%d of %d used)", t.order.Role, plan.Used, plan.Of)}
		t.result.Plan = append([]PlanItem{item}, plan.Items...)
	case s.leavesSlot(t.target):
		t.warn("a real order would be deferred: the next sweeps free a slot")
	default:
		t.warn("a real order would be blocked: " + s.occupants(s.serverOf(t.target.DiskID)))
	}
	for _, text := range plan.Warnings {
		t.warn(strings.TrimSpace(text))
	}
	t.result.Slots = &SlotCount{Used: plan.Used, Of: plan.Of}
}
