// Command echo is the function that the tests of runtimeapi run on both platforms. An event says what to do.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/aliyun/fc-runtime-go-sdk/fc"
	fcmessages "github.com/aliyun/fc-runtime-go-sdk/fc/messages"
	"github.com/aliyun/fc-runtime-go-sdk/fccontext"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

var onFC = os.Getenv("FC_RUNTIME_API") != ""

// api is the base of the runtime API.
func api() string {
	if onFC {
		return "http://" + os.Getenv("FC_RUNTIME_API") + "/2020-11-11/runtime"
	}
	return "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime"
}

func main() {
	switch os.Getenv("AT_START") {
	case "exit":
		os.Exit(4)
	case "hang":
		time.Sleep(time.Hour)
	case "answer once":
		answerOnce()
		time.Sleep(time.Hour)
	case "answer and exit":
		answerOnce()
		return
	case "ignore SIGTERM":
		signal.Ignore(syscall.SIGTERM)
	}
	if onFC {
		fc.Start(handle)
		return
	}
	var options []lambda.Option
	if os.Getenv("AT_START") == "ask for SIGTERM" {
		options = append(options, lambda.WithEnableSIGTERM(func() { fmt.Println("SIGTERM") }))
	}
	lambda.StartWithOptions(func(ctx context.Context, event json.RawMessage) (json.RawMessage, error) {
		return handle(ctx, event)
	}, options...)
}

type event struct {
	Do  string
	URL string // or a path of the runtime API

	RawPath        string
	RequestContext json.RawMessage
}

func handle(ctx context.Context, raw []byte) (json.RawMessage, error) {
	var e event
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	if e.RequestContext != nil {
		return answerHTTP(e, raw)
	}
	switch e.Do {
	case "context":
		return describe(ctx)
	case "fail":
		return nil, failure("Custom.Code", `{"results":[]}`)
	case "panic":
		panic("at the handler")
	case "crash":
		go panic("beside the handler")
		select {}
	case "hang":
		fmt.Println("hanging")
		time.Sleep(time.Hour)
	case "get": // 200 is a success; anything else an error
		return get(e.URL)
	case "until SIGTERM":
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		fmt.Println("hanging")
		<-ended
	case "post":
		status, err := post(e.URL, "{}")
		return json.RawMessage(fmt.Sprint(status)), err
	case "environment":
		return json.Marshal(os.Environ())
	}
	return json.Marshal(map[string]any{"pid": os.Getpid()})
}

// failure is an error whose type is chosen: by value, or the SDKs drop the type.
func failure(kind, message string) error {
	if onFC {
		return fcmessages.InvokeResponse_Error{Type: kind, Message: message}
	}
	return messages.InvokeResponse_Error{Type: kind, Message: message}
}

func describe(ctx context.Context) (json.RawMessage, error) {
	deadline, _ := ctx.Deadline()
	seen := map[string]any{"deadline": deadline.UnixMilli()}
	if c, ok := fccontext.FromContext(ctx); ok {
		seen["requestId"], seen["name"], seen["memory"] = c.RequestID, c.Function.Name, c.Function.Memory
		seen["key"] = c.Credentials.AccessKeyId + "/" + c.Credentials.AccessKeySecret + "/" + c.Credentials.SecurityToken
		seen["more"] = fmt.Sprint(c.Region, " ", c.AccountId, " ", c.Function.Handler, " ", c.Function.Timeout, " ",
			c.RetryCount)
	}
	if c, ok := lambdacontext.FromContext(ctx); ok {
		seen["requestId"], seen["name"] = c.AwsRequestID, lambdacontext.FunctionName
		seen["memory"] = fmt.Sprint(lambdacontext.MemoryLimitInMB)
		seen["key"] = os.ExpandEnv("$AWS_ACCESS_KEY_ID/$AWS_SECRET_ACCESS_KEY/$AWS_SESSION_TOKEN")
		seen["more"] = c.InvokedFunctionArn
	}
	return json.Marshal(seen)
}

// answerHTTP answers an HTTP event: with the event itself as the body, unless the path asks for something else.
func answerHTTP(e event, raw []byte) (json.RawMessage, error) {
	switch e.RawPath {
	case "/plain":
		return json.RawMessage(`{"a":1}`), nil
	case "/binary":
		return json.RawMessage(`{"statusCode":201,"headers":{"Content-Type":"image/png"},"isBase64Encoded":true,` +
			`"body":"iVBORw0KGgo="}`), nil
	case "/cookies":
		return json.RawMessage(`{"statusCode":200,"cookies":["a=1; Path=/","b=2"],"body":""}`), nil
	case "/base64":
		return json.RawMessage(`{"statusCode":200,"isBase64Encoded":true,"body":"?"}`), nil
	case "/fail":
		return nil, failure("Custom.Code", "said to fail")
	}
	return json.Marshal(map[string]any{
		"statusCode": 200, "headers": map[string]string{"Content-Type": "text/x-event"}, "body": string(raw),
	})
}

func get(url string) (json.RawMessage, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, failure("Answered.Not200", response.Status)
	}
	return json.Marshal(map[string]int{"pid": os.Getpid()})
}

// answerOnce asks for one invocation without an SDK and answers it.
func answerOnce() {
	response, err := http.Get(api() + "/invocation/next")
	if err != nil {
		panic(err)
	}
	response.Body.Close()
	id := response.Header.Get("X-Fc-Request-Id") + response.Header.Get("Lambda-Runtime-Aws-Request-Id")
	if _, err := post("/invocation/"+id+"/response", `"once"`); err != nil {
		panic(err)
	}
}

func post(path, body string) (int, error) {
	response, err := http.Post(api()+path, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
