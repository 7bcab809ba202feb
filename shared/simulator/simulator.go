// Package simulator is Alibaba Cloud Simple Application Server (SWAS) over HTTP, for local runs and for tests.
//
// [New] returns an [http.Handler] that holds one account: its access keys, servers, disks and snapshots. It takes the
// same requests as the real API (version 2020-06-01), verifies their signatures, applies the documented rules and
// answers with the documented elements and codes. A client needs nothing but another address:
//
//	sim := simulator.New(simulator.Config{
//		Credentials: []simulator.Credential{{AccessKeyID: "id", AccessKeySecret: "secret"}},
//		Instances: []simulator.Instance{{
//			ID: "i-web", RegionID: "cn-hangzhou",
//			Disks: []simulator.Disk{{ID: "d-web"}},
//		}},
//	})
//	server := httptest.NewServer(sim) // SWAS_ENDPOINT=server.URL
//
// # The two clocks
//
// Config.Now drives the state: the progress of snapshots, the memory of client tokens, the rate limit. A test moves
// it by hand. Config.Wall drives the gateway: the age of a request and the expiry of a credential. It is the wall
// clock unless a test says otherwise, because real clients sign with the wall clock, whatever time it is in the test.
//
// # Faults
//
// [Simulator.Fault] plans a failure: an API code, an answer that is lost before or after the effect, a cut
// connection, a slow answer, a malformed one. [Simulator.AddSnapshot] and the other methods of control.go set states
// that the API itself cannot reach. [Simulator.SetLag] and Config.ListView make lists late or stale.
// [Simulator.Calls] and [Simulator.CallCounts] return what arrived. Config.OnDelete gets the true state at each
// deletion.
//
// # Without HTTP
//
// [Simulator.Do] makes a call without HTTP, signature and JSON, in a few microseconds, for tests that run very many
// histories. Permissions, rate limit, faults, rules and the record of calls are the same.
//
// # Where the documents are silent
//
// The choices of this package, each a field or a comment where it is made: a name is unique in its region; client
// tokens are remembered for 24 hours, per action; the name is checked before the quota (Config.QuotaBeforeName: after
// it); a snapshot in progress cannot be deleted; TagResources keeps tags with other keys (Config.ReplaceTags); the rate
// limit is a window of 60 seconds; a malformed filter of ListSnapshots is InvalidParam; everything is answered in JSON.
// Any other refusal is a [Fault].
package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Simulator is one account of SWAS as an [http.Handler]. It is safe for concurrent use; calls take effect one after
// the other.
type Simulator struct {
	config  Config
	regions map[string]bool
	actions map[string]action

	mu      sync.Mutex // guards everything below
	gateway gateway
	state   state
	lag     Lag
	tokens  tokenMemory
	faults  []*Fault
	journal journal
}

// New returns a simulator with the servers and keys of the configuration and no snapshots.
func New(config Config) *Simulator {
	config = config.withDefaults()
	s := &Simulator{
		config:  config,
		regions: make(map[string]bool),
		gateway: newGateway(config.Credentials),
		state:   newState(config.Instances, config.Seed),
		lag:     config.Lag,
		tokens:  tokenMemory{calls: make(map[tokenKey]remembered)},
		journal: journal{keep: config.KeepCalls, counts: make(map[string]int)},
	}
	for _, region := range documentedRegions {
		s.regions[region] = true
	}
	for _, one := range config.Instances {
		s.regions[one.RegionID] = true
	}
	s.actions = map[string]action{
		"CreateSnapshot":    s.createSnapshot,
		"ListSnapshots":     s.listSnapshots,
		"DeleteSnapshot":    s.deleteSnapshot,
		"DeleteSnapshots":   s.deleteSnapshots,
		"ResetDisk":         s.resetDisk,
		"ListDisks":         s.listDisks,
		"ListInstances":     s.listInstances,
		"TagResources":      s.tagResources,
		"UntagResources":    s.untagResources,
		"ListTagResources":  s.listTagResources,
		"GetCallerIdentity": s.getCallerIdentity,
	}
	return s
}

// action is one operation of the API: it reads its parameters and returns its effect.
type action func(*params) effect

// effect is what an action does once its parameters are in order. It runs under the lock, at the time now.
type effect func(now time.Time) (success, *apiError)

// success is a successful answer, without the RequestId.
type success struct {
	snapshotID string          // of CreateSnapshot
	snapshots  []Snapshot      // of ListSnapshots, in the form of [Simulator.listed]
	disks      []ListedDisk    // of ListDisks
	total      int             // of both lists, on all pages
	wire       func() elements // the members of the JSON object; nil: none
}

// elements are the members of the JSON object of an answer, or of an object in it.
type elements map[string]any

// ServeHTTP answers one call of the API. A fault without an answer ends in a panic with [http.ErrAbortHandler], by
// which net/http closes the connection.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, refusal := decode(r)
	s.run(r.Context(), q, refusal).write(w, r.Host)
}

// Reply is the answer to a call without HTTP.
type Reply struct {
	Status    int    // of HTTP; 0: no answer
	Code      string // of the refusal; empty: success or no answer
	Message   string // of the refusal
	RequestID string

	// Lost says that a fault took the answer or made it unreadable. Everything else is then empty, whether the action
	// did its work or not.
	Lost bool

	SnapshotID string       // of CreateSnapshot
	Snapshots  []Snapshot   // of ListSnapshots, with what the list shows only
	Disks      []ListedDisk // of ListDisks
	Total      int          // of both lists, on all pages
}

// Do makes one call without HTTP, signature and JSON, for tests that make very many. Everything else is as over HTTP:
// the key must be known and allowed the action, the rate limit, faults and rules apply, and [Simulator.Calls] shows
// the call. The simulator keeps params: do not change them afterwards.
func (s *Simulator) Do(ctx context.Context, accessKeyID, action string, params map[string]string) Reply {
	q := &request{action: action, version: versionOf(action), unsigned: true, accessKeyID: accessKeyID, params: params}
	r := s.run(ctx, q, nil)
	if kind := r.fault.kind(); kind != AnswerTrue && kind != AnswerError {
		return Reply{Lost: true}
	}
	reply := Reply{
		Status: r.status, RequestID: strings.TrimSpace(r.call.RequestID), SnapshotID: r.answer.snapshotID,
		Snapshots: r.answer.snapshots, Disks: r.answer.disks, Total: r.answer.total,
	}
	if r.refusal != nil {
		reply.Code, reply.Message = r.refusal.Code, r.refusal.Message
	}
	return reply
}

// run makes one call, logs it and spends the delay of its fault.
func (s *Simulator) run(ctx context.Context, q *request, refusal *apiError) result {
	res := s.handle(q, refusal)
	s.config.Log.LogAttrs(ctx, slog.LevelInfo, "call", slog.String("action", res.call.Action),
		slog.String("code", res.call.Code), slog.Int("status", res.status),
		slog.String("requestId", res.call.RequestID), slog.String("fault", res.call.Fault))
	if res.fault != nil && res.fault.Delay > 0 {
		s.config.Sleep(ctx, res.fault.Delay)
	}
	return res
}

// result is how a call ended.
type result struct {
	call    Call
	status  int
	answer  success
	refusal *apiError
	fault   *Fault
}

// handle runs one call under the lock, over HTTP or not: the gateway, a planned fault, the action.
func (s *Simulator) handle(q *request, refusal *apiError) result {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	s.state.settle(now, s.config.Duration)

	res := result{status: http.StatusOK, refusal: refusal}
	res.call = Call{Time: now, RequestID: s.state.newRequestID()}
	if q != nil {
		res.call.Action, res.call.Key, res.call.Params = q.action, q.accessKeyID, q.params
	}
	if res.refusal == nil {
		res.refusal = s.admit(q, now)
	}
	if res.refusal == nil {
		res.fault = s.nextFault(q)
		if res.fault.takesEffect() {
			res.answer, res.refusal = s.act(q, now)
		}
		if res.fault != nil && res.fault.Answer == AnswerError {
			res.answer, res.refusal = success{}, res.fault.refusal()
		}
	}
	if res.refusal != nil {
		res.status, res.call.Code = res.refusal.Status, res.refusal.Code
	}
	res.call.Fault = res.fault.describe()
	s.journal.add(res.call)
	if q != nil && q.action == "CreateSnapshot" && res.refusal == nil {
		res.call.RequestID += "\t" // as servers answer
	}
	return res
}

// act runs the action: parameters, then the memory of client tokens, then the effect.
func (s *Simulator) act(q *request, now time.Time) (success, *apiError) {
	p := &params{
		action: q.action, values: q.params, regions: s.regions, host: q.host, caller: s.gateway.credentials[q.accessKeyID],
	}
	run := s.actions[q.action](p)
	token := ""
	if !strings.HasPrefix(q.action, "List") { // what only reads takes no ClientToken
		token = p.clientToken()
	}
	if p.refusal != nil {
		return success{}, p.refusal
	}
	if token == "" {
		return run(now)
	}
	return s.tokens.once(tokenKey{q.action, token}, q.params, now, s.config.TokenLifetime, run)
}

// write sends the answer, or what a fault makes of it.
func (r result) write(w http.ResponseWriter, host string) {
	members := elements{"RequestId": r.call.RequestID}
	switch {
	case r.refusal != nil:
		members["HostId"], members["Code"], members["Message"] = host, r.refusal.Code, r.refusal.Message
		members["Recommend"] = "https://api.aliyun.com/troubleshoot?q=" + r.refusal.Code +
			"&product=SWAS-OPEN&requestId=" + r.call.RequestID
	case r.answer.wire != nil:
		maps.Copy(members, r.answer.wire())
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)                    // as the API: the string to sign in a message is full of &
	if err := encoder.Encode(members); err != nil { // answers hold texts, numbers and lists of them only
		panic(err)
	}
	r.fault.write(w, r.status, bytes.TrimSpace(text.Bytes()))
}

// send writes a complete answer.
func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(body)
}
