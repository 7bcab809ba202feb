package swas

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
)

// stsHost is the public host of STS for every region.
// Source: "Endpoints" of STS, help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-endpoint.
const stsHost = "sts.aliyuncs.com"

// Caller is whose credentials a call is signed with.
type Caller struct {
	AccountID string
	ARN       string // acs:ram::<account>:user/<name>, :assumed-role/<role>/<session>, or :root
	Root      bool   // the account itself, to whom everything is allowed
}

// Caller tells whose the credentials are. STS answers that, to everybody and without any permission; an endpoint on
// this machine plays STS as well. The error is that of any other call.
func (c *Client) Caller(ctx context.Context, regionID string) (Caller, error) {
	toSTS := *c
	if !c.endpoint.local {
		toSTS.endpoint = endpoint{scheme: "https", host: stsHost}
	}
	answer, err := call(ctx, &toSTS, regionID, func() (requests.AcsRequest, *sts.GetCallerIdentityResponse) {
		return sts.CreateGetCallerIdentityRequest(), sts.CreateGetCallerIdentityResponse()
	})
	if err != nil {
		return Caller{}, err
	}
	if answer.Arn == "" {
		return Caller{}, emptyAnswer("GetCallerIdentity", answer, "has no Arn")
	}
	return Caller{AccountID: answer.AccountId, ARN: answer.Arn, Root: answer.IdentityType == "Account"}, nil
}
