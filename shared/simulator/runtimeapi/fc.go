package runtimeapi

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"time"
)

// functionCompute is Function Compute 3.0. Its runtime API is the one that the Go SDK speaks (github.com/aliyun/
// fc-runtime-go-sdk, fc/runtime_api_client.go); limits and variables are those of the product's documents. No document
// names the errorType of a time-out or of a process that ended, so these names are of this package's choosing.
var functionCompute = &protocol{
	prefix:   "/2020-11-11/runtime",
	accepted: http.StatusOK,
	unknown:  http.StatusNotFound,

	region:  "cn-hangzhou",
	retries: 3,
	longest: 86400 * time.Second,

	syncLimit:   32 << 20,
	asyncLimit:  128 << 10,
	answerLimit: 32 << 20,

	reserved:  prefixes("FC_"),
	requestID: func(now time.Time) string { return fmt.Sprintf("1-%08x-%s-%s", now.Unix(), randomHex(4), randomHex(6)) },

	environment: func(c Config, instanceID, address string) []string {
		return []string{
			"FC_RUNTIME_API=" + address,
			"FC_FUNC_CODE_PATH=" + filepath.Dir(c.Binary),
			"FC_FUNCTION_NAME=" + c.Name,
			"FC_FUNCTION_HANDLER=" + filepath.Base(c.Binary),
			"FC_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.MemoryMB),
			"FC_REGION=" + c.Region,
			"FC_ACCOUNT_ID=" + c.AccountID,
			"FC_INSTANCE_ID=" + instanceID,
			"FC_QUALIFIER=LATEST",
		}
	},

	header: func(c Config, inv *invocation, h http.Header) {
		credentials := c.Credentials()
		h.Set("x-fc-request-id", inv.requestID)
		h.Set("x-fc-function-deadline", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("x-fc-function-timeout", strconv.Itoa(seconds(c.Timeout)))
		h.Set("x-fc-function-type", "0") // 0 is an invocation; hooks of an instance's life are not configured
		h.Set("x-fc-retry-count", strconv.Itoa(inv.retry))
		h.Set("x-fc-access-key-id", credentials.AccessKeyID)
		h.Set("x-fc-access-key-secret", credentials.AccessKeySecret)
		h.Set("x-fc-security-token", credentials.SecurityToken)
		h.Set("x-fc-function-name", c.Name)
		h.Set("x-fc-function-handler", filepath.Base(c.Binary))
		h.Set("x-fc-function-memory", strconv.Itoa(c.MemoryMB))
		h.Set("x-fc-region", c.Region)
		h.Set("x-fc-account-id", c.AccountID)
		h.Set("x-fc-qualifier", "LATEST")
		h.Set("x-fc-version-id", "LATEST")
	},

	timedOut: func(_ string, timeout time.Duration) *failure {
		return &failure{kind: "FunctionTimeoutError", message: fmt.Sprintf("function timed out after %v", timeout)}
	},
	exited: func(_, state string) *failure {
		return &failure{
			kind:    "ProcessExitedError",
			message: fmt.Sprintf("process exited unexpectedly before completing request (%s)", state),
		}
	},
}
