package trigger

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"swas-snapshot/shared/snapshot"
)

// TestFormsRoundTrip makes a full round trip of each form through real payloads: every field of ours must come back
// with the value that the payload has, and must be in one of the payloads. A misspelt tag would be a field that stays
// empty.
func TestFormsRoundTrip(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		form  any
		files []string
		path  []string // to the first element of lists, down to what the form describes
	}{
		"fcTimer": {fcTimer{}, []string{"timer-fc.json"}, nil},
		"scheduleForm": {scheduleForm{},
			[]string{"timer-scheduler.json", "timer-sweep-scheduler.json", "timer-constant.json"}, nil},
		"awsEvent":   {awsEvent{}, []string{"event-codepipeline-aws.json", "timer-eventbridge.json"}, nil},
		"cloudEvent": {cloudEvent{}, []string{"event-oss-eventbridge.json", "event-mns-queue.json"}, nil},
		"ossRecord":  {ossRecord{}, []string{"event-oss.json"}, []string{"events"}},
		"mnsMessage": {mnsMessage{}, []string{"event-mns.json"}, nil},
		"sqsRecord":  {sqsRecord{}, []string{"event-sqs.json"}, []string{"Records"}},
		"httpEvent": {httpEvent{},
			[]string{"http-fc-post.json", "http-fc-get.json", "http-lambda-get.json", "http-apigw.json"}, nil},
		"orderForm":       {orderForm{}, []string{"event-order.json", "event-order-fresh.json"}, nil},
		"requestForm":     {requestForm{}, []string{"event-raw.json"}, nil},
		"snsNotification": {snsNotification{}, []string{"event-sns.json"}, []string{"Records", "Sns"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inPayload := make(map[string]bool) // by path of the field
			for _, file := range test.files {
				payload := part(t, file, test.path)
				form := reflect.New(reflect.TypeOf(test.form))
				if err := payload.fill(form.Interface(), false); err != nil {
					t.Fatal(err)
				}
				again, err := json.Marshal(form.Interface())
				if err != nil {
					t.Fatal(err)
				}
				compare(t, file, decodeAny(t, again), decodeAny(t, payload.raw), inPayload)
			}
			for path, found := range inPayload {
				if !found {
					t.Errorf("field %s is in none of %v", path, test.files)
				}
			}
		})
	}
}

// MarshalJSON returns what a form keeps undecoded.
func (n node) MarshalJSON() ([]byte, error) {
	if n.kind == "" {
		return []byte("null"), nil
	}
	return n.raw, nil
}

// compare checks that what a form kept of a payload equals the payload.
func compare(t *testing.T, path string, form, payload any, inPayload map[string]bool) {
	t.Helper()
	fields, isObject := form.(map[string]any)
	original, ok := payload.(map[string]any)
	if !isObject || !ok {
		if list, isList := form.([]any); isList && len(list) > 0 {
			for i := range list {
				compare(t, path, list[i], payload.([]any)[i], inPayload)
			}
		} else if !reflect.DeepEqual(form, payload) && !sameTime(form, payload) {
			t.Errorf("%s: form has %v, payload %v", path, form, payload)
		}
		return
	}
	for name, value := range fields {
		value2, found := original[name]
		inPayload[name] = inPayload[name] || found
		if found {
			compare(t, path+"."+name, value, value2, inPayload)
		}
	}
}

// sameTime reports whether a payload writes the time or the duration of a form in another way.
func sameTime(form, payload any) bool {
	text, _ := payload.(string)
	if nanoseconds, isNumber := form.(float64); isNumber {
		d, err := snapshot.ParseDuration(text)
		return err == nil && float64(d) == nanoseconds
	}
	ours, _ := form.(string)
	at, err := time.Parse(time.RFC3339, text)
	same, err2 := time.Parse(time.RFC3339, ours)
	return err == nil && err2 == nil && at.Equal(same)
}

func decodeAny(t *testing.T, data []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// part returns the part of a payload under a path; of a list the first element.
func part(t *testing.T, file string, path []string) node {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../events", file))
	if err != nil {
		t.Fatal(err)
	}
	value := parse(data, fold)
	for _, name := range path {
		value = value.field(name)
		if value.kind == kindList {
			value = value.members[0]
		}
	}
	return value
}
