package app

import (
	"strconv"
	"strings"

	"swas-snapshot/shared/platform"
	"swas-snapshot/shared/snapshot"
	"swas-snapshot/shared/swas"
)

// defaultCalls is the API's own limit of calls a minute, for each account and action.
const defaultCalls = 10

// environment holds the variables that all functions read.
type environment struct {
	calls    int    // of one API action a minute; 0: no limit
	regionID string // where neither the order nor the policy names one; "": not set
	endpoint string // of the API; "": that of the region
}

// readEnvironment reads the variables that all functions read. Each defect is a [*snapshot.Error].
func readEnvironment(getenv func(string) string) (e environment, defects []error) {
	e.endpoint = getenv("SWAS_ENDPOINT")
	e.regionID = strings.TrimSpace(getenv("ALIBABA_CLOUD_REGION_ID"))
	calls, err := strconv.Atoi(strings.TrimSpace(getenv("SNAPSHOT_CALLS_PER_MINUTE")))
	switch {
	case strings.TrimSpace(getenv("SNAPSHOT_CALLS_PER_MINUTE")) == "":
		calls = defaultCalls
	case err != nil || calls < 0:
		defects = append(defects, badConfig(
			"SNAPSHOT_CALLS_PER_MINUTE: is not a number of calls: set it to 10, or to 0 for no limit"))
	}
	e.calls = calls
	if e.regionID != "" && !snapshot.ValidRegion(e.regionID) {
		defects = append(defects, badConfig(
			"ALIBABA_CLOUD_REGION_ID: is not a region ID: set it to one such as cn-hangzhou"))
	}
	if err := swas.Check(e.endpoint); err != nil {
		defects = append(defects, err)
	}
	if _, err := platform.LogLevel(getenv); err != nil {
		defects = append(defects, badConfig(err.Error()))
	}
	return e, defects
}

// CheckEnvironment returns every defect of the variables that all functions read, each a [*snapshot.Error] with Code
// [snapshot.CodeBadConfig]. A function with one answers every invocation with it.
func CheckEnvironment(getenv func(string) string) []error {
	_, defects := readEnvironment(getenv)
	return defects
}

func badConfig(message string) error {
	return &snapshot.Error{Code: snapshot.CodeBadConfig, Kind: snapshot.KindConfig, Message: message}
}
