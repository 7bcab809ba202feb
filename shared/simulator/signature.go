package simulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

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
// Source: "Request syntax and signature method V3", help.aliyun.com/en/sdk/product-overview/v3-request-structure-and-signature.
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
	sum := sha256.Sum256([]byte(canonical.String()))
	return acs3Algorithm + "\n" + hex.EncodeToString(sum[:])
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
