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
	vendor "github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
)

// defaultTimeout bounds one call where [Config] does not.
const defaultTimeout = 10 * time.Second

// Config is what a [Client] needs.
type Config struct {
	// Endpoint is the URL of the API, the value of SWAS_ENDPOINT. Empty is https://swas.<region>.aliyuncs.com.
	// Plain http is taken for loopback hosts only.
	Endpoint string
	// Provider hands out the credentials; required.
	Provider Provider
	// Transport sends the requests. Nil is the one that all clients share.
	Transport http.RoundTripper
	// Timeout bounds one call; see "Time" in the package's documentation. Zero is 10 seconds.
	Timeout time.Duration
}

// Client calls the API. It implements [snapshot.API].
type Client struct {
	endpoint  endpoint
	provider  Provider
	transport http.RoundTripper // nil: the shared one, made at the first call
	timeout   time.Duration
}

var _ snapshot.API = (*Client)(nil)

// New returns a Client. It makes no call and opens no connection. The error is a [*snapshot.Error] with Code
// CodeBadConfig: an endpoint that is no URL of an API, or DEBUG=sdk in the environment, on which the SDK prints every
// signed URL.
func New(config Config) (*Client, error) {
	where, err := parseEndpoint(config.Endpoint)
	if err != nil {
		return nil, err
	}
	if config.Provider == nil {
		return nil, &snapshot.Error{Code: snapshot.CodeBadConfig, Kind: snapshot.KindConfig, Message: "Provider is missing: give the client one, such as swas.Static"}
	}
	if slices.Contains(strings.Split(os.Getenv("DEBUG"), ","), "sdk") {
		return nil, &snapshot.Error{Code: snapshot.CodeBadConfig, Kind: snapshot.KindConfig, Message: "DEBUG contains sdk, on which the SDK prints signatures and security tokens: remove it"}
	}
	client := &Client{endpoint: where, provider: config.Provider, transport: config.Transport, timeout: config.Timeout}
	if client.timeout <= 0 {
		client.timeout = defaultTimeout
	}
	return client, nil
}

// Format hides the client from every verb: fmt would look into the provider.
func (*Client) Format(state fmt.State, _ rune) { _, _ = state.Write([]byte("[swas client]")) }

// call makes one API call in a region. prepare builds the request and the answer anew for each attempt, since neither
// may be used twice. There is a second attempt only with fresh credentials.
func call[A responses.AcsResponse](ctx context.Context, c *Client, region string, prepare func() (requests.AcsRequest, A)) (A, error) {
	request, answer := prepare()
	action := request.GetActionName()
	if !hostLabels(region) {
		return answer, &snapshot.APIError{Action: action, Code: snapshot.CodeInvalidRegion, Message: "the region is not one such as cn-hangzhou"}
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
func (c *Client) attempt(ctx context.Context, region string, signer credentials.Credentials, request requests.AcsRequest, answer responses.AcsResponse) *snapshot.APIError {
	action := request.GetActionName()
	if part := missing(signer); part != "" {
		return &snapshot.APIError{Action: action, Code: snapshot.CodeNoCredentials, Message: "the " + part + " is missing"}
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
func (c *Client) send(ctx context.Context, limit time.Duration, signer credentials.Credentials, request requests.AcsRequest, answer responses.AcsResponse) (err error) {
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
		Transport: &carrier{ctx: ctx, next: transport},
		Timeout:   limit + time.Second,
		UserAgent: "swas-snapshot",
	}, signerOf(signer))
	if err != nil {
		return fmt.Errorf("failed to make SDK client: %w", err)
	}
	client.SetReadTimeout(-1)  // its timer would cost a goroutine a call; the context bounds the call already
	client.SetCloseTrace(true) // a tracer would get the signed URL
	client.SetHttpProxy(proxyOfTransport)
	client.SetHttpsProxy(proxyOfTransport)
	client.SetNoProxy(proxyOfTransport)
	return client.DoAction(request, answer)
}

// proxyOfTransport keeps the SDK from reading HTTP_PROXY and NO_PROXY, where it would only stumble over spellings that
// are fine elsewhere: the transport chooses the proxy.
const proxyOfTransport = "transport"

// signerOf returns the SDK's form of credentials.
func signerOf(c credentials.Credentials) vendor.CredentialsProvider {
	if c.SecurityToken == "" {
		return vendor.NewStaticAKCredentialsProvider(c.AccessKeyID, c.AccessKeySecret)
	}
	return vendor.NewStaticSTSCredentialsProvider(c.AccessKeyID, c.AccessKeySecret, c.SecurityToken)
}

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

// refreshes tells whether a code says that other credentials may do: an expired or unknown security token, an access key
// that was rotated, or one with another secret.
func refreshes(code string) bool {
	return strings.HasPrefix(code, "InvalidSecurityToken") || strings.HasPrefix(code, "InvalidAccessKeyId") || code == snapshot.CodeBadSignature
}

// orNil keeps a nil *snapshot.APIError from becoming an error that is not nil.
func orNil(failure *snapshot.APIError) error {
	if failure == nil {
		return nil
	}
	return failure
}
