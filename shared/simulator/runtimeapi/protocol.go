package runtimeapi

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// protocol is what the two platforms do differently behind the same three calls of their runtime APIs.
type protocol struct {
	prefix   string // of the paths of the runtime API
	accepted int    // status that acknowledges an answer; the SDKs take no other
	unknown  int    // status for an answer to an invocation that is not in flight

	region  string        // default region
	retries int           // default retries of asynchronous invocations
	longest time.Duration // longest timeout that can be configured

	syncLimit, asyncLimit int // bytes of an event
	answerLimit           int // bytes of an answer

	reserved    func(key string) bool                                  // whether users may not set this variable
	environment func(c Config, instanceID, address string) []string    // what the platform sets
	header      func(c Config, inv *invocation, h http.Header)         // headers of a delivered invocation
	extend      func(in *instance, mux *http.ServeMux)                 // further calls of the runtime API; nil: none
	requestID   func(now time.Time) string                             // a new one
	timedOut    func(requestID string, timeout time.Duration) *failure // time is up
	exited      func(requestID, state string) *failure                 // the process ended before it answered
}

var protocols = map[Platform]*protocol{FC: functionCompute, Lambda: awsLambda}

// prefixes returns a function that tells whether a key begins with one of the prefixes.
func prefixes(list ...string) func(string) bool {
	return func(key string) bool {
		for _, prefix := range list {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
		return false
	}
}

// baseEnvironment is what a process finds on either platform, and may be overridden by Config.Env.
func baseEnvironment() []string {
	return []string{"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=en_US.UTF-8", "TZ=UTC"}
}

// randomHex returns n random bytes in hexadecimal digits.
func randomHex(n int) string {
	data := make([]byte, n)
	rand.Read(data) // never fails
	return hex.EncodeToString(data)
}

// seconds returns d in whole seconds, rounded up: the platforms configure no less.
func seconds(d time.Duration) int {
	return int((d + time.Second - 1) / time.Second)
}

// oversized is the failure of an answer that is over the platform's limit.
func (p *protocol) oversized() *failure {
	return &failure{
		kind:    "Function.ResponseSizeTooLarge",
		message: fmt.Sprintf("the answer is over the platform's limit of %d bytes", p.answerLimit),
	}
}
