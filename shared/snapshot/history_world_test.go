package snapshot_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/judge"
	"swas-snapshot/shared/snapshot"
)

// keepSets are what targets keep. Those that sum to 3 are taken by the schedule alone.
var keepSets = [][]judge.Role{
	{scheduled("daily", 1, day), {Name: "deploy", Count: 1}},
	{scheduled("daily", 1, day), {Name: "deploy", Count: 1}},
	{scheduled("daily", 1, day), scheduled("weekly", 1, 7*day)},
	{scheduled("daily", 1, day), scheduled("weekly", 1, 7*day)},
	{scheduled("daily", 2, day)},
	{{Name: "deploy", Count: 2}},
	{scheduled("daily", 1, day)},
	{scheduled("often", 1, 12*time.Hour), {Name: "deploy", Count: 1}},
	{scheduled("daily", 2, day), scheduled("weekly", 1, 7*day)},
	{scheduled("daily", 2, day), scheduled("weekly", 1, 7*day)},
	{scheduled("daily", 1, day), scheduled("weekly", 1, 7*day), {Name: "deploy", Count: 1}},
	{scheduled("daily", 3, day)},
	nil,
}

// diskPairs are what the two disks of a server keep.
var diskPairs = [][2][]judge.Role{
	{{scheduled("daily", 1, day)}, {scheduled("daily", 1, day)}},
	{{scheduled("daily", 1, day)}, {scheduled("weekly", 1, 7*day)}},
	{{scheduled("weekly", 1, 7*day)}, {{Name: "deploy", Count: 1}}},
	{{{Name: "deploy", Count: 1}}, {scheduled("daily", 1, day)}},
	{{scheduled("daily", 1, day), scheduled("weekly", 1, 7*day)}, nil},
	{nil, {scheduled("daily", 2, day)}},
	{nil, {scheduled("daily", 1, day), {Name: "deploy", Count: 1}}},
}

func scheduled(role string, count int, period time.Duration) judge.Role {
	offset := 3 * time.Hour
	if period == 7*day {
		offset = 4 * time.Hour
	}
	return judge.Role{Name: role, Count: count, Times: judge.Times{Period: period, Offset: offset}}
}

func sum(roles []judge.Role) int {
	n := 0
	for _, r := range roles {
		n += r.Count
	}
	return n
}

// newHistory makes the account and the deployments of a history.
func newHistory(number uint64, disabled string, trace func(string, ...any)) *history {
	h := &history{
		number: number, rng: rand.New(rand.NewPCG(number, 0)), disabled: disabled, trace: trace, queue: make(chan *apiCall, 4096),
		events: make(map[string]*judge.Event), known: make(map[string]string), deleted: make(map[string]time.Time),
		creator: make(map[string]*process), refusals: make(map[string]finalRefusal),
		attempts: make(map[string][]time.Time), touched: make(map[string]time.Time),
		gone: make(map[string]bool), noDate: make(map[string]bool), counts: make(map[string]int),
	}
	time.Sleep(40*day + h.between(0, 14*day).Truncate(time.Second))
	h.chaos = chaos{
		faults: pick(h, []float64{0, 0.01, 0.05, 0.2}), crashes: pick(h, []float64{0, 0, 0.01, 0.03}),
		operator: pick(h, []float64{0, 0.02, 0.06, 0.15}), lag: pick(h, []float64{0, 0, 0.3, 0.8}),
		maxLag: pick(h, []time.Duration{5 * time.Second, time.Minute}), freeze: pick(h, []float64{0, 0, 0.05, 0.6}),
		forget: pick(h, []float64{0, 0, 0.05}),
	}
	if h.chance(0.4) {
		h.chaos.skew = 5 * time.Minute
		h.count("clocks apart")
	}
	config := simulator.Config{
		Duration: 20 * time.Minute, CallsPerMinute: simulator.Unlimited, KeepCalls: -1, Seed: number,
		ReplaceTags: h.chance(0.3), QuotaBeforeName: h.chance(0.3), Capitals: h.chance(0.2), ListView: h.listView, OnDelete: h.onDelete,
	}
	h.servers(&config)
	h.deploy(&config)
	config.Credentials = append(config.Credentials, simulator.Credential{AccessKeyID: "operator"})
	h.sim = simulator.New(config)
	h.populate()
	if config.ReplaceTags {
		h.count("tags are replaced")
	}
	return h
}

// servers makes the servers, and all targets.
func (h *history) servers(config *simulator.Config) {
	n := pick(h, []int{1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 5, 6, 7, 7})
	tight := n >= 5 && h.chance(0.5) // the schedule alone fills the account
	regions := []string{region}
	if h.chance(0.25) {
		regions = append(regions, "cn-shanghai")
		h.count("two regions")
	}
	h.limit = min(3*n, simulator.SnapshotsPerAccount)
	total := 0
	for i := range n {
		server := simulator.Instance{ID: fmt.Sprintf("i-%d", i), RegionID: pick(h, regions)}
		disks := 1
		if h.chance(0.25) && !tight {
			disks = 2
		}
		pair := pick(h, diskPairs)
		for k := range disks {
			disk := fmt.Sprintf("d-%d%c", i, 'a'+k)
			server.Disks = append(server.Disks, simulator.Disk{ID: disk})
			h.disks = append(h.disks, disk)
			roles := pick(h, keepSets)
			switch {
			case disks == 2:
				roles = pair[k]
			case tight:
				if roles = keepSets[2]; total+2*(n-i-1)+3 <= 15 {
					roles = keepSets[8]
				}
			case n >= 6:
				roles = pick(h, keepSets[:8])
			case n == 1 && h.chance(0.3):
				roles = keepSets[8]
			}
			total += sum(roles)
			name := fmt.Sprintf("web-%d%c", i, 'a'+k)
			h.target(judge.Target{Name: name, Disk: disk, Server: server.ID, Region: server.RegionID, Roles: roles})
			if n == 1 && h.chance(0.04) {
				h.target(judge.Target{Name: name + "-too", Disk: disk, Server: server.ID, Region: server.RegionID, Roles: roles})
				h.count("shared disk")
			}
		}
		if disks == 2 {
			h.count("two disks")
		}
		config.Instances = append(config.Instances, server)
	}
	if n > 1 {
		h.count("several servers")
	}
}

// target adds a target to the deployments, which are made here, too.
func (h *history) target(judged judge.Target) {
	if h.deployments == nil {
		h.deployments = []*deployment{{name: "blue"}}
		switch p := h.rng.Float64(); {
		case p < 0.12:
			h.count("two deployments of one policy")
			h.deployments = append(h.deployments, &deployment{name: "green"})
		case p < 0.25:
			h.count("two deployments of two policies")
			h.deployments = append(h.deployments, &deployment{name: "other"})
		}
		for _, d := range h.deployments {
			d.policy.Deployment, d.policy.RegionID = d.name, region
			d.policy.MaxEventAge = pick(h, []time.Duration{0, 0, 10 * time.Minute, 4 * time.Hour})
		}
	}
	target := snapshot.Target{Name: judged.Name, DiskID: judged.Disk, RegionID: judged.Region}
	if judged.Disk[len(judged.Disk)-1] == 'a' && h.chance(0.3) {
		target.DiskID, target.InstanceID = "", judged.Server
	}
	for _, r := range judged.Roles {
		s := snapshot.Slots{Role: r.Name, Count: r.Count}
		if r.Times.Period > 0 {
			s.Schedule = every{r.Times.Period, r.Times.Offset}
		}
		target.Keep = append(target.Keep, s)
	}
	to := h.deployments
	if len(to) == 2 && to[1].name == "other" {
		i := h.rng.IntN(2)
		to = to[i : i+1]
	}
	for _, d := range to {
		d.policy.Targets = append(d.policy.Targets, target)
		d.judged = append(d.judged, judged)
	}
}

// deploy gives each deployment its keys, and drops one without targets.
func (h *history) deploy(config *simulator.Config) {
	h.deployments = slices.DeleteFunc(h.deployments, func(d *deployment) bool { return len(d.policy.Targets) == 0 })
	for _, d := range h.deployments {
		config.Credentials = append(config.Credentials,
			simulator.Credential{AccessKeyID: "take-" + d.name, Actions: simulator.TakeActions},
			simulator.Credential{AccessKeyID: "sweep-" + d.name, Actions: simulator.SweepActions})
	}
}

// populate puts snapshots onto the disks: what sweeps and orders before would have left there, and what they would not.
func (h *history) populate() {
	tidy := h.chance(0.5)
	seen := make(map[string]bool)
	serial := 0
	for _, d := range h.deployments {
		for _, t := range d.judged {
			if seen[t.Disk] {
				continue
			}
			seen[t.Disk] = true
			roles := t.Roles
			if !tidy && h.chance(0.4) {
				roles = append(slices.Clone(roles), judge.Role{Name: pick(h, []string{"old", "manual", "deploy"}), Count: 1})
			}
			for _, r := range roles {
				count := r.Count
				if !tidy {
					count = h.rng.IntN(r.Count + 2)
				}
				age := h.between(time.Minute, 2*day)
				if r.Times.Period > 0 {
					age = time.Since(r.Times.Latest(time.Now()))
				} else if h.chance(0.4) {
					age = h.between(6*day, 9*day)
				}
				if tidy && h.chance(0.3) { // the latest one is missing
					age += max(r.Times.Period, time.Hour)
				}
				for range count {
					serial++
					h.addOne(t, r, age, fmt.Sprint("p", serial), tidy)
					age += max(r.Times.Period, h.between(time.Hour, 2*day))
				}
			}
			for !tidy && h.chance(0.25) {
				serial++
				h.addOne(t, judge.Role{}, h.between(time.Hour, 9*day), fmt.Sprint("p", serial), tidy)
			}
		}
	}
}

func (h *history) addOne(t judge.Target, r judge.Role, age time.Duration, id string, tidy bool) {
	all := h.sim.Snapshots()
	used := 0
	for _, one := range all {
		if one.InstanceID == t.Server {
			used++
		}
	}
	if used >= 3 || len(all) >= h.limit {
		return
	}
	one := simulator.Snapshot{ID: "s-" + id, Name: "by-hand-" + id, DiskID: t.Disk, CreationTime: time.Now().Add(-age)}
	if r.Name != "" {
		one.Name = r.Name + "-" + t.Name + "-" + id
		one.Tags = []simulator.Tag{{Key: snapshot.TagToken, Value: "token-" + id}, {Key: snapshot.TagMeta, Value: r.Name + "/api/0123456789ab/abcdef"}}
		if h.chance(0.05) {
			one.Tags[1].Value = r.Name + "/api/0123456789ab"
		}
	}
	if !tidy {
		switch p := h.rng.Float64(); {
		case p < 0.12:
			one.Status = simulator.Failed
		case p < 0.15:
			one.Status = "copying"
			h.count("unknown status")
		case p < 0.18:
			h.noDate[one.ID] = true
			h.count("no date")
		case p < 0.22 && age > time.Hour:
			one.ImageID = "m-1"
		}
		if h.chance(0.12) && r.Name != "" {
			one.Tags = append(one.Tags, simulator.Tag{Key: snapshot.TagKeep, Value: h.pinValue()})
		}
	}
	h.known[one.ID] = t.Disk
	h.sim.AddSnapshot(one)
	h.trace("added %s %s on %s, %s old, %s, tags %v", one.ID, one.Name, one.DiskID, age, one.Status, one.Tags)
}

func (h *history) pinValue() string {
	return pick(h, []string{"forever", "forever", "soon", time.Now().AddDate(0, 0, h.rng.IntN(3)).UTC().Format(time.DateOnly)})
}

// do calls the API as the operator.
func (h *history) do(action string, params map[string]string) simulator.Reply {
	return h.sim.Do(context.Background(), "operator", action, params)
}

// operate is one action of an operator, or of the provider.
func (h *history) operate() {
	all := h.sim.Snapshots()
	if len(all) == 0 {
		return
	}
	one := pick(h, all)
	raw := func(what string, tags ...simulator.Tag) {
		if time.Since(h.touched[one.ID]) < 3*time.Second {
			return // the judge looks at the tags of now and of a second ago
		}
		params := map[string]string{"RegionId": one.RegionID, "ResourceType": "snapshot", "ResourceId.1": one.ID}
		for i, tag := range tags {
			params[fmt.Sprintf("Tag.%d.Key", i+1)], params[fmt.Sprintf("Tag.%d.Value", i+1)] = tag.Key, tag.Value
		}
		if h.do("TagResources", params).Code == "" {
			h.touched[one.ID] = time.Now()
			h.trace("operator: %s %s %v", what, one.ID, tags)
			h.count("operator " + what)
		}
	}
	ourTags := slices.DeleteFunc(slices.Clone(one.Tags), func(t simulator.Tag) bool { return t.Key == snapshot.TagKeep })
	switch h.rng.IntN(16) {
	case 0, 1, 2:
		raw("pins", append(ourTags, simulator.Tag{Key: snapshot.TagKeep, Value: h.pinValue()})...)
	case 3, 4:
		raw("unpins", append(ourTags, simulator.Tag{Key: snapshot.TagKeep, Value: "no"})...)
	case 5, 6, 7:
		if one.Status != simulator.Progressing && one.ImageID == "" {
			h.trace("operator: deletes %s", one.ID)
			h.do("DeleteSnapshot", map[string]string{"RegionId": one.RegionID, "SnapshotId": one.ID})
			h.count("operator deletes")
		}
	case 8:
		raw("tags", simulator.Tag{Key: "team", Value: "web"})
	case 9, 10:
		disk := pick(h, h.disks)
		reply := h.do("CreateSnapshot", map[string]string{
			"RegionId": h.regionOfDisk(disk), "DiskId": disk, "SnapshotName": fmt.Sprintf("by-hand-%d", h.rng.Uint32()),
		})
		if h.trace("operator: takes %s of %s %s", reply.SnapshotID, disk, reply.Code); reply.Code == "" {
			h.known[reply.SnapshotID] = disk
			h.count("operator takes")
		}
	case 11:
		h.trace("operator: image of %s", one.ID)
		if one.Status == simulator.Accomplished {
			h.sim.MakeImage(one.ID, "m-1")
			h.count("operator makes an image")
		}
	case 12:
		disk := pick(h, h.disks)
		for range 1 + h.rng.IntN(3) {
			h.sim.FailNext(disk)
		}
		h.count("disk fails")
	case 13:
		if h.chance(0.3) {
			h.sim.StallNext(pick(h, h.disks))
			h.count("snapshot stalls")
		}
	case 14:
		h.sim.SetDiskStatus(pick(h, h.disks), "ReIniting")
		h.count("disk busy")
	default:
		for _, disk := range h.disks {
			h.sim.SetDiskStatus(disk, "In_Use")
		}
		if h.chance(h.chaos.forget) {
			h.forget()
		}
	}
}

func (h *history) forget() {
	h.trace("the API forgets all tokens")
	h.sim.ForgetTokens()
	h.forgot = time.Now()
	h.count("tokens forgotten")
}

func (h *history) regionOfDisk(disk string) string {
	for _, d := range h.deployments {
		for i, t := range d.judged {
			if t.Disk == disk {
				return d.policy.Targets[i].RegionID
			}
		}
	}
	return region
}

// process returns a process of a deployment, an old one or a new one.
func (h *history) process(d *deployment) *process {
	d.processes = slices.DeleteFunc(d.processes, func(p *process) bool { return p.dead })
	if len(d.processes) > 0 && h.chance(0.4) {
		return pick(h, d.processes)
	}
	return h.newProcess(d)
}

func (h *history) newProcess(d *deployment) *process {
	p := &process{deployment: d, instance: snapshot.NewInstance(0)}
	if h.chaos.skew > 0 { // of all pairs, and with the API: at most skew
		p.skew = h.between(0, h.chaos.skew)
		if h.number%2 == 0 {
			p.skew = -p.skew
		}
	}
	d.processes = append(d.processes, p)
	return p
}

// offset is how much later than others a run starts.
func (h *history) offset() time.Duration {
	return pick(h, []time.Duration{0, 0, 0, h.between(0, 2*time.Second), h.between(0, 40*time.Second)})
}

// episode lets some runs overlap.
func (h *history) episode() {
	n := 1 + h.rng.IntN(4)
	if len(h.again) > 0 {
		h.count("six orders at once, redelivered to new processes")
		for _, one := range h.again {
			h.deliverTo(one, h.newProcess(one.deployment))
		}
		h.again = nil
	} else if h.chance(0.08) {
		h.burst()
		n = 1
	}
	for range n {
		d := pick(h, h.deployments)
		switch p := h.rng.Float64(); {
		case p < 0.50:
			h.sweep(d, snapshot.Tick{Time: time.Now()})
		case p < 0.70:
			h.order(d, pick(h, d.policy.Targets))
		case p < 0.88 && len(h.orders) > 0:
			h.deliver(h.orders[max(0, len(h.orders)-1-h.rng.IntN(8))])
		case p < 0.92:
			h.tick(d)
		case p < 0.97:
			h.pin(d)
		default:
			h.start(h.process(d), "plan", h.offset(), func(r *historyRun, s *snapshot.Service, ctx context.Context) {
				s.Plan(ctx, d.policy.Targets[0].Name)
			})
		}
	}
	h.play()
}

func (h *history) sweep(d *deployment, tick snapshot.Tick) {
	h.start(h.process(d), "sweep", h.offset(), func(r *historyRun, s *snapshot.Service, ctx context.Context) {
		r.asked = tick.Role
		h.swept(r, s.Sweep(ctx, caller{r, "sweep-" + d.name}, tick))
	})
}

// swept looks at the answer of a sweep.
func (h *history) swept(r *historyRun, results []snapshot.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, result := range results {
		text := ""
		if result.Error != nil {
			text = result.Error.Code
		}
		h.trace("run %d: %s %s %s %s %s %.90s", r.id, result.Target, result.Role, result.Outcome, result.SnapshotID, text,
			result.Warning)
		if result.Outcome != "" && !r.dead {
			h.count("due: " + string(result.Outcome))
		}
		if text == snapshot.CodeDelayed && !r.dead {
			h.count("deletion delayed")
		}
		if result.Error != nil && result.Error.Kind == snapshot.KindInternal {
			h.violate("run %d: %v", r.id, result.Error)
		}
	}
}

// tick fires a timer of the user's own.
func (h *history) tick(d *deployment) {
	target := pick(h, d.policy.Targets)
	role := "manual"
	if len(target.Keep) > 0 {
		role = pick(h, target.Keep).Role
	}
	h.count("tick with a role")
	h.sweep(d, snapshot.Tick{Role: role, Targets: []string{target.Name}, Time: time.Now().Truncate(time.Minute)})
}

// pin pins or unpins by the project's own command.
func (h *history) pin(d *deployment) {
	all := h.sim.Snapshots()
	if len(all) == 0 {
		return
	}
	one, off, until := pick(h, all), h.chance(0.4), pick(h, []string{"", time.Now().AddDate(0, 0, 1).UTC().Format(time.DateOnly)})
	h.start(h.process(d), "pin", h.offset(), func(r *historyRun, s *snapshot.Service, ctx context.Context) {
		var err error
		if off {
			_, err = s.Unpin(ctx, one.ID, nil)
		} else {
			_, err = s.Pin(ctx, one.ID, until, nil)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if err == nil && !r.dead {
			h.count("pinned by the project")
		}
	})
}

// order delivers a new order.
func (h *history) order(d *deployment, target snapshot.Target) *delivery {
	o := snapshot.Order{
		Target: target.Name, Sender: "api", Key: fmt.Sprint("deployment:", len(h.orders)), ExplicitKey: h.chance(0.3),
		Repeated: h.chance(0.5),
	}
	if len(target.Keep) > 0 && h.chance(0.9) {
		o.Role = pick(h, target.Keep).Role
	}
	if h.chance(0.6) {
		o.Time = time.Now().Add(-h.between(0, 30*time.Second))
		if h.chance(0.1) {
			o.Time = time.Now().Add(-h.between(0, 70*time.Minute))
		}
	}
	if h.chance(0.05) {
		o.MaxAge = time.Hour
	}
	one := &delivery{deployment: d, order: o}
	h.orders = append(h.orders, one)
	h.deliver(one)
	return one
}

// burst delivers six orders at once, for one target.
func (h *history) burst() {
	d := pick(h, h.deployments)
	target := pick(h, d.policy.Targets)
	h.count("six orders at once")
	for range 6 {
		h.again = append(h.again, h.order(d, target))
	}
}

func (h *history) deliver(one *delivery) { h.deliverTo(one, h.process(one.deployment)) }

func (h *history) deliverTo(one *delivery, p *process) {
	if one.last != nil {
		h.count("redelivered to the same process: " + fmt.Sprint(one.last == p))
	}
	one.last = p
	h.start(p, "order", h.offset(), func(r *historyRun, s *snapshot.Service, ctx context.Context) {
		r.delivery = one
		h.ordered(r, s.Take(ctx, one.order))
	})
}

// ordered judges the answer to an order.
func (h *history) ordered(r *historyRun, result snapshot.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.dead {
		return
	}
	o := r.delivery.order
	h.trace("run %d: order %s: %s %s %v", r.id, o.Key, result.Outcome, result.SnapshotID, result.Error)
	if result.Outcome != "" {
		h.count("order: " + string(result.Outcome))
	}
	event := h.events[result.ClientToken]
	switch {
	case result.Error != nil && result.Error.Kind == snapshot.KindInternal:
		h.violate("run %d: %v", r.id, result.Error)
	case result.Error != nil && result.Error.Code == snapshot.CodeTooOld:
		h.count("order too old")
	case result.Error == nil && h.known[result.SnapshotID] == "":
		h.violate("run %d: order %s is answered with %q, which never was", r.id, o.Key, result.SnapshotID)
	case result.Error == nil && result.DiskID != h.known[result.SnapshotID]:
		h.violate("run %d: order %s is answered with %s of another disk", r.id, o.Key, result.SnapshotID)
	case result.Outcome == snapshot.OutcomeJoined:
		if event == nil {
			event = &judge.Event{Time: o.Time, MaxAge: time.Hour}
			if age := r.policy.MaxEventAge; age > 0 {
				event.MaxAge = age
			}
			h.events[result.ClientToken] = event
		}
		event.Joined(result.SnapshotID)
	case result.Error != nil && !result.Error.Retryable && !h.gone[result.DiskID]:
		h.refused(r, result)
	}
}

// refused judges a final refusal: there must be no snapshot of the order, unless another run takes it at the same time.
func (h *history) refused(r *historyRun, result snapshot.Result) {
	h.refusals[result.ClientToken] = finalRefusal{r.process, time.Now()}
	for _, one := range h.sim.Snapshots() {
		mine := slices.ContainsFunc(one.Tags, func(t simulator.Tag) bool {
			return t.Key == snapshot.TagToken && t.Value == result.ClientToken && result.ClientToken != ""
		})
		hash := strings.TrimPrefix(result.ClientToken, "sn1-")
		hash = hash[:min(8, len(hash))]
		if one.CreationTime.After(r.began) && h.creator[one.ID] != r.process {
			continue
		}
		if mine || hash != "" && one.Name == result.SnapshotName && strings.HasSuffix(one.Name, "-"+hash) {
			h.violate("run %d: order %s is refused for good (%v), and has %s (%s)", r.id, r.delivery.order.Key, result.Error, one.ID, one.Status)
		}
	}
}
