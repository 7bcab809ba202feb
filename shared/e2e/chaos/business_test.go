package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/e2e/testbed"
	"swas-snapshot/shared/simulator/runtimeapi"
	"swas-snapshot/shared/snapshot"
)

// business is one business event: however often and wherever it is delivered, it means the same snapshots.
type business struct {
	name     string
	function string
	event    func(runtimeapi.Platform) []byte // of the timer and the event function
	request  func() *http.Request             // of the HTTP function
	sweep    bool                             // not an order: does what the policy asks for
	settled  bool                             // its last answer was a success, or that no slot comes free
	tokens   map[string]string                // of its orders, by target
}

// wanted are the orders that are not ticks: a target and a role that its policy keeps.
var wanted = []struct{ target, role string }{{"web-1", "deploy"}, {"web-2", "manual"}, {"db-1", "manual"}}

// newBusiness makes the nth event of a history.
func newBusiness(random *rand.Rand, n int, at time.Time) *business {
	what := wanted[random.IntN(len(wanted))]
	b := &business{tokens: make(map[string]string)}
	switch random.IntN(5) {
	case 0:
		b.asTick(`{"role":"daily"}`, at)
	case 1, 2:
		b.name, b.function = fmt.Sprintf("event order %d for %s", n, what.target), "event"
		text := fmt.Sprintf(`{"target":%q,"role":%q,"key":"release-%d"}`, what.target, what.role, n)
		b.event = func(runtimeapi.Platform) []byte { return []byte(text) }
	default:
		b.name, b.function = fmt.Sprintf("HTTP order %d for %s", n, what.target), "http"
		text := fmt.Sprintf(`{"target":%q,"role":%q}`, what.target, what.role)
		b.request = func() *http.Request {
			r := bearing(http.MethodPost, "/snapshots", text)
			r.Header.Set("Idempotency-Key", fmt.Sprint("build-", n))
			return r
		}
	}
	return b
}

// asTick makes b the tick of a minute, in the form of each platform's own timer.
func (b *business) asTick(payload string, at time.Time) {
	minute := at.UTC().Truncate(time.Minute).Format(time.RFC3339)
	b.name, b.function, b.sweep = "tick "+payload+" of "+minute, "timer", true
	text, _ := json.Marshal(payload) // a string never fails
	b.event = func(platform runtimeapi.Platform) []byte {
		if platform == runtimeapi.FC {
			return fmt.Appendf(nil, `{"triggerTime":%q,"triggerName":"t","payload":%s}`, minute, text)
		}
		return fmt.Appendf(nil, `{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","account":"123456789012",`+
			`"time":%q,"region":"ap-southeast-1","resources":["arn:aws:events:ap-southeast-1:123456789012:rule/t"],"detail":%s}`, minute, payload)
	}
}

// bearing is a request with the API's token.
func bearing(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+apiToken)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// delivery is one arrival of an event at a function, and what came of it.
type delivery struct {
	*business
	to        *testbed.Function
	requestID string
	crashed   bool // the process ended before it answered
	timedOut  bool // the platform ended the process
	results   []snapshot.Result
	failed    string // the error's code; "": none
	blocked   bool   // it failed because no slot comes free, which no retry helps
	problem   string // what is wrong with the answer itself
}

// run delivers the event and reads the answer.
func (d *delivery) run(t *testing.T) {
	if d.request != nil {
		d.call(t)
	} else {
		d.invoke(t)
	}
}

func (d *delivery) invoke(t *testing.T) {
	answer, err := d.to.Invoke(t.Context(), d.event(d.to.Platform))
	if err != nil {
		d.problem = err.Error()
		return
	}
	noSecrets(t, "the answer", string(answer.Payload))
	d.requestID, d.crashed, d.timedOut, d.failed = answer.RequestID, answer.Crashed, answer.TimedOut, answer.FunctionError
	if d.crashed || d.timedOut {
		return
	}
	text := answer.Payload
	if d.failed != "" {
		text = []byte(answer.ErrorMessage)
	}
	var body struct{ Results []snapshot.Result }
	if err := json.Unmarshal(text, &body); err != nil || len(body.Results) == 0 {
		d.problem = fmt.Sprintf("the answer %q cannot be read: %v", text, err)
		return
	}
	d.results = body.Results
	want := ""
	for _, result := range d.results {
		if result.Error != nil {
			want, d.blocked = result.Error.Code, result.Outcome == snapshot.OutcomeBlocked
			break
		}
	}
	if d.failed != want {
		d.problem = fmt.Sprintf("the function error is %q, want %q: %s", d.failed, want, text)
	}
}

func (d *delivery) call(t *testing.T) {
	w := httptest.NewRecorder()
	runtimeapi.Gateway(d.to.Function).ServeHTTP(w, d.request())
	body := w.Body.String()
	noSecrets(t, "the answer", fmt.Sprint(w.Header())+body)
	d.requestID = w.Header().Get(map[runtimeapi.Platform]string{runtimeapi.FC: "X-Fc-Request-Id", runtimeapi.Lambda: "X-Amzn-RequestId"}[d.to.Platform])
	var one snapshot.Result
	switch kind := w.Header().Get("Content-Type"); {
	case kind == "application/problem+json":
		var problem snapshot.Error
		if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Code == "" || w.Code < 400 {
			d.problem = fmt.Sprintf("the problem %d %q cannot be read: %v", w.Code, body, err)
		}
		d.failed, d.blocked = problem.Code, w.Code == http.StatusConflict && problem.Code == snapshot.CodeBlocked
	case w.Code == http.StatusOK || w.Code == http.StatusAccepted:
		if err := json.Unmarshal([]byte(body), &one); err != nil || one.SnapshotID == "" {
			d.problem = fmt.Sprintf("the answer %d %q cannot be read: %v", w.Code, body, err)
		}
		d.results = []snapshot.Result{one}
	case w.Code == http.StatusBadGateway: // of the platform; only Function Compute's page tells a crash from a time-out
		d.crashed = d.to.Platform == runtimeapi.FC && !strings.Contains(body, "timed out")
		d.timedOut = !d.crashed
	default:
		d.problem = fmt.Sprintf("the answer is %d %s %q", w.Code, kind, body)
	}
}

// String describes a delivery in the message of a failure.
func (d *delivery) String() string { return d.name + " on " + string(d.to.Platform) }
