package trigger_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"swas-snapshot/shared/httpapi"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/trigger"
)

// seed adds every fixture, every structure defect and more to the corpus.
func seed(f *testing.F, more ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(fixtures, "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, defect := range structureDefects {
		if len(defect.data) < 1000 {
			f.Add([]byte(defect.data))
		}
	}
	for _, data := range more {
		f.Add([]byte(data))
	}
}

func FuzzDecodeTimer(f *testing.F) {
	seed(f, fcTimer(`{"sweep":true,"targets":["web-1"]}`), fcTimer("[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tick, err := trigger.DecodeTimer(data)
		if err != nil {
			checkMalformed(t, err)
			return
		}
		if tick.Role == "" && tick.Targets != nil || tick.Role != "" && tick.Time.IsZero() {
			t.Errorf("role %q, targets %q, time %s", tick.Role, tick.Targets, tick.Time)
		}
		if tick.Role != "" && !snapshot.ValidRole(tick.Role) {
			t.Errorf("role %q", tick.Role)
		}
		for _, name := range tick.Targets {
			if !snapshot.ValidTarget(name) {
				t.Errorf("target %q", name)
			}
		}
	})
}

func FuzzDecodeEvent(f *testing.F) {
	seed(f, mns(web1), sns(sqsRecord("m-1", web1), sqsRecord("m-1", "x")), `[`+web1+`,"x"]`, cloudEvent(`,"data":"x"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		batch, err := trigger.DecodeEvent(data, requestID)
		if err != nil {
			checkMalformed(t, err)
			return
		}
		if len(batch.Items) == 0 {
			t.Fatal("nothing decoded, and no error")
		}
		for _, item := range batch.Items {
			checkIdentity(t, item)
			if batch.SQS != (item.MessageID != "") {
				t.Errorf("SQS is %t, the message ID %q", batch.SQS, item.MessageID)
			}
		}
	})
}

// checkIdentity checks that an item is exactly one thing, and that the thing has an identity.
func checkIdentity(t *testing.T, item trigger.Item) {
	t.Helper()
	var set int
	if item.Err != nil {
		set++
		checkMalformed(t, item.Err)
	}
	if order := item.Order; order != nil {
		set++
		if order.Sender == "" || order.Key == "" {
			t.Errorf("order without an identity: %+v", order)
		}
		if (order.Target == "") == (order.DiskID == "") {
			t.Errorf("target %q and disk %q", order.Target, order.DiskID)
		}
		if order.ExplicitKey && order.Sender != "event" {
			t.Errorf("explicit key of the sender %q", order.Sender)
		}
	}
	if event := item.Event; event != nil {
		set++
		if event.ID == "" || event.Source == "" || event.Type == "" {
			t.Errorf("event without an identity: %+v", event)
		}
	}
	if set != 1 {
		t.Errorf("an item is %d things", set)
	}
}

func FuzzServeHTTP(f *testing.F) {
	seed(f, string(lambdaEvent(event{"body": "AP+A", "isBase64Encoded": true, "rawQueryString": "a=%zz"})),
		string(fcEvent(event{"rawPath": "/a%20b", "headers": event{"A": "b", "a": "c"}})))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Location", r.URL.String())
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(r.RequestURI + r.Host))
	})
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := trigger.ServeHTTP(t.Context(), data, handler, httpapi.WriteStatus)
		if err != nil {
			checkMalformed(t, err)
			return
		}
		var answer httpAnswer
		if err := json.Unmarshal(out, &answer); err != nil || !utf8.Valid(out) {
			t.Fatalf("answer %q: %v", out, err)
		}
		switch answer.StatusCode {
		case http.StatusAccepted, http.StatusBadRequest, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType:
		default:
			t.Errorf("status %d", answer.StatusCode)
		}
		if answer.Headers["Content-Type"] == "" {
			t.Error("no Content-Type")
		}
	})
}

// FuzzCheckJSON compares with a reading by tokens, which is slower and simpler.
func FuzzCheckJSON(f *testing.F) {
	seed(f, `{"a\\\"":[1e5, true ,{"b":null}],"A\\\"":-0.1}`, `{"\u0041":1,"a":2}`, ` [ [ ] , { } ] `)
	f.Fuzz(func(t *testing.T, data []byte) {
		err := trigger.CheckJSON(data)
		if err != nil {
			checkMessage(t, err, "")
		}
		sound := utf8.Valid(data) && json.Valid(data) && soundTokens(json.NewDecoder(bytes.NewReader(data)), 0)
		if sound != (err == nil) {
			t.Errorf("by tokens %t, and yet %v", sound, err)
		}
	})
}

// soundTokens reports whether the next value has no doubled field and nests no deeper than 32.
func soundTokens(d *json.Decoder, depth int) bool {
	d.UseNumber()
	token, err := d.Token()
	if err != nil {
		return false
	}
	open, nested := token.(json.Delim)
	if !nested {
		return true
	}
	if depth++; depth > 32 {
		return false
	}
	var names []string
	for d.More() {
		if open == '{' {
			token, err := d.Token()
			name, isText := token.(string)
			same := func(one string) bool { return strings.EqualFold(one, name) }
			if err != nil || !isText || slices.ContainsFunc(names, same) {
				return false
			}
			names = append(names, name)
		}
		if !soundTokens(d, depth) {
			return false
		}
	}
	_, err = d.Token()
	return err == nil
}

func FuzzStrictJSON(f *testing.F) {
	seed(f, `{"text":"a","list":[{"name":"b"}]}`, `{"text":"a","TEXT":"b"}`)
	f.Fuzz(func(t *testing.T, data []byte) {
		var into strict
		if trigger.StrictJSON(data, &into) != nil {
			return
		}
		if err := trigger.CheckJSON(data); err != nil {
			t.Errorf("strict and yet not sound: %v", err)
		}
		if !json.Valid(data) {
			t.Error("no JSON")
		}
	})
}
