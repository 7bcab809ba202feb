package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Simulator is one account of SWAS as an [http.Handler]. It is safe for concurrent use; calls take effect one after
// the other.
type Simulator struct {
	config  Config
	regions map[string]bool

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
		gateway: newGateway(config),
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
	return s
}

// answer is a successful answer, without the RequestId.
type answer interface{ elements() elements }

// elements are the members of the JSON object of an answer, or of an object in it.
type elements map[string]any

func (e elements) elements() elements { return e }

// effect is what an action does once its parameters are in order. It runs under the lock, at the time now.
type effect func(now time.Time) (answer, *apiError)

// action is one operation of the API: it reads its parameters and returns its effect.
type action struct {
	prepare    func(*Simulator, *params) effect
	idempotent bool // takes a ClientToken
	sts        bool // of the API of STS, which needs no permission
}

// actions are the operations that this simulator knows.
var actions map[string]action

func init() { // not a literal: route reads actions, and the actions reach route through Simulator
	actions = map[string]action{
		"CreateSnapshot":          {(*Simulator).createSnapshot, true, false},
		"ListSnapshots":           {(*Simulator).listSnapshots, false, false},
		"DeleteSnapshot":          {(*Simulator).deleteSnapshot, true, false},
		"DeleteSnapshots":         {(*Simulator).deleteSnapshots, true, false},
		"UpdateSnapshotAttribute": {(*Simulator).updateSnapshotAttribute, true, false},
		"ResetDisk":               {(*Simulator).resetDisk, true, false},
		"ListDisks":               {(*Simulator).listDisks, false, false},
		"ListInstances":           {(*Simulator).listInstances, false, false},
		"ListRegions":             {(*Simulator).listRegions, false, false},
		"TagResources":            {(*Simulator).tagResources, true, false},
		"UntagResources":          {(*Simulator).untagResources, true, false},
		"ListTagResources":        {(*Simulator).listTagResources, false, false},
		"GetCallerIdentity":       {(*Simulator).getCallerIdentity, false, true},
	}
}

// ServeHTTP answers one call of the API. A fault without an answer ends in a panic with [http.ErrAbortHandler], by
// which net/http closes the connection.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, refusal := decode(r)
	s.run(r.Context(), q, refusal).write(w, r.Host)
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
	answer  answer
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
			res.answer, res.refusal = nil, res.fault.refusal()
		}
	}
	if res.refusal != nil {
		res.status, res.call.Code = res.refusal.Status, res.refusal.Code
	}
	res.call.Fault = res.fault.describe()
	s.journal.add(res.call)
	if q != nil && q.action == "CreateSnapshot" && !s.config.PlainRequestID && res.refusal == nil {
		res.call.RequestID += "\t"
	}
	return res
}

// admit passes a call through the gateway.
func (s *Simulator) admit(q *request, now time.Time) *apiError {
	if refusal := q.route(); refusal != nil {
		return refusal
	}
	if refusal := s.gateway.authenticate(q, s.config.Wall()); refusal != nil {
		return refusal
	}
	return s.gateway.admit(q.action, now)
}

// act runs the action: parameters, then the memory of client tokens, then the effect.
func (s *Simulator) act(q *request, now time.Time) (answer, *apiError) {
	one := actions[q.action]
	caller := s.gateway.credentials[q.accessKeyID]
	p := &params{action: q.action, values: q.params, regions: s.regions, host: q.host, caller: caller}
	run := one.prepare(s, p)
	var token string
	if one.idempotent {
		token = p.clientToken()
	}
	if p.refusal != nil {
		return nil, p.refusal
	}
	if token == "" {
		return run(now)
	}
	return s.tokens.once(tokenKey{q.action, token}, q.params, now, s.config.TokenLifetime, run)
}

// write sends the answer, or what a fault makes of it.
func (r result) write(w http.ResponseWriter, host string) {
	var body any
	if r.refusal != nil {
		body = map[string]string{
			"RequestId": r.call.RequestID,
			"HostId":    host,
			"Code":      r.refusal.Code,
			"Message":   r.refusal.Message,
			"Recommend": "https://api.aliyun.com/troubleshoot?q=" + r.refusal.Code + "&product=SWAS-OPEN&requestId=" + r.call.RequestID,
		}
	} else {
		members := elements{"RequestId": r.call.RequestID}
		if r.answer != nil { // nil: a fault took the effect
			maps.Copy(members, r.answer.elements())
		}
		body = members
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)                 // as the API: the string to sign in a message is full of &
	if err := encoder.Encode(body); err != nil { // answers hold texts, numbers and lists of them only
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
