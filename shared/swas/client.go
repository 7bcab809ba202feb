package swas

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
)

// callTimeout bounds one call.
const callTimeout = 10 * time.Second

// Client calls the API. It implements [snapshot.API].
type Client struct {
	endpoint  endpoint
	provider  Provider
	transport http.RoundTripper // nil: the shared one, made at the first call
	timeout   time.Duration     // of one call
}

var _ snapshot.API = (*Client)(nil)

// New returns a Client of the API at an endpoint, the value of SWAS_ENDPOINT: a URL, plain http for loopback hosts
// only, or "" for https://swas.<region>.aliyuncs.com. provider is asked for the credentials of each call. New makes no
// call and opens no connection. The error is that of [Check].
func New(endpoint string, provider Provider) (*Client, error) {
	where, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	if slices.Contains(strings.Split(os.Getenv("DEBUG"), ","), "sdk") {
		return nil, badConfig("DEBUG contains sdk, on which the SDK prints signatures and security tokens: remove it")
	}
	return &Client{endpoint: where, provider: provider, timeout: callTimeout}, nil
}

// Check returns why no [Client] of an endpoint can be made, or nil. The error is a [*snapshot.Error] with Code
// [snapshot.CodeBadConfig]: the endpoint is not the URL of an API, or the environment has DEBUG=sdk, on which the SDK
// prints every signed URL.
func Check(endpoint string) error {
	_, err := New(endpoint, nil)
	return err
}

func badConfig(message string) error {
	return &snapshot.Error{Code: snapshot.CodeBadConfig, Kind: snapshot.KindConfig, Message: message}
}

// Format hides the client from every verb: fmt would look into the provider.
func (*Client) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte("[swas client]")) }

// call makes one API call in a region. prepare returns a new request and a new answer for each attempt, since neither
// may be used twice. There is a second attempt only with fresh credentials.
func call[A responses.AcsResponse](
	ctx context.Context, c *Client, region string, prepare func() (requests.AcsRequest, A),
) (A, error) {
	request, answer := prepare()
	action := request.GetActionName()
	if !snapshot.ValidRegion(region) {
		return answer, &snapshot.APIError{Action: action, Code: snapshot.CodeInvalidRegion,
			Message: "the region is not one such as cn-hangzhou"}
	}
	signer, err := c.provider.Credentials(ctx)
	if err != nil {
		return answer, noCredentials(ctx, action, err)
	}
	failure := c.attempt(ctx, region, signer, request, answer)
	if failure == nil || !refreshes(failure.Code) {
		return answer, orNil(failure)
	}

	signer, found, err := c.provider.Refresh(ctx)
	if err != nil {
		failure.Message += "; fresh credentials failed: " + oneLine(err.Error())
		return answer, failure
	}
	if !found {
		return answer, failure
	}
	request, answer = prepare()
	return answer, orNil(c.attempt(ctx, region, signer, request, answer))
}

// attempt sends one signed request. A nil result means HTTP 2xx, without a code of an error, decoded into answer.
func (c *Client) attempt(
	ctx context.Context, region string, signer credentials.Credentials,
	request requests.AcsRequest, answer responses.AcsResponse,
) *snapshot.APIError {
	action := request.GetActionName()
	if part := missing(signer); part != "" {
		return &snapshot.APIError{Action: action, Code: snapshot.CodeNoCredentials,
			Message: "the " + part + " is missing"}
	}
	now := time.Now()
	end := c.deadline(ctx, now)
	bounded, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	if bounded.Err() != nil {
		return noAnswer(bounded, action, c.endpoint.hostOf(region), bounded.Err())
	}

	request.SetScheme(c.endpoint.scheme)
	request.SetDomain(c.endpoint.hostOf(region))
	request.GetQueryParams()["RegionId"] = region
	sent := c.send(bounded, end.Sub(now), signer, request, answer)

	status, body := answer.GetHttpStatus(), answer.GetHttpContentBytes()
	var failure *snapshot.APIError
	switch {
	case status == 0:
		failure = noAnswer(bounded, action, c.endpoint.hostOf(region), sent)
	case status/100 != 2 || hasCode(body):
		failure = refusal(action, status, body)
	case sent != nil:
		failure = emptyAnswer(action, answer, "is not of the documented form")
	default:
		return nil
	}
	failure.Message = oneLine(mask(failure.Message, signer, request.GetQueryParams()["Signature"]))
	return failure
}

// send lets the SDK sign, send and decode, with a client for this call alone. The SDK panics on error bodies whose
// parts are no strings; such a panic becomes an error.
func (c *Client) send(
	ctx context.Context, limit time.Duration, signer credentials.Credentials,
	request requests.AcsRequest, answer responses.AcsResponse,
) (err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			err = errPanicked
		}
	}()
	transport := c.transport
	if transport == nil {
		transport = sharedTransport()
	}
	// AutoRetry stays off: it knows no back-off and leaks connections. The SDK's own timer goes off after ours. The
	// client gets no region, which it would check with a regular expression compiled for each call.
	client, err := sdk.NewClientWithOptions("", &sdk.Config{
		Transport: &callTransport{ctx: ctx, next: transport},
		Timeout:   limit + time.Second,
		UserAgent: "swas-snapshot",
	}, signerOf(signer))
	if err != nil {
		return fmt.Errorf("failed to make SDK client: %w", err)
	}
	client.SetReadTimeout(-1)  // its timer takes a goroutine a call; the context bounds the call already
	client.SetCloseTrace(true) // a tracer would get the signed URL
	client.SetHttpProxy(proxyOfTransport)
	client.SetHttpsProxy(proxyOfTransport)
	client.SetNoProxy(proxyOfTransport)
	return client.DoAction(request, answer)
}

// proxyOfTransport keeps the SDK from reading HTTP_PROXY and NO_PROXY, where it fails on spellings that other programs
// take: the transport chooses the proxy.
const proxyOfTransport = "transport"

// deadline returns when an attempt ends: after the client's timeout, or before the deadline of ctx by a tenth of the
// time left, at most a second, in which the caller says what happened.
func (c *Client) deadline(ctx context.Context, now time.Time) time.Time {
	end := now.Add(c.timeout)
	if last, bounded := ctx.Deadline(); bounded {
		if last = last.Add(-min(last.Sub(now)/10, time.Second)); last.Before(end) {
			return last
		}
	}
	return end
}

// refreshes reports whether a code says that other credentials may do: an expired or unknown security token, an access
// key that was rotated, or one with another secret.
func refreshes(code string) bool {
	return strings.HasPrefix(code, "InvalidSecurityToken") || strings.HasPrefix(code, "InvalidAccessKeyId") ||
		code == snapshot.CodeBadSignature
}

// orNil keeps a nil *snapshot.APIError from becoming an error that is not nil.
func orNil(failure *snapshot.APIError) error {
	if failure == nil {
		return nil
	}
	return failure
}
