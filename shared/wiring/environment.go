package wiring

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// callsPerMinute is the API's own limit per account and action, and our pace where the environment does not say.
const callsPerMinute = 10

// environment is what all functions read of their environment.
type environment struct {
	calls    int    // of one API action a minute
	regionID string // where neither the order nor the policy names one
	endpoint string // of the API
}

// readEnvironment reads what all functions read, with every defect.
func readEnvironment(getenv func(string) string) (environment, []error) {
	e := environment{endpoint: getenv("SWAS_ENDPOINT")}
	var wrong [3]error
	e.calls, wrong[0] = pace(getenv)
	e.regionID, wrong[1] = region(getenv)
	wrong[2] = swas.Check(e.endpoint)
	return e, slices.DeleteFunc(wrong[:], func(err error) bool { return err == nil })
}

// CheckEnvironment returns every defect of the variables that all functions read, as [snapshot.Error]. A function with one
// answers every invocation with it.
func CheckEnvironment(getenv func(string) string) []error {
	_, wrong := readEnvironment(getenv)
	if _, err := platform.Logger(getenv, io.Discard); err != nil {
		wrong = append(wrong, badConfig(err.Error()))
	}
	return wrong
}

// pace reads SNAPSHOT_CALLS_PER_MINUTE.
func pace(getenv func(string) string) (int, error) {
	text := strings.TrimSpace(getenv("SNAPSHOT_CALLS_PER_MINUTE"))
	if text == "" {
		return callsPerMinute, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return callsPerMinute, badConfig("SNAPSHOT_CALLS_PER_MINUTE: is no number of calls: set it to 10, or to 0 for no limit")
	}
	return n, nil
}

// region reads ALIBABA_CLOUD_REGION_ID.
func region(getenv func(string) string) (string, error) {
	id := strings.TrimSpace(getenv("ALIBABA_CLOUD_REGION_ID"))
	if id != "" && !snapshot.ValidRegion(id) {
		return "", badConfig("ALIBABA_CLOUD_REGION_ID: is no region ID: set it to one such as cn-hangzhou")
	}
	return id, nil
}

func badConfig(message string) *snapshot.Error {
	return &snapshot.Error{Code: snapshot.CodeBadConfig, Kind: snapshot.KindConfig, Message: message}
}
