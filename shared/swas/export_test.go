package swas

import (
	"net/http"
	"time"
)

// SetTransport replaces the network of a client.
func (c *Client) SetTransport(transport http.RoundTripper) { c.transport = transport }

// SetTimeout replaces the limit of a call.
func (c *Client) SetTimeout(timeout time.Duration) { c.timeout = timeout }
