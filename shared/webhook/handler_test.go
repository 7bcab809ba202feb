package webhook

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What a request must look like before it is authenticated.
func TestHTTP(t *testing.T) {
	t.Parallel()
	change := func(d delivery, spoil func(*delivery)) delivery {
		spoil(&d)
		return d
	}
	manyFields := url.Values{}
	for i := range 65 {
		manyFields.Set("field"+string(rune('0'+i/10))+string(rune('0'+i%10)), "x")
	}
	for name, test := range map[string]struct {
		d      delivery
		status int
		allow  string
	}{
		"unknown sender": {d: change(slackCommand("help", "1"),
			func(d *delivery) { d.path = "/hooks/telegram" }), status: 404},
		"no sender": {d: change(slackCommand("help", "1"), func(d *delivery) { d.path = "/hooks/" }),
			status: 404},
		"something below": {d: change(slackCommand("help", "1"),
			func(d *delivery) { d.path = "/hooks/slack/x" }), status: 404},
		"a slash behind": {d: change(slackCommand("help", "1"),
			func(d *delivery) { d.path = "/hooks/slack/" }), status: 404},
		"capitals": {d: change(slackCommand("help", "1"),
			func(d *delivery) { d.path = "/hooks/Slack" }), status: 404},
		"GET": {d: change(slackCommand("help", "1"), func(d *delivery) { d.method = "GET" }),
			status: 405, allow: "POST"},
		"PUT": {d: change(slackCommand("help", "1"), func(d *delivery) { d.method = "PUT" }),
			status: 405, allow: "POST"},
		"DELETE to WeCom": {d: change(wecomMessage("help", "1"), func(d *delivery) { d.method = "DELETE" }),
			status: 405, allow: "GET, POST"},
		"compressed": {d: change(slackCommand("help", "1"),
			func(d *delivery) { d.header.Set("Content-Encoding", "gzip") }), status: 415},
		"form to GitHub": {d: change(githubSigned("push", githubPush),
			func(d *delivery) { d.header.Set("Content-Type", mediaForm) }), status: 415},
		"text to DingTalk": {d: change(dingMessage("help", "1"),
			func(d *delivery) { d.header.Set("Content-Type", "text/plain") }), status: 415},
		"no type": {d: change(dingMessage("help", "1"),
			func(d *delivery) { d.header.Del("Content-Type") }), status: 415},
		"two types": {d: change(dingMessage("help", "1"),
			func(d *delivery) { d.header.Add("Content-Type", mediaJSON) }), status: 415},
		"another charset": {d: change(dingMessage("help", "1"),
			func(d *delivery) { d.header.Set("Content-Type", mediaJSON+"; charset=utf-16") }), status: 415},
		"JSON to WeCom": {d: change(wecomMessage("help", "1"),
			func(d *delivery) { d.header.Set("Content-Type", mediaJSON) }), status: 415},
		"a long header": {d: change(dingMessage("help", "1"),
			func(d *delivery) { d.header.Set("X-Long", strings.Repeat("x", headerMax+1)) }), status: 400},
		"a long signature": {d: change(slackCommand("help", "1"),
			func(d *delivery) { d.header.Set("X-Slack-Signature", strings.Repeat("x", headerMax+1)) }), status: 401},
		"a longest header": {d: change(dingMessage("help", "1"),
			func(d *delivery) { d.header.Set("X-Long", strings.Repeat("x", headerMax)) }), status: 200},
		"a bad query": {d: change(dingMessage("help", "1"), func(d *delivery) { d.path += "?a=%zz" }),
			status: 400},
		"a long body": {d: githubSigned("push",
			githubPush+strings.Repeat(" ", bodyMax+1-len(githubPush))), status: 413},
		"a longest body": {d: githubSigned("push", githubPush+strings.Repeat(" ", bodyMax-len(githubPush))),
			status: 202},
		"UTF-8 said": {d: change(dingMessage("help", "1"),
			func(d *delivery) { d.header.Set("Content-Type", mediaJSON+"; charset=UTF-8") }), status: 200},
		"WeCom as application": {d: change(wecomMessage("help", "1"),
			func(d *delivery) { d.header.Set("Content-Type", "application/xml") }), status: 200},
		"too many fields": {d: slackSigned(mediaForm, manyFields.Encode()), status: 200},
		"a doubled field": {d: slackSigned(mediaForm,
			"team_id=T1&team_id=T2&channel_id=C1&user_id=U1&text=web-1&trigger_id=1"), status: 200},
		"a field missing": {d: slackSigned(mediaForm, "team_id=T1&channel_id=C1&text=web-1&trigger_id=1"),
			status: 200},
		"no trigger": {d: slackSigned(mediaForm, "team_id=T1&channel_id=C1&user_id=U1&text=web-1"),
			status: 200},
		"a form that is none": {d: slackSigned(mediaForm, "%zz"), status: 200},
		"a doubled JSON key":  {d: dingSigned(`{"msgId":"1","msgid":"2","conversationId":"cid1"}`), status: 200},
		"deep JSON": {d: dingSigned(`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`),
			status: 200},
		"JSON and more": {d: githubSigned("push", githubPush+"{}"), status: 400},
		"no event": {d: change(githubSigned("push", githubPush),
			func(d *delivery) { d.header.Del("X-Github-Event") }), status: 400},
		"an event of another shape": {d: githubSigned("deployment", githubPush), status: 400},
		"a number as text": {d: githubSigned("deployment", swap(githubDeployment, `"id":42`, `"id":"42"`)),
			status: 400},
		"doubled XML inside": {d: wecomXML(swap(wecomText("web-1", "1"), "</xml>",
			"<Content>web-1</Content></xml>")), status: 200},
		"an attribute inside": {d: wecomXML(swap(wecomText("web-1", "1"), "<xml>", `<xml a="b">`)), status: 200},
		"a DTD inside": {d: wecomXML(`<!DOCTYPE xml [<!ENTITY e "web-1">]>` + wecomText("web-1", "1")),
			status: 200},
		"an entity inside": {d: wecomXML(swap(wecomText("web-1", "1"), "web-1", "&e;")), status: 200},
		"a picture":        {d: wecomXML(swap(wecomText("web-1", "1"), "[text]", "[image]")), status: 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, allSecrets())
			w := b.do(test.d)
			if w.Code != test.status || w.Header().Get("Allow") != test.allow {
				t.Errorf("status %d, Allow %q, want %d, %q: %s", w.Code, w.Header().Get("Allow"), test.status,
					test.allow, w.Body)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-store" ||
				w.Header().Get("Content-Type") == "" {
				t.Errorf("headers are %v", w.Header())
			}
			if test.status >= 400 {
				problemOf(t, w)
			}
			if test.status != http.StatusAccepted && len(b.orders) > 0 {
				t.Error("reached the core")
			}
		})
	}
}

// What the protocols themselves ask for.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	hello := toJSON(map[string]string{"challenge": `a"j<s`, "token": feishuToken, "type": "url_verification"})
	for name, test := range map[string]struct {
		d    delivery
		want string
	}{
		"Slack": {slackSigned(mediaJSON, `{"type":"url_verification","challenge":"3eZbrw1aB"}`),
			`{"challenge":"3eZbrw1aB"}` + "\n"},
		"Slack ssl_check": {slackSigned(mediaForm, "ssl_check=1"), `{"ignored":"ssl_check: the certificate is fine"}` +
			"\n"},
		"Feishu": {post("feishu", mediaJSON, hello), `{"challenge":"a\"j<s"}` + "\n"},
		"Feishu encrypted": {post("feishu", mediaJSON,
			toJSON(map[string]string{"encrypt": feishuEncrypt(feishuKey, hello)})), `{"challenge":"a\"j<s"}` + "\n"},
		"WeCom": {wecomHello(), "1616140317555161061"},
		"Slack button": {slackSigned(mediaForm, slackCardBody),
			`{"ignored":"interactions are not used: send a slash command"}` + "\n"},
		"Feishu button": {feishuSigned(feishuCardBody), `{"ignored":"only im.message.receive_v1 is used"}` + "\n"},
		"GitHub": {githubSigned("ping", `{"zen":"Keep it simple."}`),
			`{"ignored":"the event ping is not used"}` + "\n"},
	} {
		if w := b.do(test.d); w.Code != http.StatusOK || w.Body.String() != test.want {
			t.Errorf("%s: status %d, %q, want %q", name, w.Code, w.Body, test.want)
		}
	}
	if b.touched() {
		t.Error("a handshake reached the core")
	}
}

// A sender is there only with secrets that are fit to be used.
func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	for name, s := range schemes() {
		path := s.delivery.path
		for what, value := range map[string]string{
			"short": "0123456789abcde", "an example": "changeme-changeme-changeme",
			"a template": "<CHANGE_ME> <replace-me>",
		} {
			secrets := Secrets{}
			for variable, values := range s.secrets {
				secrets[variable] = append([]string{values[0]}, value)
			}
			b := newBench(t, secrets)
			w := b.do(s.delivery.clone())
			if status, _ := problemOf(t, w); status != http.StatusNotFound {
				t.Errorf("%s, %s: status %d, want 404", name, what, status)
			}
			if log := b.log.String(); strings.Count(log, "webhook sender is off") < 1 ||
				!strings.Contains(log, `"level":"WARN"`) || strings.Contains(log, value) {
				t.Errorf("%s, %s: the log is %s", name, what, log)
			}
		}
		if w := newBench(t, Secrets{}).do(s.delivery.clone()); w.Code != http.StatusNotFound {
			t.Errorf("%s: without secret %s gets %d", name, path, w.Code)
		}
	}
	half := allSecrets()
	delete(half, envWeComCorp)
	if b := newBench(t, half); b.do(wecomHello()).Code != http.StatusNotFound ||
		!strings.Contains(b.log.String(), envWeComCorp) {
		t.Errorf("WeCom without its corp ID is on, or the log does not say what is missing: %s", b.log)
	}
	for variable, value := range map[string]string{
		envTeams: "not base64 at all !!", envStandard: "c3RhbmRhcmQtc2VjcmV0LTAxMjM0NTY3ODkwMTI=",
		envGitLabSigning: "whsec_c2hvcnQ=", envWeComAES: strings.Repeat("0123", 10),
	} {
		secrets := allSecrets()
		secrets[variable] = []string{value}
		if b := newBench(t, secrets); !strings.Contains(b.log.String(), variable) ||
			strings.Contains(b.log.String(), value) {
			t.Errorf("%s: the log is %s", variable, b.log)
		}
	}
}

func TestSecretsFromEnv(t *testing.T) {
	t.Parallel()
	environment := map[string]string{envSlack: " a  b\tc ", envGitHub: "", "UNRELATED": "x"}
	got := SecretsFromEnv(func(name string) string { return environment[name] })
	if len(got) != 1 || strings.Join(got[envSlack], "|") != "a|b|c" {
		t.Errorf("secrets are %v", got)
	}
}

// Signatures are checked for the rest of the HTTP function, too. Settings that are not secrets make no check.
func TestSigned(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		secrets []string
		want    string
	}{
		"no secret":       {nil, ""},
		"an empty secret": {[]string{""}, "0 bytes"},
		"no prefix":       {[]string{standardSecret[6:]}, "does not begin with whsec_"},
		"no base64":       {[]string{"whsec_!!!!!!!!!!!!!!!!"}, "is not base64"},
		"a short secret":  {[]string{standardSecret, "whsec_c2hvcnQtc2hvcnQ="}, "has 11 bytes once decoded"},
	} {
		b := newBench(t, Secrets{envStandard: test.secrets})
		if b.options.Senders.Signed(time.Now) != nil || !strings.Contains(b.log.String(), test.want) {
			t.Errorf("%s: the check is there, or the log has no %q: %s", name, test.want, b.log)
		}
	}
	d := standardSigned("standard", standardSecret, "msg_1", "body")
	more := d.clone()
	more.header.Set("webhook-signature", "v1,AAAA v1a,BBBB "+d.header.Get("webhook-signature"))
	for name, test := range map[string]struct {
		secrets []string
		header  http.Header
		body    string
		ok      bool
	}{
		"OK":                          {[]string{standardSecret}, d.header, "body", true},
		"second secret":               {[]string{gitlabSigning, standardSecret}, d.header, "body", true},
		"one good signature of three": {[]string{standardSecret}, more.header, "body", true},
		"another secret":              {[]string{gitlabSigning}, d.header, "body", false},
		"another body":                {[]string{standardSecret}, d.header, "body ", false},
		"no header":                   {[]string{standardSecret}, http.Header{}, "body", false},
	} {
		signed := newBench(t, Secrets{envStandard: test.secrets}).options.Senders.Signed(func() time.Time { return now })
		if id, ok := signed(test.header, []byte(test.body)); ok != test.ok || ok && id != "msg_1" {
			t.Errorf("%s: %t, message %q", name, ok, id)
		}
	}
}

// Nothing secret is in any log, error or answer: not the secrets, not signatures, not bodies, not URLs for later.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	var deliveries []delivery
	for _, s := range schemes() {
		deliveries = append(deliveries, s.delivery)
		for _, spoil := range s.mutations() {
			d := s.delivery.clone()
			spoil(&d)
			deliveries = append(deliveries, d)
		}
	}
	for _, in := range talks() {
		for i, text := range []string{"web-1", "web-1 \u202e<!channel> @all https://evil.test \x1b[31m\r\nx", "list",
			"keep s-old1", "<at id=all></at>", "[x](https://evil.test)", "x<!channel>x",
			"https://evil.test/x", "plan x@all", "status \x1b[31m"} {
			deliveries = append(deliveries, in.say(text, string(rune('a'+i))))
		}
	}
	deliveries = append(deliveries, slackSigned(mediaForm, slackCardBody), githubSigned("push", githubPush),
		gitlabSigned(gitlabPush))
	secret := []string{
		slackSecret, dingSecret, callbackToken, callbackAES, feishuKey, feishuToken, teamsSecret,
		githubSecret, gitlabSigning, gitlabToken, giteeSecret, standardSecret,
		"secretresponseurl", "secretsession", "hooks.slack.com", "oapi.dingtalk.com",
	}
	for _, failing := range []bool{false, true} {
		b := newBench(t, allSecrets())
		b.account.fill()
		if failing {
			b.account.fail["CreateSnapshot"] = "SomethingNew"
		}
		var output bytes.Buffer
		for _, d := range deliveries {
			w := b.do(d.clone())
			output.Write(w.Body.Bytes())
			if strings.Contains(d.path, "wecom") && w.Code == http.StatusOK && d.method == http.MethodPost {
				output.WriteString(openWeComReply(t, w.Body.String()))
			}
			for name, values := range d.header {
				if name == "Content-Type" || name == "X-Github-Event" || name == "X-Gitee-Event" ||
					strings.Contains(name, "Timestamp") || name == "Webhook-Id" {
					continue
				}
				for _, value := range values {
					if len(value) > 20 &&
						(strings.Contains(b.log.String(), value) || strings.Contains(w.Body.String(), value)) {
						t.Errorf("%s of %s came out", name, d.path)
					}
				}
			}
		}
		output.Write(b.log.Bytes())
		for _, text := range secret {
			if strings.Contains(output.String(), text) {
				t.Errorf("%q came out", text)
			}
		}
		for _, text := range []string{"\u202e", "<!channel>", "@all", "evil.test", "\x1b", "<at id", "](http"} {
			if strings.Contains(output.String(), text) {
				t.Errorf("%q came out as it went in", text)
			}
		}
	}
}

// The log says what happened, and about which event, without a word of it.
func TestLog(t *testing.T) {
	t.Parallel()
	b := newBench(t, allSecrets())
	b.do(githubSigned("deployment", githubDeployment))
	b.do(slackCommand("web-1", "1"))
	for _, want := range []string{`"decision":"ordered"`, `"event":"` + hash("deployment:2:42"), `"outcome":"created"`,
		`"apiRequestId":"req-created"`, `"decision":"answered"`, `"actor":"U1"`, `"durationMs":`} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the log has no %s: %s", want, b.log)
		}
	}
}

// An unauthenticated request of 4 KB costs less than 100 µs, and no API call.
func BenchmarkRefuse(b *testing.B) {
	for name, s := range schemes() {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			bench := newBench(b, s.secrets)
			bench.options.Log = slog.New(slog.DiscardHandler)
			bench.handler = New(bench.options)
			d := s.delivery.clone()
			bench.at = now.Add(10 * time.Second)
			for _, header := range s.auth {
				if value := s.get(&d, header); header != "Webhook-Id" {
					s.set(&d, header, flip(value, len(value)/2))
				}
			}
			if len(s.auth) == 0 {
				d.body = strings.ReplaceAll(d.body, feishuToken, "feishu-token-9999999999")
				d.body = strings.ReplaceAll(d.body, "encrypt\":\"", "encrypt\":\"AAAA")
			}
			if pad := 4096 - len(d.body); pad > 0 && d.method == http.MethodPost {
				d.body += strings.Repeat(" ", pad)
			}
			b.ReportAllocs()
			for b.Loop() {
				if w := bench.do(d); w.Code != http.StatusUnauthorized {
					b.Fatalf("status %d", w.Code)
				}
			}
			if bench.account.calls > 0 {
				b.Fatal("touched the API")
			}
		})
	}
}
