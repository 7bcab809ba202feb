package wiring

import (
	"encoding/json"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/snapshot"
)

// results is the answer of the timer and event functions.
type results struct {
	Results []snapshot.Result `json:"results"`
}

// Answer returns {"results":[...]}. One failed element makes it an error, whose type is the code of the first one
// that failed and whose message is the same JSON: no failure is recorded as a success, and a retry of what succeeded is
// harmless.
func Answer(all []snapshot.Result) Answered {
	body, err := json.Marshal(results{all})
	if err != nil {
		return Answered{Err: failure(err), Results: all}
	}
	for _, result := range all {
		if result.Error != nil {
			return Answered{Err: platform.Failure{Type: result.Error.Code, Message: string(body)}, Results: all}
		}
	}
	return Answered{Body: body, Results: all}
}

// RefuseEvent is the answer of a timer or event function that is not configured.
func RefuseEvent(_ []byte, err error) ([]byte, error) {
	answered := Answer(Refuse(err))
	return answered.Body, answered.Err
}

// failure makes the platform's error of an error; nil stays nil.
func failure(err error) error {
	if err == nil {
		return nil
	}
	known := snapshot.AsError(err)
	return platform.Failure{Type: known.Code, Message: known.Message}
}

// Refuse returns the results of an event that could not be read.
func Refuse(err error) []snapshot.Result {
	return []snapshot.Result{{Error: snapshot.AsError(err)}}
}
