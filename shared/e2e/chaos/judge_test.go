package chaos

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// judge stands between the functions and the simulated API. It looks at the account before and after each call, and notes
// what may never happen. It is also where calls meet what the API itself cannot do to them.
type judge struct {
	api  *simulator.Simulator
	keep map[string]map[string]int // slots by disk and role; a disk without any keeps everything

	mu       sync.Mutex
	born     map[string][]string // snapshots by the token of their order, the deleted ones included
	ever     map[string]bool     // every snapshot that there ever was
	forgot   bool                // the API forgets client tokens, as it does in time
	deleted  int
	replaced int // of these
	wrongs   []string
	arrived  int  // calls of this round
	killed   bool // a process was killed in this round
	kills    func(runtimeapi.Platform)
	meddle   func(n int) meddling
	release  chan struct{} // closed: what is held back goes on
	inFlight sync.WaitGroup
}

// meddling is what happens to one call on its way.
type meddling struct {
	kill runtimeapi.Platform // kill -9 of all its processes; "": none
	lose bool                // the call gets lost: it has no effect
	late bool                // the effect comes only once the round is over
	slow bool                // the answer comes only once the round is over
	dead bool                // kill comes after the effect, else before
}

func newJudge(keep map[string]map[string]int, kills func(runtimeapi.Platform)) *judge {
	return &judge{keep: keep, kills: kills, born: make(map[string][]string), ever: make(map[string]bool)}
}

// start gives the judge the account, with what is in it.
func (j *judge) start(api *simulator.Simulator) {
	j.api = api
	for _, one := range api.Snapshots() {
		j.ever[one.ID] = true
	}
	j.begin(nil)
}

// begin starts a round. meddle says what happens to the nth call of it, from 1; nil: nothing.
func (j *judge) begin(meddle func(n int) meddling) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.arrived, j.killed, j.meddle, j.release = 0, false, meddle, make(chan struct{})
}

// end lets go what is held back, and waits until all of it has taken effect.
func (j *judge) end() {
	close(j.release)
	j.inFlight.Wait()
}

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.inFlight.Add(1)
	defer j.inFlight.Done()
	m, release := j.arrive()
	if m.kill != "" && !m.dead {
		j.kill(m.kill)
	}
	if m.lose {
		panic(http.ErrAbortHandler)
	}
	if m.late {
		<-release
	}
	answer, cut := j.call(r)
	if m.kill != "" && m.dead {
		j.kill(m.kill)
	}
	if m.slow {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}
	header := w.Header()
	for name, values := range answer.Header() {
		header[name] = values
	}
	if !cut || answer.Body.Len() > 0 {
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // an error means that the client is gone
		_ = http.NewResponseController(w).Flush()
	}
	if cut {
		panic(http.ErrAbortHandler)
	}
}

func (j *judge) kill(platform runtimeapi.Platform) {
	j.mu.Lock()
	j.killed = true
	j.mu.Unlock()
	j.kills(platform)
}

func (j *judge) arrive() (meddling, chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.arrived++
	if j.meddle == nil {
		return meddling{}, j.release
	}
	return j.meddle(j.arrived), j.release
}

// call lets the API answer, and judges what changed. cut: the connection ends after what was answered.
func (j *judge) call(r *http.Request) (answer *httptest.ResponseRecorder, cut bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	before := j.api.Snapshots()
	answer = httptest.NewRecorder()
	func() {
		defer func() {
			if what := recover(); what != nil {
				if what != http.ErrAbortHandler {
					panic(what)
				}
				cut = true
			}
		}()
		j.api.ServeHTTP(answer, r)
	}()
	j.compare(before, j.api.Snapshots())
	return answer, cut
}

// compare notes which snapshots a call may not have taken.
func (j *judge) compare(before, after []simulator.Snapshot) {
	for _, one := range after {
		if j.ever[one.ID] {
			continue
		}
		j.ever[one.ID] = true
		token := tag(one, snapshot.TagToken)
		for _, first := range j.born[token] {
			if !j.forgot || lives(first, before) {
				j.wrong("snapshot %s has the token %s, and so had %s before", one.ID, token, first)
			}
		}
		if role(one) == "" {
			j.wrong("snapshot %s was taken without the tags of ours", one.ID)
		}
		j.born[token] = append(j.born[token], one.ID)
	}
}

// deletion notes why a snapshot should not have been deleted, from the true state at that moment. The simulated API calls
// it from within call, which holds the lock.
func (j *judge) deletion(key string, one simulator.Snapshot, others []simulator.Snapshot) {
	j.deleted++
	if key != sweepKey {
		j.wrong("%s deleted snapshot %s", key, one.ID)
	}
	name := role(one)
	switch {
	case name == "":
		j.wrong("the foreign snapshot %s was deleted", one.ID)
		return
	case pinned(one):
		j.wrong("the pinned snapshot %s was deleted", one.ID)
	case len(j.keep[one.DiskID]) == 0:
		j.wrong("snapshot %s of a target without keep was deleted", one.ID)
		return
	case one.Status == simulator.Failed:
		return
	case one.Status != simulator.Accomplished:
		j.wrong("snapshot %s was deleted while %s", one.ID, one.Status)
	}
	ours := slices.DeleteFunc(slices.Clone(others), func(other simulator.Snapshot) bool {
		return other.DiskID != one.DiskID || role(other) == "" || !good(other)
	})
	if len(ours) == 0 {
		j.wrong("the last good snapshot %s was deleted", one.ID)
	}
	if count, named := j.keep[one.DiskID][name]; named && place(one, others) > count {
		return
	}
	// It was within its count, so it must be a replacement. Of the roles, only daily has a schedule.
	j.replaced++
	server := slices.DeleteFunc(slices.Clone(others), func(other simulator.Snapshot) bool { return other.InstanceID != one.InstanceID })
	full := len(server) == 2 && !slices.ContainsFunc(server, func(other simulator.Snapshot) bool { return other.Status == simulator.Progressing })
	lasting := len(ours) >= 2 || slices.ContainsFunc(ours, func(other simulator.Snapshot) bool { return pinned(other) || role(other) != "daily" })
	if name != "daily" || !full || !lasting {
		j.wrong("snapshot %s was deleted, which is %s %d, and no replacement: its server has %+v", one.ID, name, place(one, others), server)
	}
}

func (j *judge) wrong(format string, args ...any) {
	j.wrongs = append(j.wrongs, fmt.Sprintf(format, args...))
}

// verdict returns what was noted.
func (j *judge) verdict() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.wrongs)
}

// hasKilled reports whether a process was killed in this round.
func (j *judge) hasKilled() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.killed
}

// wasBorn reports whether a snapshot was taken for a token.
func (j *judge) wasBorn(token, id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Contains(j.born[token], id)
}

// joined reports whether a snapshot carries the mark of the order with this token.
func (j *judge) joined(token, id string) bool {
	token = strings.TrimPrefix(token, "sn1-")
	return slices.ContainsFunc(j.api.Snapshots(), func(one simulator.Snapshot) bool {
		return one.ID == id && len(token) >= 16 && tag(one, "swas-snapshot/joined-"+token[:16]) != ""
	})
}

// knows reports whether a snapshot ever was.
func (j *judge) knows(id string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ever[id]
}

// What follows reads snapshots by the contract alone, not by the code under test.

func tag(one simulator.Snapshot, key string) string {
	for _, t := range one.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// role returns the role of one of ours; "" for a foreign one.
func role(one simulator.Snapshot) string {
	if tag(one, snapshot.TagToken) == "" {
		return ""
	}
	name, _, _ := strings.Cut(tag(one, snapshot.TagMeta), "/")
	return name
}

func lives(id string, all []simulator.Snapshot) bool {
	return slices.ContainsFunc(all, func(one simulator.Snapshot) bool { return one.ID == id })
}

func pinned(one simulator.Snapshot) bool { return tag(one, snapshot.TagKeep) == "forever" }

func good(one simulator.Snapshot) bool {
	return one.Status == simulator.Accomplished && !one.Unrestorable
}

// newer reports whether a stands before b in the order by which snapshots are kept.
func newer(a, b simulator.Snapshot) bool {
	return a.CreationTime.After(b.CreationTime) || a.CreationTime.Equal(b.CreationTime) && a.ID < b.ID
}

// newestGood returns the newest good snapshot of a disk.
func newestGood(all []simulator.Snapshot, disk string) (newest simulator.Snapshot, any bool) {
	for _, one := range all {
		if one.DiskID == disk && good(one) && (!any || newer(one, newest)) {
			newest, any = one, true
		}
	}
	return newest, any
}

// place returns the place of a snapshot among the good ones of its disk and role, from 1, the pinned first.
func place(one simulator.Snapshot, all []simulator.Snapshot) int {
	n := 1
	for _, other := range all {
		if other.ID != one.ID && other.DiskID == one.DiskID && good(other) && role(other) == role(one) && (pinned(other) || newer(other, one)) {
			n++
		}
	}
	return n
}
