package webhook

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// mutationsMin is how many forgeries are tried, at least.
const mutationsMin = 150

// scheme is one way in which a sender authenticates, with a delivery that passes, and what of it counts.
type scheme struct {
	secrets  Secrets
	delivery delivery
	auth     []string      // headers that carry the signature or token
	stamp    string        // header or query parameter of the timestamp, if there is one
	unit     time.Duration // of the timestamp
	query    bool          // they stand in the query
	body     bool          // the body is covered
	extra    map[string]func(*delivery)
}

func schemes() map[string]scheme {
	only := func(names ...string) Secrets {
		all, some := allSecrets(), Secrets{envGitLabToken: {gitlabToken}}
		for _, name := range names {
			if name == envGitLabToken {
				return some
			}
		}
		some = Secrets{}
		for _, name := range names {
			some[name] = all[name]
		}
		return some
	}
	feishuHello := toJSON(map[string]string{"challenge": "ajls384kdjx98XX", "token": feishuToken,
		"type": "url_verification"})
	sealedHello := toJSON(map[string]string{"encrypt": feishuEncrypt(feishuKey, feishuHello)})
	return map[string]scheme{
		"slack": {
			secrets: only(envSlack), delivery: slackCommand("web-1", "t.1"), auth: []string{"X-Slack-Signature"},
			stamp: "X-Slack-Request-Timestamp", unit: time.Second, body: true,
			extra: map[string]func(*delivery){
				"the bare digest": func(d *delivery) { d.cut("X-Slack-Signature", "v0=") },
				"another version": func(d *delivery) { d.replace("X-Slack-Signature", "v0=", "v1=") },
				"capital hex": func(d *delivery) {
					d.header.Set("X-Slack-Signature", "v0="+strings.ToUpper(d.header.Get("X-Slack-Signature")[3:]))
				},
				"GitHub's scheme": func(d *delivery) { d.confuse(githubSigned("ping", d.body)) },
				"the deprecated token": func(d *delivery) {
					d.header.Del("X-Slack-Signature")
					d.body += "&token=" +
						slackSecret
				},
				"a signature over the body alone": func(d *delivery) {
					d.header.Set("X-Slack-Signature", "v0="+hexHMAC(slackSecret, d.body))
				},
			},
		},
		"dingtalk robot": {
			secrets: only(envDingTalk), delivery: dingMessage("web-1", "m1"), auth: []string{"Sign"},
			stamp: "Timestamp", unit: time.Millisecond,
			extra: map[string]func(*delivery){
				"URL encoding":      func(d *delivery) { d.header.Set("Sign", url.QueryEscape(d.header.Get("Sign"))) },
				"the secret itself": func(d *delivery) { d.header.Set("Sign", dingSecret) },
				"a signature in the query": func(d *delivery) {
					d.query = url.Values{"sign": {d.header.Get("Sign")}, "timestamp": {millis(now)}}
					d.header.Del("Sign")
				},
			},
		},
		"feishu signed": {
			secrets: only(envFeishuEncrypt,
				envFeishuToken), delivery: feishuSigned(feishuMessage("web-1",
				"1")), auth: []string{"X-Lark-Signature"},
			stamp: "X-Lark-Request-Timestamp", unit: time.Second, body: true,
			extra: map[string]func(*delivery){
				"another nonce": func(d *delivery) { d.header.Set("X-Lark-Request-Nonce", "other") },
				"no nonce":      func(d *delivery) { d.header.Del("X-Lark-Request-Nonce") },
				"another inner token": func(d *delivery) {
					*d = feishuSigned(strings.Replace(d.body, feishuToken, "feishu-token-9999999999", 1))
				},
				"no inner token": func(d *delivery) { *d = feishuSigned(strings.Replace(d.body, feishuToken, "", 1)) },
				"an HMAC":        func(d *delivery) { d.header.Set("X-Lark-Signature", hexHMAC(feishuKey, d.body)) },
				"the token of a legacy card": func(d *delivery) {
					d.header.Set("X-Lark-Signature", sha1Hex(seconds(now)+"n0nce"+feishuToken+d.body))
				},
				"the time in the body": func(d *delivery) { d.header.Del("X-Lark-Request-Timestamp") },
			},
		},
		"feishu encrypted": {
			secrets: only(envFeishuEncrypt,
				envFeishuToken), delivery: feishuSigned(toJSON(map[string]string{"encrypt": feishuEncrypt(feishuKey,
				feishuMessage("web-1", "1"))})),
			auth: []string{"X-Lark-Signature"}, stamp: "X-Lark-Request-Timestamp", unit: time.Second, body: true,
			extra: map[string]func(*delivery){
				"another key": func(d *delivery) {
					*d = feishuSigned(toJSON(map[string]string{"encrypt": feishuEncrypt("another key 0123456789",
						feishuMessage("web-1", "1"))}))
				},
				"cut cipher text": func(d *delivery) { *d = feishuSigned(strings.Replace(d.body, `"}`, `A"}`, 1)) },
			},
		},
		"feishu handshake": {
			secrets: only(envFeishuEncrypt, envFeishuToken), delivery: post("feishu", mediaJSON, sealedHello),
			extra: map[string]func(*delivery){
				"another token": func(d *delivery) {
					d.body = toJSON(map[string]string{"encrypt": feishuEncrypt(feishuKey,
						strings.Replace(feishuHello, feishuToken, "feishu-token-9999999999", 1))})
				},
				"a plain one without token": func(d *delivery) {
					d.body = `{"challenge":"x","type":"url_verification"}`
				},
				"a plain one with another": func(d *delivery) {
					d.body = `{"challenge":"x","token":"feishu-token-9999999999","type":"url_verification"}`
				},
				"an event without signature": func(d *delivery) {
					d.body = toJSON(map[string]string{"encrypt": feishuEncrypt(feishuKey, feishuMessage("web-1", "1"))})
				},
				"a plain event without signature": func(d *delivery) { d.body = feishuMessage("web-1", "1") },
				"no JSON":                         func(d *delivery) { d.body = "challenge" },
			},
		},
		"feishu key": {
			secrets: only(envFeishuEncrypt), delivery: feishuSigned(feishuMessage("web-1", "1")),
			auth: []string{"X-Lark-Signature"}, stamp: "X-Lark-Request-Timestamp", unit: time.Second, body: true,
			extra: map[string]func(*delivery){
				"a plain handshake": func(d *delivery) { *d = post("feishu", mediaJSON, feishuHello) },
			},
		},
		"feishu token": {
			secrets: only(envFeishuToken), delivery: post("feishu", mediaJSON, feishuMessage("web-1", "1")),
			extra: map[string]func(*delivery){
				"another token": func(d *delivery) {
					d.body = strings.Replace(d.body, feishuToken,
						"feishu-token-9999999999", 1)
				},
				"no token": func(d *delivery) {
					d.body = strings.Replace(d.body, `,"token":"`+feishuToken+`"`, "",
						1)
				},
				"an empty token": func(d *delivery) { d.body = strings.Replace(d.body, feishuToken, "", 1) },
				"an encrypted body": func(d *delivery) {
					d.body = toJSON(map[string]string{"encrypt": feishuEncrypt(feishuKey, feishuMessage("web-1", "1"))})
				},
			},
		},
		"wecom hello": {
			secrets: only(envWeComToken, envWeComAES,
				envWeComCorp), delivery: wecomHello(), auth: []string{"msg_signature"},
			stamp: "timestamp", unit: time.Second, query: true,
			extra: map[string]func(*delivery){
				"another echostr": func(d *delivery) { d.query.Set("echostr", encryptCallback("2", corpID)) },
				"no echostr":      func(d *delivery) { d.query.Del("echostr") },
				"another nonce":   func(d *delivery) { d.query.Set("nonce", "other") },
				"another corporation": func(d *delivery) {
					encrypted := encryptCallback("1616140317555161061", "ww9999999999999999")
					d.query = wecomQuery(encrypted)
					d.query.Set("echostr", encrypted)
				},
			},
		},
		"wecom message": {
			secrets: only(envWeComToken, envWeComAES, envWeComCorp), delivery: wecomMessage("web-1",
				"1"), auth: []string{"msg_signature"},
			stamp: "timestamp", unit: time.Second, query: true, body: true,
			extra: map[string]func(*delivery){
				"a doubled element": func(d *delivery) {
					d.body = strings.Replace(d.body, "</xml>",
						"<Encrypt>x</Encrypt></xml>", 1)
				},
				"a DTD":                    func(d *delivery) { d.body = `<!DOCTYPE xml [<!ENTITY e "x">]>` + d.body },
				"a processing instruction": func(d *delivery) { d.body = `<?xml-stylesheet href="x"?>` + d.body },
				"an attribute": func(d *delivery) {
					d.body = strings.Replace(d.body, "<Encrypt>",
						`<Encrypt a="b">`, 1)
				},
				"something behind": func(d *delivery) { d.body += "<xml></xml>" },
				"plain XML":        func(d *delivery) { d.body = wecomText("web-1", "1") },
				"another nonce":    func(d *delivery) { d.query.Set("nonce", "other") },
				"another cipher text behind a comment": func(d *delivery) {
					d.body = strings.Replace(strings.Replace(d.body, "<Encrypt>", "<!--<Encrypt>", 1), "</Encrypt>",
						"</Encrypt>--><Encrypt>AAAA</Encrypt>", 1)
				},
				"the signature as a header": func(d *delivery) {
					d.header.Set("msg_signature", d.query.Get("msg_signature"))
					d.query.Del("msg_signature")
				},
			},
		},
		"teams": {
			secrets: only(envTeams), delivery: teamsMessage("web-1", "1"), auth: []string{"Authorization"}, body: true,
			extra: map[string]func(*delivery){
				"the bare signature": func(d *delivery) { d.cut("Authorization", "HMAC ") },
				"a bearer token":     func(d *delivery) { d.replace("Authorization", "HMAC ", "Bearer ") },
				"the secret as text": func(d *delivery) {
					d.header.Set("Authorization",
						"HMAC "+base64HMAC(teamsSecret, d.body))
				},
				"5 minutes and a bit late": func(d *delivery) {
					*d = teamsSigned(teamsBody("web-1", "1",
						now.Add(-Window-time.Second)))
				},
				"5 minutes and a bit early": func(d *delivery) {
					*d = teamsSigned(teamsBody("web-1", "1",
						now.Add(Window+time.Second)))
				},
				"no time":  func(d *delivery) { *d = teamsSigned(`{"type":"message","text":"web-1"}`) },
				"no JSON":  func(d *delivery) { *d = teamsSigned(`web-1`) },
				"odd time": func(d *delivery) { *d = teamsSigned(`{"timestamp":"yesterday"}`) },
			},
		},
		"github": {
			secrets: only(envGitHub), delivery: githubSigned("deployment",
				githubDeployment), auth: []string{"X-Hub-Signature-256"}, body: true,
			extra: map[string]func(*delivery){
				"the bare digest": func(d *delivery) { d.cut("X-Hub-Signature-256", "sha256=") },
				"SHA-1":           func(d *delivery) { d.replace("X-Hub-Signature-256", "sha256=", "sha1=") },
				"SHA-1 alone": func(d *delivery) {
					d.header.Del("X-Hub-Signature-256")
					d.header.Set("X-Hub-Signature", "sha1=0123456789")
				},
				"capital hex": func(d *delivery) {
					d.header.Set("X-Hub-Signature-256",
						"sha256="+strings.ToUpper(d.header.Get("X-Hub-Signature-256")[7:]))
				},
				"GitLab's token": func(d *delivery) {
					d.header.Del("X-Hub-Signature-256")
					d.header.Set("X-Gitlab-Token", githubSecret)
				},
				"other blanks in the JSON": func(d *delivery) { d.body = strings.Replace(d.body, ":", ": ", 1) },
			},
		},
		"gitlab signed": {
			secrets: Secrets{envGitLabSigning: {gitlabSigning},
				envGitLabToken: {gitlabToken}}, delivery: gitlabSigned(gitlabDeployment),
			auth:  []string{"Webhook-Signature", "Webhook-Id"},
			stamp: "Webhook-Timestamp", unit: time.Second, body: true,
			extra: map[string]func(*delivery){
				"the old token instead": func(d *delivery) {
					d.header.Del("Webhook-Signature")
					d.header.Set("X-Gitlab-Token", gitlabToken)
				},
				"the old token beside a bad signature": func(d *delivery) {
					d.header.Set("Webhook-Signature", "v1,AAAA")
					d.header.Set("X-Gitlab-Token", gitlabToken)
				},
			},
		},
		"gitlab token": {
			secrets: only(envGitLabToken), delivery: post("gitlab", mediaJSON, gitlabDeployment, "X-Gitlab-Token",
				gitlabToken), auth: []string{"X-Gitlab-Token"},
			extra: map[string]func(*delivery){
				"a signature instead": func(d *delivery) { *d = gitlabSigned(gitlabDeployment) },
				"an empty secret's signature": func(d *delivery) {
					*d = standardSigned("gitlab", "whsec_", "1", gitlabDeployment)
				},
			},
		},
		"gitee signed": {
			secrets: only(envGitee), delivery: giteeSigned("Push Hook", giteePush), auth: []string{"X-Gitee-Token"},
			stamp: "X-Gitee-Timestamp", unit: time.Millisecond,
			extra: map[string]func(*delivery){
				"URL encoding": func(d *delivery) {
					d.header.Set("X-Gitee-Token",
						url.QueryEscape(d.header.Get("X-Gitee-Token")))
				},
				"the secret of the body": func(d *delivery) { d.header.Del("X-Gitee-Token") },
			},
		},
		"gitee password": {
			secrets: only(envGitee), delivery: post("gitee", mediaJSON, giteePush, "X-Gitee-Event", "Push Hook",
				"X-Gitee-Timestamp", millis(now), "X-Gitee-Token", giteeSecret),
			auth: []string{"X-Gitee-Token"},
			extra: map[string]func(*delivery){
				"no time":                   func(d *delivery) { d.header.Del("X-Gitee-Timestamp") },
				"a signed time":             func(d *delivery) { d.header.Set("X-Gitee-Timestamp", "+"+millis(now)) },
				"a time with a zero before": func(d *delivery) { d.header.Set("X-Gitee-Timestamp", "0"+millis(now)) },
				"an old time":               func(d *delivery) { d.header.Set("X-Gitee-Timestamp", millis(now.Add(-time.Hour))) },
			},
		},
		"standard": {
			secrets: only(envStandard), delivery: standardSigned("standard", standardSecret, "msg_1",
				standardOrder), auth: []string{"Webhook-Signature", "Webhook-Id"},
			stamp: "Webhook-Timestamp", unit: time.Second, body: true,
			extra: map[string]func(*delivery){
				"the bare signature": func(d *delivery) { d.cut("Webhook-Signature", "v1,") },
				"v1a":                func(d *delivery) { d.replace("Webhook-Signature", "v1,", "v1a,") },
				"v2":                 func(d *delivery) { d.replace("Webhook-Signature", "v1,", "v2,") },
				"a colon":            func(d *delivery) { d.replace("Webhook-Signature", "v1,", "v1:") },
				"no padding": func(d *delivery) {
					d.header.Set("Webhook-Signature", strings.TrimRight(d.header.Get("Webhook-Signature"), "="))
				},
				"a comma between": func(d *delivery) { d.replace("Webhook-Signature", "v1,", "v1,AAAA,v1,") },
				"Svix's names": func(d *delivery) {
					for _, name := range []string{"Id", "Timestamp", "Signature"} {
						d.header.Set("Svix-"+name, d.header.Get("Webhook-"+name))
						d.header.Del("Webhook-" + name)
					}
				},
				"the secret as text": func(d *delivery) {
					d.header.Set("Webhook-Signature",
						"v1,"+base64HMAC(standardSecret, "msg_1.", seconds(now), ".", d.body))
				},
				"an empty secret": func(d *delivery) {
					*d = standardSigned("standard", "whsec_", "msg_1",
						standardOrder)
				},
				"a parted ID": func(d *delivery) { d.header.Set("Webhook-Id", "msg_1 ") },
				"a bearer token": func(d *delivery) {
					d.header.Del("Webhook-Signature")
					d.header.Set("Authorization", "Bearer "+standardSecret)
				},
				"the border between ID and body moved": func(d *delivery) {
					inner := `{"target":"db-1"}`
					*d = standardSigned("standard", standardSecret, "msg_1", `{"reason":".`+seconds(now)+"."+inner)
					d.header.Set("Webhook-Id", "msg_1."+seconds(now)+`.{"reason":"`)
					d.body = inner
				},
				"signatures enough to hide one": func(d *delivery) {
					d.header.Set("Webhook-Signature", strings.Repeat("v1,A ", 16)+d.header.Get("Webhook-Signature"))
				},
			},
		},
	}
}

func (d *delivery) cut(header, prefix string) {
	d.header.Set(header, strings.TrimPrefix(d.header.Get(header), prefix))
}

func (d *delivery) replace(header, old, with string) {
	d.header.Set(header, strings.Replace(d.header.Get(header), old, with, 1))
}

// confuse gives the delivery the headers of another sender's and takes its own away.
func (d *delivery) confuse(other delivery) {
	for name := range d.header {
		if name != "Content-Type" {
			d.header.Del(name)
		}
	}
	for name, values := range other.header {
		if name != "Content-Type" {
			d.header[name] = values
		}
	}
}

func (s scheme) get(d *delivery, name string) string {
	if s.query {
		return d.query.Get(name)
	}
	return d.header.Get(name)
}

func (s scheme) set(d *delivery, name string, values ...string) {
	if s.query {
		d.query[name] = values
		return
	}
	d.header[http.CanonicalHeaderKey(name)] = values
}

// mutations are the forgeries that every scheme must refuse, and those of its own.
func (s scheme) mutations() map[string]func(*delivery) {
	all := map[string]func(*delivery){}
	for name, spoil := range s.extra {
		all[name] = spoil
	}
	for _, name := range s.auth {
		value := s.get(&s.delivery, name)
		for what, values := range map[string][]string{
			"missing": nil, "empty": {""}, "doubled": {value, value}, "first of two": {value, "x"}, "joined": {value +
				"," + value},
			"cut": {value[:len(value)-1]}, "longer": {value + "0"}, "blank before": {" " + value}, "null": {"\x00" +
				value},
			"flipped first": {flip(value, 0)}, "flipped middle": {flip(value,
				len(value)/2)}, "flipped late": {flip(value, len(value)-4)},
		} {
			if name == "Webhook-Signature" && (what == "joined" || what == "longer" || what == "blank before") {
				continue // it is a list, parted by blanks
			}
			all[name+" "+what] = func(d *delivery) { s.set(d, name, values...) }
		}
	}
	if s.stamp != "" {
		at := func(d time.Duration) string {
			if s.unit == time.Millisecond {
				return millis(now.Add(d))
			}
			return seconds(now.Add(d))
		}
		for what, values := range map[string][]string{
			"missing": nil, "empty": {""}, "doubled": {at(0),
				at(0)}, "late": {at(-Window - time.Second)}, "early": {at(Window + time.Second)},
			"a second later": {at(time.Second)}, "signed": {"+" + at(0)}, "negative": {"-" +
				at(0)}, "zero before": {"0" + at(0)}, "blank behind": {at(0) + " "},
			"fraction": {at(0) + ".0"}, "exponent": {"1e9"}, "hex": {"0x6" +
				at(0)}, "huge": {"99999999999999999999"}, "words": {"now"}, "Arabic digits": {"١٧٨٠٠٠٠٠٠٠"},
		} {
			all["time "+what] = func(d *delivery) { s.set(d, s.stamp, values...) }
		}
	}
	if s.body {
		body := s.delivery.body
		sealed := strings.Contains(body, "ncrypt") &&
			s.query // the signature covers the cipher text, not what is around it
		for what, spoiled := range map[string]string{
			"empty": "", "longer": body + " ", "newline behind": body + "\n", "byte order mark": "\ufeff" +
				body, "cut": body[:len(body)-1],
			"flipped first": flip(body, 0), "flipped middle": flip(body, len(body)/2), "flipped last": flip(body,
				len(body)-1),
			"other words": strings.Replace(body, "e", "\u0435", 1), "null behind": body + "\x00", "twice": body +
				body, "in base64": base64.StdEncoding.EncodeToString([]byte(body)),
		} {
			if !sealed || strings.TrimSpace(spoiled) != body {
				all["body "+what] = func(d *delivery) { d.body = spoiled }
			}
		}
	}
	return all
}

// flip changes one byte to another of its class, so that the form stays right.
func flip(text string, at int) string {
	b := []byte(text)
	switch c := b[at]; {
	case c == '0' || c == 'a' || c == 'A':
		b[at]++
	case c > '0' && c <= '9' || c > 'a' && c <= 'z' || c > 'A' && c <= 'Z':
		b[at]--
	default:
		b[at] ^= 1
	}
	return string(b)
}

func TestMutations(t *testing.T) {
	t.Parallel()
	tried := 0
	var answers = map[string]string{}
	for name, s := range schemes() {
		b := newBench(t, s.secrets)
		if w := b.do(s.delivery.clone()); w.Code != http.StatusOK && w.Code != http.StatusAccepted {
			t.Errorf("%s: the delivery that is to be spoiled gets %d: %s", name, w.Code, w.Body)
			continue
		}
		for what, spoil := range s.mutations() {
			tried++
			b := newBench(t, s.secrets)
			d := s.delivery.clone()
			spoil(&d)
			w := b.do(d)
			if w.Code != http.StatusUnauthorized {
				t.Errorf("%s, %s: status %d, want 401", name, what, w.Code)
			}
			answers[w.Body.String()] = name + ", " + what
			if b.touched() {
				t.Errorf("%s, %s: touched the API", name, what)
			}
			if !strings.Contains(b.log.String(), "refused a caller") {
				t.Errorf("%s, %s: the log does not tell why", name, what)
			}
		}
		other := s.delivery.clone()
		wrong := Secrets{}
		for variable, values := range s.secrets {
			for _, value := range values {
				wrong[variable] = append(wrong[variable], flip(value, len(value)-8))
			}
		}
		tried++
		if w := newBench(t, wrong).do(other); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: another secret: status %d, want 401", name, w.Code)
		}
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers, want one and the same: %v", len(answers), answers)
	}
	if tried < mutationsMin {
		t.Errorf("%d forgeries tried, want at least %d", tried, mutationsMin)
	}
	t.Logf("%d forgeries refused", tried)
}

// Both secrets pass while one is rotated, and the old one no longer once it is out.
func TestRotation(t *testing.T) {
	t.Parallel()
	for name, s := range schemes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rotated := Secrets{}
			for variable, values := range s.secrets {
				rotated[variable] = append([]string{flip(values[0], len(values[0])-8)}, values...)
			}
			if w := newBench(t, rotated).do(s.delivery.clone()); w.Code >= 300 {
				t.Errorf("with a new secret before the old one: status %d", w.Code)
			}
			for variable, values := range rotated {
				rotated[variable] = values[:1]
			}
			if w := newBench(t, rotated).do(s.delivery.clone()); w.Code != http.StatusUnauthorized {
				t.Errorf("with the new secret alone: status %d, want 401", w.Code)
			}
		})
	}
}

// The edge of the window is inside.
func TestWindow(t *testing.T) {
	t.Parallel()
	for name, s := range schemes() {
		if s.stamp == "" && name != "teams" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for drift, want := range map[time.Duration]bool{Window - time.Second: true, -Window + 4*time.Second: true,
				Window + time.Second: false, -Window - 5*time.Second: false} {
				b := newBench(t, s.secrets)
				b.at = now.Add(drift)
				if w := b.do(s.delivery.clone()); (w.Code != http.StatusUnauthorized) != want {
					t.Errorf("%s off: status %d", drift, w.Code)
				}
			}
		})
	}
}
