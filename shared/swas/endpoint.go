package swas

import (
	"net/url"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// endpoint is where the API is: one host for all regions, or the public host of each region.
type endpoint struct {
	scheme string // http or https
	host   string // host[:port]; empty for https://swas.<region>.aliyuncs.com
	local  bool   // the host is this machine
}

// parseEndpoint reads the value of SWAS_ENDPOINT. Plain HTTP is taken for this machine only: signature and security
// token would travel in clear text. The value itself stays out of the error, as it may hold a password.
func parseEndpoint(text string) (endpoint, error) {
	if text == "" {
		return endpoint{scheme: "https"}, nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return endpoint{}, badEndpoint("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return endpoint{}, badEndpoint("has no scheme http or https")
	case u.User != nil:
		return endpoint{}, badEndpoint("has a user name: credentials come from ALIBABA_CLOUD_ACCESS_KEY_ID")
	case u.Hostname() == "":
		return endpoint{}, badEndpoint("has no host")
	case strings.HasSuffix(u.Host, ":"):
		return endpoint{}, badEndpoint("has an empty port")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return endpoint{}, badEndpoint("has a path, query or fragment: leave only scheme, host and port")
	case u.Scheme == "http" && !snapshot.IsLoopback(u.Hostname()):
		return endpoint{}, badEndpoint("is plain http to another machine, which would show the signature")
	}
	// In lower case, by which net/http knows localhost and keeps it from proxies.
	return endpoint{scheme: u.Scheme, host: strings.ToLower(u.Host), local: snapshot.IsLoopback(u.Hostname())}, nil
}

func badEndpoint(defect string) error {
	return badConfig("SWAS_ENDPOINT " + defect + ": unset it for the public API, or write a URL such as " +
		"https://swas-vpc.cn-hangzhou.aliyuncs.com or http://127.0.0.1:9001")
}

// hostOf returns the host of a region's API. The SDK knows no endpoint of this API, so every request names it.
func (e endpoint) hostOf(region string) string {
	if e.host != "" {
		return e.host
	}
	return "swas." + region + ".aliyuncs.com"
}
