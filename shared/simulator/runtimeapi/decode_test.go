package runtimeapi

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func TestReadFailure(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ body, kind, message string }{
		"Full":     {`{"errorType":"A.B","errorMessage":"m","stackTrace":[{"line":1}]}`, "A.B", "m"},
		"NoType":   {`{"errorMessage":"m"}`, unhandled, "m"},
		"Empty":    {``, unhandled, "the function posted an error that is not a JSON object"},
		"NotJSON":  {`oops`, unhandled, "the function posted an error that is not a JSON object"},
		"NoObject": {`["A"]`, unhandled, "the function posted an error that is not a JSON object"},
		"Types":    {`{"errorType":1}`, unhandled, "the function posted an error that is not a JSON object"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := readFailure([]byte(test.body))
			if f.kind != test.kind || f.message != test.message {
				t.Errorf("failure %s: %s", f.kind, f.message)
			}
		})
	}
}

// Whatever a function posts as an error, it never passes for a success.
func FuzzReadFailure(f *testing.F) {
	f.Add([]byte(`{"errorType":"A","errorMessage":"m"}`))
	f.Add([]byte(`{"errorType":""}`))
	f.Add([]byte(`null`))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a Answer
		outcome{failure: readFailure(body)}.put(&a)
		if a.Err() == nil {
			t.Errorf("%q passes for a success", body)
		}
	})
}

func TestDecodeHTTPAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		payload string
		status  int
		content string
		wrong   string
	}{
		"Full":           {payload: `{"statusCode":204,"headers":{"A":"b"},"isBase64Encoded":false,"body":"x"}`, status: 204, content: "x"},
		"Base64":         {payload: `{"statusCode":200,"isBase64Encoded":true,"body":"AAE="}`, status: 200, content: "\x00\x01"},
		"Blanks":         {payload: " {\"statusCode\":200}\n", status: 200},
		"NoStatus":       {payload: `{"body":"x"}`, status: 200, content: `{"body":"x"}`},
		"String":         {payload: `"x"`, status: 200, content: `"x"`},
		"Null":           {payload: `null`, status: 200, content: `null`},
		"Empty":          {payload: ``, wrong: "the answer is not JSON"},
		"NotJSON":        {payload: `<html>`, wrong: "the answer is not JSON"},
		"StatusText":     {payload: `{"statusCode":"200"}`, wrong: "have the wrong types"},
		"StatusNull":     {payload: `{"statusCode":null}`, wrong: "statusCode is not between 200 and 599"},
		"StatusLow":      {payload: `{"statusCode":199}`, wrong: "statusCode is not between 200 and 599"},
		"StatusHigh":     {payload: `{"statusCode":600}`, wrong: "statusCode is not between 200 and 599"},
		"HeaderNumber":   {payload: `{"statusCode":200,"headers":{"A":1}}`, wrong: "have the wrong types"},
		"BodyObject":     {payload: `{"statusCode":200,"body":{}}`, wrong: "have the wrong types"},
		"Base64IsBroken": {payload: `{"statusCode":200,"isBase64Encoded":true,"body":"?"}`, wrong: "body is not base64"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := decodeHTTPAnswer([]byte(test.payload))
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Errorf("error %v, want %s", err, test.wrong)
				}
				return
			}
			if err != nil || *a.StatusCode != test.status || string(a.content) != test.content {
				t.Errorf("answer %+v, %v", a, err)
			}
		})
	}
}

// A decoded answer can always be written: its status is one that net/http takes.
func FuzzDecodeHTTPAnswer(f *testing.F) {
	for _, seed := range []string{`{"statusCode":200,"headers":{"A":"b"},"body":"x"}`, `{"statusCode":1e9}`, `[]`, `"x"`, ``, `{`, "\v\"x\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		a, err := decodeHTTPAnswer(payload)
		if err != nil {
			return
		}
		if !json.Valid(payload) {
			t.Errorf("%q is not JSON and was decoded", payload)
		}
		if *a.StatusCode < 200 || *a.StatusCode > 599 {
			t.Errorf("status %d", *a.StatusCode)
		}
	})
}

const status = "Name:\techo\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t4\n"

func TestParseStatus(t *testing.T) {
	t.Parallel()
	m, err := parseStatus([]byte(status))
	if want := (Memory{Resident: 1 << 20, Peak: 2 << 20}); err != nil || m != want {
		t.Errorf("memory %+v, %v, want %+v", m, err, want)
	}
	tests := map[string]string{
		"Zombie":   "Name:\techo\nState:\tZ (zombie)\n",
		"Empty":    "",
		"Unit":     strings.Replace(status, "1024 kB", "1024 MB", 1),
		"Negative": strings.Replace(status, "1024", "-1024", 1),
		"Huge":     strings.Replace(status, "1024", "99999999999999", 1),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if m, err := parseStatus([]byte(text)); err == nil {
				t.Errorf("memory %+v, want an error", m)
			}
		})
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(status))
	f.Add([]byte("VmRSS: 1 kB\nVmHWM: 1099511627775 kB\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := parseStatus(text); err == nil && (m.Resident <= 0 || m.Peak <= 0) {
			t.Errorf("memory %+v of %q", m, text)
		}
	})
}

// However a process's output is cut, its lines arrive whole, once and in order, and never between those of another.
func TestLinesArriveWhole(t *testing.T) {
	t.Parallel()
	var log lockless
	var mu sync.Mutex
	var writers sync.WaitGroup
	for _, name := range []string{"a", "b", "c"} {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(name[0])))
			l := &lineWriter{mu: &mu, to: &log}
			text := strings.Repeat(name+strings.Repeat(name, 50)+"\n", 200) + name
			for len(text) > 0 {
				n := min(1+random.IntN(120), len(text))
				if written, err := l.Write([]byte(text[:n])); written != n || err != nil {
					t.Errorf("Write: %d, %v", written, err)
				}
				text = text[n:]
			}
			l.flush()
		})
	}
	writers.Wait()
	counts := map[string]int{}
	for line := range strings.Lines(log.String()) {
		counts[line]++
	}
	for _, name := range []string{"a", "b", "c"} {
		if counts[strings.Repeat(name, 51)+"\n"] != 200 || counts[name+"\n"] != 1 {
			t.Errorf("lines of %s did not arrive whole", name)
		}
	}
	if len(counts) != 6 {
		t.Errorf("%d different lines, want 6", len(counts))
	}
}

// lockless is a writer that the race detector watches: only the lock of its lineWriters guards it.
type lockless struct{ strings.Builder }

func TestLineWithoutEndIsCut(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	l := &lineWriter{mu: new(sync.Mutex), to: &log}
	for range 3 * longestLine / 1024 {
		_, _ = l.Write([]byte(strings.Repeat("x", 1024)))
	}
	if n := strings.Count(log.String(), "\n"); n != 3 || len(l.partial) != 0 {
		t.Errorf("%d lines and %d bytes kept, want 3 and 0", n, len(l.partial))
	}
}
