package platform

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/credentials"
)

const (
	envSessionToken  = "AWS_SESSION_TOKEN"
	envExtensionPort = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"

	extensionPort    = "2773"
	extensionTimeout = 3 * time.Second
	secretLimit      = 256 << 10 // bytes of an answer; a secret has at most 64 KiB before its escapes
)

// secretForm is the form of a secret.
const secretForm = `{"accessKeyId":"...","accessKeySecret":"..."}`

// readSecret returns the credentials in a secret. It asks the AWS Parameters and Secrets Lambda Extension, an HTTP
// server beside the function that reads secrets with the function's own role, and only while an invocation runs. The
// extension keeps secrets, too, for SECRETS_MANAGER_TTL seconds (300 by default), which bounds how soon a rotated key
// is seen. No error shows any of the secret, nor what came in its place.
// Source: docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
func (s *Source) readSecret(ctx context.Context, id string) (credentials.Credentials, error) {
	port := cmp.Or(strings.TrimSpace(s.getenv(envExtensionPort)), extensionPort)
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return credentials.Credentials{}, errors.New(envExtensionPort +
			" is not a port: set it to a number from 1 to 65535, or unset it for " + extensionPort)
	}
	token := s.getenv(envSessionToken)
	if token == "" {
		return credentials.Credentials{}, secretError(envSessionToken +
			" is not set: a secret can be read on AWS Lambda only; elsewhere set " + envKeyID + " and " + envSecret)
	}
	body, err := s.askExtension(ctx, port, id, token)
	if err != nil {
		return credentials.Credentials{}, err
	}
	var envelope struct{ SecretString *string }
	if json.Unmarshal(body, &envelope) != nil {
		return credentials.Credentials{}, secretError("the extension's answer is not JSON: is another server on port " +
			port + "?")
	}
	if envelope.SecretString == nil {
		return credentials.Credentials{}, secretError("the secret has no text: store " + secretForm +
			" as its SecretString")
	}
	return parseSecret(*envelope.SecretString)
}

// askExtension returns the body of the extension's answer.
func (s *Source) askExtension(ctx context.Context, port, id, token string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, extensionTimeout)
	defer cancel()
	address := "http://localhost:" + port + "/secretsmanager/get?secretId=" + url.QueryEscape(id)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, secretError("no address can be made of it: set it to the name or ARN of a secret")
	}
	request.Header.Set("X-Aws-Parameters-Secrets-Token", token)
	transport := s.Transport
	if transport == nil {
		transport = direct
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, noAnswer(ctx, port)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, secretError(fmt.Sprintf("the extension answers HTTP %d: check that the secret exists and that "+
			"the function's role may call secretsmanager:GetSecretValue on it", response.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, secretLimit+1))
	switch {
	case err != nil:
		return nil, noAnswer(ctx, port)
	case len(body) > secretLimit:
		return nil, secretError("the extension's answer is larger than any secret")
	}
	return body, nil
}

// direct reaches this machine without regard to proxies.
var direct http.RoundTripper = &http.Transport{DisableKeepAlives: true}

// noAnswer returns the error of an extension that does not answer.
func noAnswer(ctx context.Context, port string) error {
	if ctx.Err() != nil {
		return secretError("the extension on localhost:" + port + " did not answer in time")
	}
	return secretError("nothing answers on localhost:" + port +
		": add the layer AWS-Parameters-and-Secrets-Lambda-Extension to the function")
}

// parseSecret reads the text of a secret. Names are taken in any case and others may stand beside them.
func parseSecret(text string) (credentials.Credentials, error) {
	var secret struct {
		AccessKeyID     string `json:"accessKeyId"`
		AccessKeySecret string `json:"accessKeySecret"`
		SecurityToken   string `json:"securityToken"`
	}
	defect := ""
	switch {
	case json.Unmarshal([]byte(text), &secret) != nil:
		defect = "the secret is not JSON"
	case secret.AccessKeyID == "":
		defect = "the secret has no accessKeyId"
	case secret.AccessKeySecret == "":
		defect = "the secret has no accessKeySecret"
	default:
		return credentials.Credentials(secret), nil
	}
	return credentials.Credentials{}, secretError(defect + ": store " + secretForm)
}

func secretError(defect string) error { return errors.New(envSecretID + ": " + defect) }
