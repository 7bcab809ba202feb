package platform

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// registerTimeout bounds the registration, which the runtime API answers within a millisecond.
const registerTimeout = time.Second

// The extension of this process: for no events at all, under the name that the log of Lambda shows.
const (
	extensionName = "swas-snapshot"
	extensionBody = `{"events":[]}`
	extensionPath = "/2020-01-01/extension/"
)

// register asks Lambda for SIGTERM, which it sends only where an extension is registered: so one is, for no events at
// all. The SDK has an option for it, which brings two HTTP clients of its own and makes a cold start half as long again; one
// connection does the same. The registration is sent before the SDK can ask for its first invocation, as Lambda demands,
// but nothing waits for the answer: finish reads it, in the background. The connection stays open for the life of the
// process.
// Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func register(api string) (finish func()) {
	conn, err := sendRegistration(api)
	return func() {
		if err == nil {
			err = finishRegistration(conn, api)
		}
		if err != nil {
			slog.Warn("Lambda will not announce the end of this instance", "error", err)
		}
	}
}

// sendRegistration connects to the extensions API and asks to register. The connection has to stay open.
func sendRegistration(api string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", api, registerTimeout)
	if err != nil {
		return nil, fmt.Errorf("failed to reach extensions API: %w", err)
	}
	_, err = fmt.Fprintf(conn, "POST %sregister HTTP/1.1\r\nHost: %s\r\nLambda-Extension-Name: %s\r\nContent-Length: %d\r\n\r\n%s",
		extensionPath, api, extensionName, len(extensionBody), extensionBody)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("failed to send registration of extension: %w", err)
	}
	return conn, nil
}

// finishRegistration reads the answer and asks for the extension's next event, which says that it is ready and is never
// answered.
func finishRegistration(conn net.Conn, api string) error {
	if err := conn.SetDeadline(time.Now().Add(registerTimeout)); err != nil {
		return fmt.Errorf("failed to register extension: %w", err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return fmt.Errorf("failed to register extension: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("failed to register extension: HTTP %d", response.StatusCode)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("failed to register extension: %w", err)
	}
	request := fmt.Sprintf("GET %sevent/next HTTP/1.1\r\nHost: %s\r\nLambda-Extension-Identifier: %s\r\n\r\n",
		extensionPath, api, response.Header.Get("Lambda-Extension-Identifier"))
	if _, err := io.WriteString(conn, request); err != nil {
		return fmt.Errorf("failed to say that extension is ready: %w", err)
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("failed to register extension: %w", err)
	}
	return nil
}
