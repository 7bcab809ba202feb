package trigger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// request returns the request that a server of net/http would have made of the same bytes, or why there is none.
func (e httpEvent) request(ctx context.Context) (*http.Request, *refusal) {
	uri := e.uri()
	target, err := url.ParseRequestURI(uri)
	if err != nil || !strings.HasPrefix(e.RawPath, "/") || strings.ContainsAny(e.RawPath, "?# ") {
		return nil, badRequest("the path or the query is not well-formed: " +
			"begin with / and encode other characters as %XX")
	}
	header, refused := e.header()
	if refused != nil {
		return nil, refused
	}
	host := cmp.Or(header.Get("Host"), e.RequestContext.DomainName)
	header.Del("Host")              // net/http keeps it in Host alone
	header.Del("Transfer-Encoding") // the platform has put the body together
	body, refused := e.body(header)
	if refused != nil {
		return nil, refused
	}
	request, err := http.NewRequestWithContext(ctx, e.RequestContext.HTTP.Method, "/", bytes.NewReader(body))
	if err != nil {
		return nil, badRequest("the method is not a token of letters")
	}
	request.URL, request.RequestURI, request.Host, request.Header = target, uri, host, header
	if major, minor, ok := http.ParseHTTPVersion(e.RequestContext.HTTP.Protocol); ok {
		request.Proto, request.ProtoMajor, request.ProtoMinor = e.RequestContext.HTTP.Protocol, major, minor
	}
	if source, err := netip.ParseAddr(e.RequestContext.HTTP.SourceIP); err == nil {
		request.RemoteAddr = net.JoinHostPort(source.String(), "0") // neither platform sends the port
	}
	return request, nil
}

// uri returns the path and the query as they stand in a request line.
func (e httpEvent) uri() string {
	query := e.RawQueryString
	if e.onFC() {
		values := make(url.Values, len(e.QueryParameters))
		for name, value := range e.QueryParameters {
			values.Set(name, value)
		}
		query = values.Encode()
	}
	if query == "" {
		return e.RawPath
	}
	return e.RawPath + "?" + query
}

// header returns the headers under their canonical names, the cookies among them.
func (e httpEvent) header() (http.Header, *refusal) {
	header := make(http.Header, len(e.Headers)+1)
	for name, value := range e.Headers {
		canonical := http.CanonicalHeaderKey(name)
		switch _, twice := header[canonical]; {
		case !isToken(name):
			return nil, badRequest("the name of a header is not a token")
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, badRequest("header " + snapshot.Quote(canonical) + " has a control character")
		case twice: // a check may read one of the two, and its user the other
			return nil, badRequest("header " + snapshot.Quote(canonical) + " is there twice, in different cases")
		}
		header[canonical] = []string{strings.Trim(value, " \t")}
	}
	if cookies := strings.Join(e.Cookies, "; "); cookies != "" {
		if before := header.Get("Cookie"); before != "" {
			cookies = before + "; " + cookies
		}
		header.Set("Cookie", cookies)
	}
	return header, nil
}

// body returns the body, decoded, and corrects Content-Length.
func (e httpEvent) body(header http.Header) ([]byte, *refusal) {
	if encoding := header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, &refusal{http.StatusUnsupportedMediaType,
			"the body is compressed: send it without Content-Encoding"}
	}
	body := []byte(e.Body)
	if e.IsBase64Encoded {
		if base64.StdEncoding.DecodedLen(len(body)) > maxBody+2 { // two bytes of padding: do not decode what is refused
			return nil, tooLarge()
		}
		var err error
		body, err = base64.StdEncoding.Strict().DecodeString(e.Body)
		if err != nil || strings.ContainsAny(e.Body, "\r\n") { // the decoder passes line breaks over
			return nil, badRequest("the body is not base64, although the event says so")
		}
	}
	if len(body) > maxBody {
		return nil, tooLarge()
	}
	if header.Get("Content-Length") != "" {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	return body, nil
}

// isToken reports whether text is a token of RFC 9110, section 5.6.2, as header names are.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}

func badRequest(detail string) *refusal { return &refusal{http.StatusBadRequest, detail} }

func tooLarge() *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, "the body is larger than 1 MiB: send less"}
}
