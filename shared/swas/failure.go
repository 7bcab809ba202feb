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

// noAnswer is the failure of a call to which no whole answer came. Of err it tells the cause only: the text of a
// transport's error holds the signed URL.
func noAnswer(ctx context.Context, action, host string, err error) *snapshot.APIError {
	failure := &snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer}
	var elsewhere *redirected
	switch {
	case errors.As(err, &elsewhere):
		failure.Code, failure.Status = snapshot.CodeUnknownAnswer, elsewhere.status
		failure.Message = fmt.Sprintf("%s redirects (HTTP %d), which the API never does: check SWAS_ENDPOINT", host, elsewhere.status)
	case errors.Is(err, errPanicked):
		failure.Code, failure.Message = snapshot.CodeInternal, "the SDK panicked before an answer came"
	default:
		failure.Message = "no answer from " + host + ": " + cause(ctx, err)
	}
	return failure
}

// cause names what kept an answer away, in words of our own.
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
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection cut"
	}
	return "the connection failed"
}

// refusal is the failure that an answer tells of: by its code, or without one by its HTTP status.
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

// hasCode tells whether a body of success carries the code of an error after all.
func hasCode(body []byte) bool {
	if !bytes.Contains(body, []byte(`"Code"`)) {
		return false
	}
	code := elements(body)["Code"]
	return !isNull(code) && string(code) != `""`
}

// emptyAnswer is the failure of a success that lacks its proof.
func emptyAnswer(action string, answer responses.AcsResponse, defect string) *snapshot.APIError {
	return &snapshot.APIError{
		Action:    action,
		Code:      snapshot.CodeEmptyAnswer,
		Message:   fmt.Sprintf("the answer of success (HTTP %d) %s", answer.GetHttpStatus(), defect),
		RequestID: requestID(text(elements(answer.GetHttpContentBytes())["RequestId"])),
		Status:    answer.GetHttpStatus(),
	}
}

// noCredentials is the failure of a provider, or of the time that it took.
func noCredentials(ctx context.Context, action string, err error) *snapshot.APIError {
	if ctx.Err() != nil {
		return &snapshot.APIError{Action: action, Code: snapshot.CodeNoAnswer, Message: "no credentials: " + cause(ctx, err)}
	}
	message := err.Error()
	var told *snapshot.Error
	if errors.As(err, &told) {
		message = told.Message // without its code, which stands before the message already
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

// wellFormed tells whether a code looks like one, so that a stranger's text never becomes an error type.
func wellFormed(code string) bool {
	for _, r := range code {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:", r)) {
			return false
		}
	}
	return code != "" && len(code) <= 128
}

// requestID trims a request ID: the API's own sample ends in a tab. What is no ID is dropped.
func requestID(id string) string {
	if id = strings.TrimSpace(id); !wellFormed(id) {
		return ""
	}
	return id
}

// mask takes out of a server's message what the server may have read in the request: it echoes the string to sign
// when a signature does not match, and a gateway may echo the URL.
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
	message = strings.Join(strings.FieldsFunc(message, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(message); len(runes) > limit {
		message = string(runes[:limit]) + "..."
	}
	return message
}
