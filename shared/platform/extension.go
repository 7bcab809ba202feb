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

// register asks Lambda for SIGTERM, which it sends only where an extension is registered. The SDK has an option for it,
// which brings two HTTP clients of its own and makes a cold start half as long again; one connection does the same. The
// registration is sent before the SDK can ask for its first invocation, as Lambda demands, but nothing waits for the
// answer: finish reads it, in the background, and says that the extension is ready by asking for its next event, which
// is never answered. The connection stays open for the life of the process.
// Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func register(api string, log *slog.Logger) (finish func()) {
	conn, err := net.DialTimeout("tcp", api, registerTimeout)
	if err == nil {
		_, err = fmt.Fprintf(conn, "POST %sregister HTTP/1.1\r\nHost: %s\r\nLambda-Extension-Name: %s\r\n"+
			"Content-Length: %d\r\n\r\n%s", extensionPath, api, extensionName, len(extensionBody), extensionBody)
	}
	return func() {
		if err == nil {
			err = finishRegistration(conn, api)
		}
		if err != nil {
			log.Warn("Lambda will not announce the end of this instance", "error", err.Error())
		}
	}
}

// finishRegistration reads the answer and asks for the extension's next event.
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
	if _, err = io.Copy(io.Discard, response.Body); err == nil {
		_, err = fmt.Fprintf(conn, "GET %sevent/next HTTP/1.1\r\nHost: %s\r\nLambda-Extension-Identifier: %s\r\n\r\n",
			extensionPath, api, response.Header.Get("Lambda-Extension-Identifier"))
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		return fmt.Errorf("failed to say that extension is ready: %w", err)
	}
	return nil
}
