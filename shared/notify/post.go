package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"swas-snapshot/shared/snapshot"
)

// post sends a fact to one robot, with a second try if the first fails. Its error carries nothing of the URL but what
// the resolver and the dialler say of the host, and nothing of the reply but a number.
func (n *Notifier) post(ctx context.Context, rule Rule, fact snapshot.Notification) error {
	form, known := forms[rule.Form]
	if !known {
		return errors.New("the rule has no known form")
	}
	var err error
	for range Tries {
		if err = n.try(ctx, form, rule, fact); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

// try sends a fact once. The signature has the time of the try.
func (n *Notifier) try(ctx context.Context, form form, rule Rule, fact snapshot.Notification) error {
	ctx, cancel := context.WithTimeout(ctx, TryTimeout)
	defer cancel()
	now := n.now()
	body, err := json.Marshal(form.body(rule, fact, now))
	if err != nil {
		return fmt.Errorf("failed to encode message: %w", err)
	}
	address := rule.URL
	if form.address != nil {
		address = form.address(rule, now)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL of the rule cannot be read") // the error quotes it
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := n.client.Do(request)
	if err != nil {
		return fmt.Errorf("failed to reach robot: %w", withoutURL(err))
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, replyMax))
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		return fmt.Errorf("the robot answered HTTP %d: check the URL of the rule", response.StatusCode)
	case form.check == nil:
		return nil // the status is all that this form promises
	case err != nil:
		return fmt.Errorf("failed to read reply: %w", withoutURL(err))
	}
	return form.check(reply)
}

// withoutURL takes the URL off an error of net/http.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
