package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// lateTimeout is how long a post to a sender's URL may take, and lateMax how much of its answer is read.
const (
	lateTimeout = 2 * time.Second
	lateMax     = 64 << 10
)

// lateURLs is where each sender's URLs for later answers may point. A signed request from an untrue client, or an
// unsigned body, must not make us call anybody else.
var lateURLs = map[string]struct {
	host  string
	paths []string // each ends with a slash: below it; else: exactly it
}{
	"slack":    {"hooks.slack.com", []string{"/commands/", "/actions/"}},
	"dingtalk": {"oapi.dingtalk.com", []string{"/robot/sendBySession"}},
}

var errLateURL = errors.New("URL for the late answer is not one of this sender's")

// checkLateURL tells whether a URL is one to which an answer for the sender may go. The error does not show it: whoever
// has the URL can write in the chat.
func checkLateURL(sender, text string) error {
	allowed, known := lateURLs[sender]
	u, err := url.Parse(text)
	if err != nil || !known {
		return errLateURL
	}
	plain := u.Scheme == "https" && u.Host == allowed.host && u.User == nil && u.Opaque == "" && u.Fragment == ""
	if !plain || u.EscapedPath() != u.Path || path.Clean(u.Path) != u.Path {
		return errLateURL
	}
	for _, prefix := range allowed.paths {
		if u.Path == prefix || strings.HasSuffix(prefix, "/") && strings.HasPrefix(u.Path, prefix) {
			return nil
		}
	}
	return errLateURL
}

// lateClient returns a client for posts to a sender's URL: no proxy, no redirect, 2 s.
func lateClient(base *http.Client) *http.Client {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if base != nil {
		client = *base
	}
	client.Timeout = lateTimeout
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// postLate posts an answer to a sender's URL. Its error holds nothing of the URL.
func postLate(ctx context.Context, client *http.Client, sender, target string, body answer) error {
	if err := checkLateURL(sender, target); err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body.body))
	if err != nil {
		return errLateURL
	}
	request.Header.Set("Content-Type", body.media)
	response, err := client.Do(request)
	if err != nil {
		var where *url.Error // its text begins with the URL
		if errors.As(err, &where) {
			err = where.Err
		}
		return fmt.Errorf("failed to post late answer: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, lateMax))
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("failed to post late answer: status %d", response.StatusCode)
	}
	return nil
}
