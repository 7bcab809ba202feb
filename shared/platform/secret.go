package platform

import (
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

	extensionPort    = 2773
	extensionTimeout = 3 * time.Second
	secretLimit      = 256 << 10 // bytes of an answer; a secret has at most 64 KiB before its escapes
)

// secretForm is what a secret has to be.
const secretForm = `{"accessKeyId":"...","accessKeySecret":"..."}`

// extension is the AWS Parameters and Secrets Lambda Extension: an HTTP server beside the function that reads secrets
// with the function's own role, and only while an invocation runs. It keeps secrets too, for SECRETS_MANAGER_TTL
// seconds (300 by default), which bounds how soon a rotated key is seen.
// Source: docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
type extension struct {
	getenv    func(string) string
	transport http.RoundTripper
}

// read returns the credentials in a secret. No error shows any of the secret, nor what came in its place.
func (e extension) read(ctx context.Context, id string) (credentials.Credentials, error) {
	port, err := e.port()
	if err != nil {
		return credentials.Credentials{}, err
	}
	token := e.getenv(envSessionToken)
	if token == "" {
		return credentials.Credentials{}, secretError(envSessionToken + " is not set: a secret can be read on AWS Lambda only; elsewhere set " + envKeyID + " and " + envSecret)
	}
	body, err := e.get(ctx, port, id, token)
	if err != nil {
		return credentials.Credentials{}, err
	}
	var envelope struct{ SecretString *string }
	if json.Unmarshal(body, &envelope) != nil {
		return credentials.Credentials{}, secretError("the extension's answer is not JSON: is another server on port " + strconv.Itoa(port) + "?")
	}
	if envelope.SecretString == nil {
		return credentials.Credentials{}, secretError("the secret has no text: store " + secretForm + " as its SecretString")
	}
	return parseSecret(*envelope.SecretString)
}

// get asks the extension and returns the body of a 200.
func (e extension) get(ctx context.Context, port int, id, token string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, extensionTimeout)
	defer cancel()
	address := fmt.Sprintf("http://localhost:%d/secretsmanager/get?secretId=%s", port, url.QueryEscape(id))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, secretError("the extension's address cannot be made of it")
	}
	request.Header.Set("X-Aws-Parameters-Secrets-Token", token)
	response, err := e.transport.RoundTrip(request)
	if err != nil {
		return nil, e.silent(ctx, port)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, secretError(fmt.Sprintf("the extension answers HTTP %d: check that the secret exists and that the function's role may call secretsmanager:GetSecretValue on it", response.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, secretLimit+1))
	switch {
	case err != nil:
		return nil, e.silent(ctx, port)
	case len(body) > secretLimit:
		return nil, secretError("the extension's answer is larger than any secret")
	}
	return body, nil
}

// silent is the error of an extension from which no answer came.
func (e extension) silent(ctx context.Context, port int) error {
	if ctx.Err() != nil {
		return secretError(fmt.Sprintf("the extension on localhost:%d did not answer in time", port))
	}
	return secretError(fmt.Sprintf("nothing answers on localhost:%d: add the layer AWS-Parameters-and-Secrets-Lambda-Extension to the function", port))
}

// port returns the extension's port.
func (e extension) port() (int, error) {
	text := strings.TrimSpace(e.getenv(envExtensionPort))
	if text == "" {
		return extensionPort, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return 0, errors.New(envExtensionPort + " is not a port: write a number from 1 to 65535, or unset it for 2773")
	}
	return port, nil
}

// parseSecret reads the text of a secret. Names are taken in any case and others may stand beside them.
func parseSecret(text string) (credentials.Credentials, error) {
	var secret struct {
		AccessKeyID     string `json:"accessKeyId"`
		AccessKeySecret string `json:"accessKeySecret"`
		SecurityToken   string `json:"securityToken"`
	}
	if json.Unmarshal([]byte(text), &secret) != nil {
		return credentials.Credentials{}, secretError("the secret is not JSON: store " + secretForm)
	}
	switch {
	case secret.AccessKeyID == "":
		return credentials.Credentials{}, secretError("the secret has no accessKeyId: store " + secretForm)
	case secret.AccessKeySecret == "":
		return credentials.Credentials{}, secretError("the secret has no accessKeySecret: store " + secretForm)
	}
	return credentials.Credentials(secret), nil
}

func secretError(defect string) error { return errors.New(envSecretID + ": " + defect) }
