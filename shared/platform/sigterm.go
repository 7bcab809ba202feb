package platform

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// registerTimeout bounds the registration, which the runtime API answers within a millisecond.
const registerTimeout = time.Second

// onSIGTERM calls stop when Lambda asks this instance to end. Lambda sends SIGTERM only where an extension is
// registered, so one is, for no events at all. The SDK has an option for it, which brings two HTTP clients of its own
// and makes a cold start half as long again; one connection does the same.
// Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
func onSIGTERM(api string, stop func()) {
	signaled := make(chan os.Signal, 1)
	signal.Notify(signaled, syscall.SIGTERM)
	registered, err := register(api)
	if err != nil {
		slog.Warn("Lambda will not announce the end of this instance", "error", err)
	}
	go func() {
		<-signaled
		stop()
		if registered != nil {
			_ = registered.Close()
		}
	}()
}

// register registers the extension and asks for its next event, which says that it is ready and is never answered.
// The connection has to stay open.
func register(api string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", api, registerTimeout)
	if err != nil {
		return nil, fmt.Errorf("failed to reach extensions API: %w", err)
	}
	if err := greet(conn, "http://"+api+"/2020-01-01/extension/"); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("failed to register extension: %w", err)
	}
	return conn, nil
}

func greet(conn net.Conn, base string) error {
	if err := conn.SetDeadline(time.Now().Add(registerTimeout)); err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, base+"register", strings.NewReader(`{"events":[]}`))
	if err != nil {
		return err
	}
	request.Header.Set("Lambda-Extension-Name", "swas-snapshot")
	if err := request.Write(conn); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", response.StatusCode)
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}

	request, err = http.NewRequest(http.MethodGet, base+"event/next", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Lambda-Extension-Identifier", response.Header.Get("Lambda-Extension-Identifier"))
	if err := request.Write(conn); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}
