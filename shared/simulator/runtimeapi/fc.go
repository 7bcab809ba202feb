package runtimeapi

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// fcProtocol is the runtime API of Function Compute 3.0. It is the one that the Go SDK speaks (github.com/aliyun/
// fc-runtime-go-sdk, fc/runtime_api_client.go); variables are those of the product's documents. No document names the
// errorType of a time-out or of a process that ended, so these names are of this package's choosing.
var fcProtocol = protocol{
	prefix:   "/2020-11-11/runtime",
	accepted: http.StatusOK,
	unknown:  http.StatusNotFound,
	region:   "cn-hangzhou",
	retries:  3,

	requestID: func(now time.Time) string { return fmt.Sprintf("1-%08x-%s-%s", now.Unix(), randomHex(4), randomHex(6)) },

	environment: func(c Config, instanceID, address string) []string {
		return []string{
			"FC_RUNTIME_API=" + address,
			"FC_FUNC_CODE_PATH=" + filepath.Dir(c.Binary),
			"FC_FUNCTION_NAME=" + c.Name,
			"FC_FUNCTION_HANDLER=" + filepath.Base(c.Binary),
			"FC_FUNCTION_MEMORY_SIZE=" + memoryMB,
			"FC_REGION=" + c.Region,
			"FC_ACCOUNT_ID=" + accountID,
			"FC_INSTANCE_ID=" + instanceID,
			"FC_QUALIFIER=LATEST",
		}
	},

	header: func(c Config, inv *invocation, h http.Header) {
		credentials := c.Credentials()
		timeout := (c.Timeout + time.Second - 1) / time.Second // whole seconds: the platform configures no less
		h.Set("x-fc-request-id", inv.requestID)
		h.Set("x-fc-function-deadline", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("x-fc-function-timeout", strconv.Itoa(int(timeout)))
		h.Set("x-fc-function-type", "0") // 0 is an invocation; hooks of an instance's life are not configured
		h.Set("x-fc-retry-count", strconv.Itoa(inv.retry))
		h.Set("x-fc-access-key-id", credentials.AccessKeyID)
		h.Set("x-fc-access-key-secret", credentials.AccessKeySecret)
		h.Set("x-fc-security-token", credentials.SecurityToken)
		h.Set("x-fc-function-name", c.Name)
		h.Set("x-fc-function-handler", filepath.Base(c.Binary))
		h.Set("x-fc-function-memory", memoryMB)
		h.Set("x-fc-region", c.Region)
		h.Set("x-fc-account-id", accountID)
		h.Set("x-fc-qualifier", "LATEST")
		h.Set("x-fc-version-id", "LATEST")
	},

	timedOut: func(_ string, limit time.Duration) (string, string) {
		return "FunctionTimeoutError", fmt.Sprintf("function timed out after %v", limit)
	},
	exited: func(_, state string) (string, string) {
		return "ProcessExitedError", fmt.Sprintf("process exited unexpectedly before completing request (%s)", state)
	},
}

// httpTrigger is the HTTP trigger of Function Compute 3.0 with a built-in runtime (help.aliyun.com, "Use an HTTP
// trigger to invoke a function").
var httpTrigger = endpoint{
	requestID: "X-Fc-Request-Id",
	event: func(r *http.Request, body []byte, requestID string, now time.Time) map[string]any {
		headers := join(r.Header)
		for name := range headers { // the platform keeps these for itself
			if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-fc-") || lower == "connection" ||
				lower == "keep-alive" {
				delete(headers, name)
			}
		}
		headers["Host"] = r.Host
		return map[string]any{
			"version": "v1", "rawPath": r.URL.EscapedPath(), "headers": headers, "queryParameters": join(r.URL.Query()),
			"body": string(body), "isBase64Encoded": !isText(r.Header, body),
			"requestContext": map[string]any{
				"accountId": accountID, "requestId": requestID, "http": contextOf(r),
				"domainName": r.Host, "domainPrefix": domainPrefix(r.Host),
				"time": now.Format(time.RFC3339), "timeEpoch": strconv.FormatInt(now.UnixMilli(), 10),
			},
		}
	},
	failed: func(w http.ResponseWriter, a Answer) {
		w.Header().Set("X-Fc-Error-Type", "UnhandledInvocationError")
		reject(w, http.StatusBadGateway, a.FunctionError, a.ErrorMessage)
	},
}
