package runtimeapi

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"time"
)

// awsLambda is AWS Lambda with a custom runtime, as its documents describe the runtime API (docs.aws.amazon.com/lambda/
// latest/dg/runtimes-api.html), the extensions API and the reserved variables.
var awsLambda = &protocol{
	prefix:   "/2018-06-01/runtime",
	accepted: http.StatusAccepted,
	unknown:  http.StatusBadRequest,

	region:  "ap-southeast-1",
	retries: 2,
	longest: 900 * time.Second,

	syncLimit:   6 << 20,
	asyncLimit:  1 << 20,
	answerLimit: 6<<20 + 100, // the documented 6 MB; the service itself allows these 100 bytes more

	reserved: prefixes("AWS_LAMBDA_", "LAMBDA_", "_HANDLER", "_X_AMZN_TRACE_ID"),
	extend:   extendLambda,

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
			"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(c.MemoryMB),
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
			fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", c.Region, c.AccountID, c.Name))
		h.Set("Lambda-Runtime-Trace-Id",
			fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", c.Now().Unix(), randomHex(12), randomHex(8)))
	},

	timedOut: func(requestID string, timeout time.Duration) *failure {
		return &failure{
			kind:    "Sandbox.Timedout",
			message: fmt.Sprintf("RequestId: %s Error: Task timed out after %.2f seconds", requestID, timeout.Seconds()),
		}
	},
	exited: func(requestID, state string) *failure {
		return &failure{
			kind:    "Runtime.ExitError",
			message: fmt.Sprintf("RequestId: %s Error: Runtime exited with error: %s", requestID, state),
		}
	},
}

// extendLambda adds what Lambda has beyond the three calls of an invocation: the report of a failed start, and the two
// calls of the extensions API with which the Go SDK asks to be told of the end by SIGTERM.
func extendLambda(in *instance, mux *http.ServeMux) {
	mux.HandleFunc("POST "+in.protocol.prefix+"/init/error", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, int64(in.protocol.answerLimit)))
		if err != nil {
			return
		}
		in.failInit(readFailure(body))
		acknowledge(w, in.protocol.accepted)
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", in.id)
		acknowledge(w, http.StatusOK)
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // it registered for no event, so none ever comes
	})
}
