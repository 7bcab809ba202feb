package swas

import (
	"context"
	"strings"
	"sync"

	vendor "github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
)

// Provider returns the credentials of a call. Its errors are shown to users, so they carry no secret.
type Provider interface {
	// Credentials returns the credentials to use now.
	Credentials(ctx context.Context) (credentials.Credentials, error)
	// Refresh returns other credentials after the API said that the last ones are invalid or expired, or false if
	// the platform has no others.
	Refresh(ctx context.Context) (credentials.Credentials, bool, error)
}

// Static returns a [Provider] of credentials that never change.
func Static(key credentials.Credentials) Provider {
	return static(func() credentials.Credentials { return key })
}

// static is a function, so that nothing prints what it returns.
type static func() credentials.Credentials

func (s static) Credentials(context.Context) (credentials.Credentials, error) { return s(), nil }

func (static) Refresh(context.Context) (credentials.Credentials, bool, error) {
	return credentials.Credentials{}, false, nil
}

// DefaultChain is a [Provider] that looks where Alibaba Cloud's tools look: the environment, OIDC, the profile of the
// command line, the credentials file, the role of an ECS server. It is for users at their own machine; a function has
// credentials of its own. The zero value is ready to use, also concurrently.
type DefaultChain struct {
	mu    sync.Mutex // the SDK's chain is not safe for concurrent use
	chain vendor.CredentialsProvider
}

// Credentials returns the first credentials that the chain finds. The error is a [*snapshot.Error] with Code
// [snapshot.CodeNoCredentials]; it does not repeat what the SDK says, which may quote a file.
func (d *DefaultChain) Credentials(context.Context) (credentials.Credentials, error) {
	found, err := d.find()
	if err != nil {
		return credentials.Credentials{}, err
	}
	return credentials.Credentials{
		AccessKeyID: found.AccessKeyId, AccessKeySecret: found.AccessKeySecret, SecurityToken: found.SecurityToken,
	}, nil
}

// Refresh has no others: the chain renews by itself what can be renewed.
func (d *DefaultChain) Refresh(context.Context) (credentials.Credentials, bool, error) {
	return credentials.Credentials{}, false, nil
}

// Origin is where credentials come from and how long they last.
type Origin struct {
	AccessKeyID string
	Link        string // of the chain, in the SDK's words: env, cli_profile/ram_role_arn, ecs_ram_role, ...
	Temporary   bool   // they have a security token, and expire; when, only its issuer knows
	Renewed     bool   // the chain gets others before they expire
}

// Origin describes the credentials that [DefaultChain.Credentials] returns; its errors are the same.
func (d *DefaultChain) Origin() (Origin, error) {
	found, err := d.find()
	if err != nil {
		return Origin{}, err
	}
	link := strings.TrimPrefix(found.ProviderName, "default/")
	given := strings.HasSuffix(link, "env") || strings.HasSuffix(link, "static_sts") // the user has set the token
	temporary := found.SecurityToken != ""
	return Origin{found.AccessKeyId, link, temporary, temporary && !given}, nil
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
			Message: "no credentials were found: set ALIBABA_CLOUD_ACCESS_KEY_ID and " +
				"ALIBABA_CLOUD_ACCESS_KEY_SECRET, or run aliyun configure"}
	}
	return found, nil
}

// missing returns the name of the part without which nothing can be signed, or "".
func missing(c credentials.Credentials) string {
	switch {
	case c.AccessKeyID == "" && c.AccessKeySecret == "":
		return "access key"
	case c.AccessKeyID == "":
		return "access key ID"
	case c.AccessKeySecret == "":
		return "access key secret"
	}
	return ""
}

// signerOf returns the SDK's form of credentials.
func signerOf(c credentials.Credentials) vendor.CredentialsProvider {
	if c.SecurityToken == "" {
		return vendor.NewStaticAKCredentialsProvider(c.AccessKeyID, c.AccessKeySecret)
	}
	return vendor.NewStaticSTSCredentialsProvider(c.AccessKeyID, c.AccessKeySecret, c.SecurityToken)
}
