package swas

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"unicode"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/responses"

	"swas-snapshot/shared/credentials"
	"swas-snapshot/shared/snapshot"
)

// errPanicked stands for a panic of the SDK, whose text may hold parts of the answer.
var errPanicked = errors.New("the SDK panicked")

// noAnswer returns the error of a call to which no whole answer came. Of err it shows the cause only: the text of a
// transport's error holds the signed URL.
func noAnswer(ctx context.Context, action, host string, err error) *snapshot.APIError {
	failure := &snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer}
	var redirect *redirectError
	switch {
	case errors.As(err, &redirect):
		failure.Code, failure.Status = snapshot.CodeUnknownAnswer, redirect.status
		failure.Message = fmt.Sprintf("%s redirects (HTTP %d), which the API never does: check SWAS_ENDPOINT",
			host, redirect.status)
	case errors.Is(err, errPanicked):
		failure.Code, failure.Message = snapshot.CodeInternal, "the SDK panicked before an answer came"
	default:
		failure.Message = "no answer from " + host + ": " + cause(ctx, err)
	}
	return failure
}

// cause returns why no answer came, in words that hold nothing of the request.
func cause(ctx context.Context, err error) string {
	var (
		dns     *net.DNSError
		timeout net.Error
		trust   *tls.CertificateVerificationError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "the call was cancelled"
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errTooLarge):
		return errTooLarge.Error()
	case errors.As(err, &dns):
		return "host not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "host unreachable"
	case errors.As(err, &trust):
		return "the certificate of the host is not trusted"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the host does not speak TLS"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection cut"
	}
	return "the connection failed"
}

// refusal returns the error that an answer stands for: by its code, or without one by its HTTP status.
func refusal(action string, status int, body []byte) *snapshot.APIError {
	var answer struct{ Code, Message, RequestID json.RawMessage }
	failure := &snapshot.APIError{Action: action, Status: status}
	if json.Unmarshal(body, &answer) == nil {
		failure.Code, failure.Message = text(answer.Code), text(answer.Message)
		failure.RequestID = requestID(text(answer.RequestID))
	}
	if wellFormed(failure.Code) {
		return failure
	}
	failure.Message = fmt.Sprintf("HTTP %d without an error code", status)
	switch {
	case status == http.StatusTooManyRequests:
		failure.Code = snapshot.CodeThrottling
	case status == http.StatusInternalServerError:
		failure.Code = snapshot.CodeInternalError
	case status > http.StatusInternalServerError:
		failure.Code = snapshot.CodeUnavailable
	default:
		failure.Code = snapshot.CodeUnknownAnswer
	}
	return failure
}

// hasCode reports whether a body of success has the code of an error all the same.
func hasCode(body []byte) bool {
	if !bytes.Contains(body, []byte(`"Code"`)) {
		return false
	}
	code := elements(body)["Code"]
	return !isNull(code) && string(code) != `""`
}

// emptyAnswer returns the error of a success that lacks its proof.
func emptyAnswer(action string, answer responses.AcsResponse, defect string) *snapshot.APIError {
	return &snapshot.APIError{
		Action:    action,
		Code:      snapshot.CodeEmptyAnswer,
		Message:   fmt.Sprintf("the answer of success (HTTP %d) %s", answer.GetHttpStatus(), defect),
		RequestID: requestID(text(elements(answer.GetHttpContentBytes())["RequestId"])),
		Status:    answer.GetHttpStatus(),
	}
}

// noCredentials returns the error of a provider, or of the time that it took.
func noCredentials(ctx context.Context, action string, err error) *snapshot.APIError {
	if ctx.Err() != nil {
		return &snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer,
			Message: "no credentials: " + cause(ctx, err)}
	}
	message := err.Error()
	var known *snapshot.Error
	if errors.As(err, &known) {
		message = known.Message // without its code, which stands before the message already
	}
	return &snapshot.APIError{Action: action, Code: snapshot.CodeNoCredentials, Message: oneLine(message)}
}

// elements returns the members of a JSON object by their exact names, or nil.
func elements(body []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	return members
}

// text returns a JSON string, or nothing where the API sends another type.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// codeCharacters may stand in a code or a request ID.
const codeCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:"

// wellFormed reports whether text can be a code or a request ID, so that no other text of a server becomes one.
func wellFormed(text string) bool {
	return text != "" && len(text) <= 128 && strings.Trim(text, codeCharacters) == ""
}

// requestID returns a request ID without blanks: that of the API's own sample ends in a tab. What is not an ID is
// left out.
func requestID(id string) string {
	if id = strings.TrimSpace(id); !wellFormed(id) {
		return ""
	}
	return id
}

// mask removes from a server's message what the server may have read in the request: it repeats the string to sign
// when a signature does not match, and a gateway may repeat the URL.
func mask(message string, signer credentials.Credentials, signature string) string {
	if at := strings.Index(message, "string to sign"); at >= 0 {
		message = message[:at] + "string to sign left out"
	}
	for _, secret := range []string{signer.AccessKeySecret, signer.SecurityToken, signature, signer.AccessKeyID} {
		if secret == "" {
			continue
		}
		once := url.QueryEscape(secret)
		for _, form := range []string{url.QueryEscape(once), once, secret} {
			message = strings.ReplaceAll(message, form, "***")
		}
	}
	return message
}

// oneLine makes a message one line of at most 300 characters, none of them a control character.
func oneLine(message string) string {
	const limit = 300
	blank := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	message = strings.Join(strings.FieldsFunc(message, blank), " ")
	if runes := []rune(message); len(runes) > limit {
		message = string(runes[:limit]) + "..."
	}
	return message
}
