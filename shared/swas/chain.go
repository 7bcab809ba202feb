package swas

import (
	"context"
	"strings"
	"sync"

	vendor "github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
)

// DefaultChain is a [Provider] that looks where Alibaba Cloud's tools look: the environment, OIDC, the profile of the
// command line, the credentials file, the role of an ECS server. It is for people at their own machine; a function has
// credentials of its own.
type DefaultChain struct {
	mu    sync.Mutex // the SDK's chain is not safe for concurrent use
	chain vendor.CredentialsProvider
}

// Credentials returns the first credentials that the chain finds. Its error does not repeat what the SDK says, which
// may quote a file.
func (d *DefaultChain) Credentials(context.Context) (credentials.Credentials, error) {
	found, err := d.find()
	if err != nil {
		return credentials.Credentials{}, err
	}
	return credentials.Credentials{AccessKeyID: found.AccessKeyId, AccessKeySecret: found.AccessKeySecret, SecurityToken: found.SecurityToken}, nil
}

// Origin is where credentials come from and how long they last.
type Origin struct {
	AccessKeyID string
	Link        string // of the chain, in the SDK's words: env, cli_profile/ram_role_arn, ecs_ram_role, ...
	Temporary   bool   // they have a security token, and end by themselves; when, only its issuer knows
	Renewed     bool   // the chain gets others before they end
}

// Origin tells of the credentials that [DefaultChain.Credentials] returns; its errors are the same.
func (d *DefaultChain) Origin() (Origin, error) {
	found, err := d.find()
	if err != nil {
		return Origin{}, err
	}
	link := strings.TrimPrefix(found.ProviderName, "default/")
	handed := strings.HasSuffix(link, "env") || strings.HasSuffix(link, "static_sts") // somebody got the token, and put it there
	temporary := found.SecurityToken != ""
	return Origin{found.AccessKeyId, link, temporary, temporary && !handed}, nil
}

// find asks the SDK's chain.
func (d *DefaultChain) find() (*vendor.Credentials, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.chain == nil {
		d.chain = vendor.NewDefaultCredentialsProvider()
	}
	found, err := d.chain.GetCredentials()
	if err != nil || found == nil || found.AccessKeyId == "" || found.AccessKeySecret == "" {
		d.chain = nil // the SDK's chain would ask only its last link from now on
		return nil, &snapshot.Error{Code: snapshot.CodeNoCredentials, Kind: snapshot.KindConfig,
			Message: "no credentials were found: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run aliyun configure"}
	}
	return found, nil
}

// Refresh has no others: the chain renews by itself what can be renewed.
func (d *DefaultChain) Refresh(context.Context) (credentials.Credentials, bool, error) {
	return credentials.Credentials{}, false, nil
}
