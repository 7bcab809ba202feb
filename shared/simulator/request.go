package simulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxBody is the size of a request body, in bytes, beyond which it is refused.
const maxBody = 1 << 20

// Common parameters of an RPC request; everything else belongs to the action.
var commonParams = []string{
	"Action", "Version", "Format", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureType",
	"SignatureNonce", "Timestamp", "SecurityToken",
}

// request is a decoded call, in whichever of the five wire shapes it came, or one without HTTP.
type request struct {
	action, version, format string

	host          string // that it was sent to
	unsigned      bool   // made by [Simulator.Do], without what belongs to a signature
	accessKeyID   string
	securityToken string
	timestamp     string
	nonce         string
	signature     string // as sent
	toSign        string // what the signature must cover
	sign          func(secret, toSign string) string

	params map[string]string // of the action
}

// decode reads a call. The five shapes of real clients: POST with everything in the query; GET with everything in
// the query; POST with the common parameters in the query and the rest in a form; POST with everything in the form;
// and ACS3, with the common parameters in headers. Spellings differ (+ or %20, * or %2A), so the parameters are
// decoded before the string to sign is made of them.
//
// It refuses a method other than GET and POST, a path other than /, a body beyond 1 MiB or that is no form, and a
// parameter that stands twice with different values.
func decode(r *http.Request) (*request, *apiError) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return nil, refuse("UnsupportedHTTPMethod")
	}
	if r.URL.Path != "/" && r.URL.Path != "" {
		return nil, refuse("InvalidAction.NotFound")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, refuse("InvalidParameter")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("InvalidParameter")
	}
	form, err := parseForm(r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, refuse("InvalidParameter")
	}
	params, refusal := merge(query, form)
	if refusal != nil {
		return nil, refusal
	}
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		return decodeACS3(r, authorization, query, params, body)
	}
	return decodeV1(r, params)
}

// parseForm reads a form body; no body is an empty form.
func parseForm(contentType string, body []byte) (url.Values, error) {
	if len(body) == 0 {
		return nil, nil
	}
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/x-www-form-urlencoded" {
		return nil, errors.New("the body is no form")
	}
	return url.ParseQuery(string(body))
}

// merge joins the parameters of query and form into one set. Which of two different values would count is not
// documented, so two are refused.
func merge(sources ...url.Values) (map[string]string, *apiError) {
	merged := make(map[string]string)
	for _, source := range sources {
		for name, values := range source {
			for _, value := range values {
				if first, twice := merged[name]; twice && first != value {
					return nil, invalid(name)
				}
				merged[name] = value
			}
		}
	}
	return merged, nil
}

// decodeV1 reads the common parameters of signature version 1.0 and leaves those of the action.
func decodeV1(r *http.Request, params map[string]string) (*request, *apiError) {
	q := &request{
		action:        params["Action"],
		version:       params["Version"],
		format:        params["Format"],
		host:          r.Host,
		accessKeyID:   params["AccessKeyId"],
		securityToken: params["SecurityToken"],
		timestamp:     params["Timestamp"],
		nonce:         params["SignatureNonce"],
		signature:     params["Signature"],
		toSign:        v1StringToSign(r.Method, params),
		sign:          signV1,
	}
	for _, one := range []struct{ name, only string }{{"SignatureMethod", "HMAC-SHA1"}, {"SignatureVersion", "1.0"}} {
		switch params[one.name] {
		case one.only:
		case "":
			return nil, missing(one.name)
		default:
			return nil, invalid(one.name)
		}
	}
	for _, name := range commonParams {
		delete(params, name)
	}
	q.params = params
	return q, nil
}

// decodeACS3 reads the common parameters of an ACS3 request from its headers. All headers that carry them, and the
// host, must be signed, and the hash must be that of the body.
func decodeACS3(
	r *http.Request, authorization string, query url.Values, params map[string]string, body []byte,
) (*request, *apiError) {
	credential, signed, signature, ok := parseAuthorization(authorization)
	if !ok {
		return nil, refuse("IncompleteSignature")
	}
	if r.Header.Get("x-acs-content-sha256") != hexSHA256(body) || !signsAll(r.Header, signed) {
		return nil, refuse("IncompleteSignature")
	}
	return &request{
		action:        r.Header.Get("x-acs-action"),
		version:       r.Header.Get("x-acs-version"),
		format:        "JSON",
		host:          r.Host,
		accessKeyID:   credential,
		securityToken: r.Header.Get("x-acs-security-token"),
		timestamp:     r.Header.Get("x-acs-date"),
		nonce:         r.Header.Get("x-acs-signature-nonce"),
		signature:     signature,
		toSign:        acs3StringToSign(r, query, signed),
		sign:          signACS3,
		params:        params,
	}, nil
}

// parseAuthorization splits "ACS3-HMAC-SHA256 Credential=...,SignedHeaders=a;b,Signature=...".
func parseAuthorization(text string) (credential string, signed []string, signature string, ok bool) {
	rest, ok := strings.CutPrefix(text, acs3Algorithm+" ")
	if !ok {
		return "", nil, "", false
	}
	parts := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parts[name]; twice {
			return "", nil, "", false
		}
		parts[name] = value
	}
	credential, signed, signature = parts["Credential"], strings.Split(parts["SignedHeaders"], ";"), parts["Signature"]
	return credential, signed, signature, len(parts) == 3 && credential != "" && signature != ""
}

// signsAll reports whether the signature covers the host and every x-acs-* header.
func signsAll(header http.Header, signed []string) bool {
	for name := range header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-acs-") && !slices.Contains(signed, name) {
			return false
		}
	}
	return slices.Contains(signed, "host")
}

// acs3Algorithm names the ACS3 signature in the Authorization header and in its string to sign.
const acs3Algorithm = "ACS3-HMAC-SHA256"

// v1StringToSign is METHOD&%2F& and the encoded canonical query over every parameter but the signature itself.
// Source: "Request syntax and signature method V2 for RPC APIs", help.aliyun.com/en/sdk/product-overview/rpc-mechanism.
func v1StringToSign(method string, params map[string]string) string {
	signed := maps.Clone(params)
	delete(signed, "Signature")
	return method + "&%2F&" + percentEncode(canonicalQuery(signed))
}

// signV1 is base64(HMAC-SHA1(secret + "&", toSign)).
func signV1(secret, toSign string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(toSign))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// acs3StringToSign is the algorithm and the hash of the canonical request: method, path, query, signed headers and
// the hash of the body, which the caller has compared with the body itself.
// Source: "Request syntax and signature method V3",
// help.aliyun.com/en/sdk/product-overview/v3-request-structure-and-signature.
func acs3StringToSign(r *http.Request, query url.Values, signed []string) string {
	params := make(map[string]string, len(query))
	for name := range query {
		params[name] = query.Get(name)
	}
	var canonical strings.Builder
	canonical.WriteString(r.Method + "\n/\n" + canonicalQuery(params) + "\n")
	for _, name := range signed {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host // net/http keeps it out of the header
		}
		canonical.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	canonical.WriteString("\n" + strings.Join(signed, ";") + "\n" + r.Header.Get("x-acs-content-sha256"))
	return acs3Algorithm + "\n" + hexSHA256([]byte(canonical.String()))
}

func hexSHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// signACS3 is hex(HMAC-SHA256(secret, toSign)).
func signACS3(secret, toSign string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(toSign))
	return hex.EncodeToString(mac.Sum(nil))
}

// canonicalQuery joins the encoded parameters in the order of their names.
func canonicalQuery(params map[string]string) string {
	pairs := make([]string, 0, len(params))
	for _, name := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, percentEncode(name)+"="+percentEncode(params[name]))
	}
	return strings.Join(pairs, "&")
}

// percentEncode encodes every byte but the unreserved ones of RFC 3986: letters, digits and - _ . ~
func percentEncode(text string) string {
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}
