package platform

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
)

// The variables by which the platforms name their runtime API, host:port.
const (
	envFC     = "FC_RUNTIME_API"
	envLambda = "AWS_LAMBDA_RUNTIME_API"
)

// Start runs h on the platform whose runtime API the environment names, FC_RUNTIME_API or AWS_LAMBDA_RUNTIME_API, and
// does not return. If neither or both are set, it writes one line to standard error and exits with 1. log gets what the
// platform's part has to report: panics, answers that are not JSON, a failed registration.
func Start(h Handler, log *slog.Logger) {
	start, err := choose(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "swas-snapshot:", err)
		os.Exit(1)
	}
	start(h, log)
}

// choose returns the start function of the platform that the environment names.
func choose(getenv func(string) string) (func(Handler, *slog.Logger), error) {
	switch onFC, onLambda := getenv(envFC) != "", getenv(envLambda) != ""; {
	case onFC && onLambda:
		return nil, errors.New("two platforms at once: unset " + envFC + " or " + envLambda)
	case onFC:
		return startFC, nil
	case onLambda:
		return startLambda, nil
	}
	return nil, errors.New("no platform: " + envFC + " (Function Compute) or " + envLambda +
		" (AWS Lambda) must name the runtime API; on your own machine use go run ./functions/local")
}
