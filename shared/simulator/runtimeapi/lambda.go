package runtimeapi

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// lambdaProtocol is AWS Lambda with a custom runtime, as its documents describe the runtime API (docs.aws.amazon.com/
// lambda/latest/dg/runtimes-api.html), the extensions API and the reserved variables.
var lambdaProtocol = protocol{
	prefix:   "/2018-06-01/runtime",
	accepted: http.StatusAccepted,
	unknown:  http.StatusBadRequest,
	region:   "ap-southeast-1",
	retries:  2,

	// A version 4 UUID.
	requestID: func(time.Time) string {
		id := []byte(randomHex(16))
		id[12], id[16] = '4', "89ab"[id[16]%4]
		return fmt.Sprintf("%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:])
	},

	environment: func(c Config, instanceID, address string) []string {
		list := []string{
			"AWS_LAMBDA_RUNTIME_API=" + address,
			"AWS_LAMBDA_FUNCTION_NAME=" + c.Name,
			"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + memoryMB,
			"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
			"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + c.Name,
			"AWS_LAMBDA_LOG_STREAM_NAME=" + c.Now().UTC().Format("2006/01/02") + "/[$LATEST]" + instanceID,
			"AWS_REGION=" + c.Region,
			"AWS_DEFAULT_REGION=" + c.Region,
			"LAMBDA_TASK_ROOT=" + filepath.Dir(c.Binary),
			"LAMBDA_RUNTIME_DIR=/var/runtime",
			"_HANDLER=" + filepath.Base(c.Binary),
		}
		if credentials := c.Credentials(); credentials != (Credentials{}) {
			list = append(list,
				"AWS_ACCESS_KEY_ID="+credentials.AccessKeyID,
				"AWS_SECRET_ACCESS_KEY="+credentials.AccessKeySecret,
				"AWS_SESSION_TOKEN="+credentials.SecurityToken)
		}
		return list
	},

	header: func(c Config, inv *invocation, h http.Header) {
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.requestID)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn",
			fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", c.Region, accountID, c.Name))
		h.Set("Lambda-Runtime-Trace-Id",
			fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", c.Now().Unix(), randomHex(12), randomHex(8)))
	},

	timedOut: func(requestID string, limit time.Duration) (string, string) {
		return "Sandbox.Timedout",
			fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, limit.Seconds())
	},
	exited: func(requestID, state string) (string, string) {
		return "Runtime.ExitError", fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s", requestID, state)
	},

	// The two calls of the extensions API by which a function asks for SIGTERM at its end.
	extend: func(instanceID string, mux *http.ServeMux) {
		mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Lambda-Extension-Identifier", instanceID)
			writeJSON(w, http.StatusOK, map[string]string{"status": "OK"})
		})
		mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done() // it registered for no event, so none ever comes
		})
	},
}

// functionURL is a Lambda function URL with payload format 2.0 (docs.aws.amazon.com/lambda/latest/dg/
// urls-invocation.html).
var functionURL = endpoint{
	requestID: "X-Amzn-RequestId",
	cookies:   true,
	event: func(r *http.Request, body []byte, requestID string, now time.Time) map[string]any {
		headers, source := make(map[string]string), contextOf(r)
		for name, value := range join(r.Header) {
			headers[strings.ToLower(name)] = value
		}
		delete(headers, "cookie")
		headers["host"] = r.Host
		headers["x-forwarded-for"] = strings.TrimPrefix(headers["x-forwarded-for"]+","+source["sourceIp"], ",")
		headers["x-forwarded-proto"] = "http"
		isForm := mediaType(r.Header) == "application/x-www-form-urlencoded"
		event := map[string]any{
			"version": "2.0", "routeKey": "$default", "rawPath": r.URL.EscapedPath(), "rawQueryString": r.URL.RawQuery,
			"headers": headers, "body": string(body), "isBase64Encoded": isForm || !isText(r.Header, body),
			"requestContext": map[string]any{
				"accountId": "anonymous", "requestId": requestID, "http": source, "routeKey": "$default", "stage": "$default",
				"apiId": domainPrefix(r.Host), "domainName": r.Host, "domainPrefix": domainPrefix(r.Host),
				"time": now.Format("02/Jan/2006:15:04:05 -0700"), "timeEpoch": now.UnixMilli(),
			},
		}
		if query := join(r.URL.Query()); len(query) > 0 {
			event["queryStringParameters"] = query
		}
		if len(body) == 0 {
			delete(event, "body")
		}
		if cookies := r.Header.Values("Cookie"); len(cookies) > 0 {
			event["cookies"] = strings.Split(strings.Join(cookies, "; "), "; ")
		}
		return event
	},
	// The caller gets nothing of the error.
	failed: func(w http.ResponseWriter, _ Answer) {
		writeJSON(w, http.StatusBadGateway, map[string]string{"Message": "Internal Server Error"})
	},
}
