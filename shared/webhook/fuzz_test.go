package webhook

import (
	"context"
	"errors"
	"flag"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"swas-snapshot/shared/snapshot"
)

// openAll switches every sender of a set of secrets on.
func openAll(tb testing.TB, secrets Secrets) map[string]enabled {
	tb.Helper()
	all := map[string]enabled{}
	for _, s := range senders {
		keys, err := s.keys(secrets)
		if err != nil {
			tb.Fatalf("%s: %v", s.name, err)
		}
		all[s.name] = enabled{s, keys}
	}
	return all
}

// seed adds the deliveries of all schemes that one of the senders takes.
func seed(f *testing.F, names ...string) {
	for _, s := range schemes() {
		d := s.delivery
		name := strings.TrimPrefix(d.path, prefix)
		for _, wanted := range names {
			if name != wanted {
				continue
			}
			signature, stamp := "", ""
			nonce := d.query.Get("nonce") + d.header.Get("X-Lark-Request-Nonce") + d.header.Get("Webhook-Id")
			if len(s.auth) > 0 {
				signature = s.get(&d, s.auth[0])
			}
			if s.stamp != "" {
				stamp = s.get(&d, s.stamp)
			}
			f.Add(d.body, signature, stamp, nonce, d.query.Get("echostr"))
		}
	}
	f.Add("", "", "", "", "")
	f.Add(`{"encrypt":""}`, "0", "1", "\x00", "AAAA")
}

// fuzzVerify feeds one sender with everything that it reads. What passes must be a delivery of the seeds, for no fuzzer
// finds an HMAC: else it is a forgery.
func fuzzVerify(f *testing.F, name string) {
	seed(f, name)
	genuine := map[string]bool{}
	for _, s := range schemes() {
		genuine[s.delivery.body] = true
	}
	strong := openAll(f, allSecrets())[name]
	passed := false
	f.Cleanup(func() {
		if !passed && flag.Lookup("test.fuzzworker").Value.String() == "false" &&
			flag.Lookup("test.fuzz").Value.String() == "" {
			f.Error("no genuine delivery passed")
		}
	})
	f.Fuzz(func(t *testing.T, body, signature, stamp, nonce, echo string) {
		header := http.Header{
			"X-Slack-Signature": {signature}, "X-Slack-Request-Timestamp": {stamp}, "Sign": {signature},
			"Timestamp":        {stamp},
			"X-Lark-Signature": {signature}, "X-Lark-Request-Timestamp": {stamp}, "X-Lark-Request-Nonce": {nonce},
			"Authorization":       {signature},
			"X-Hub-Signature-256": {signature}, "X-Gitlab-Token": {signature}, "X-Gitee-Token": {signature},
			"X-Gitee-Timestamp": {stamp},
			"Webhook-Id":        {nonce}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature},
		}
		query := url.Values{}
		if name == "wecom" || strings.Contains(body, "encrypt") {
			query = url.Values{"msg_signature": {signature}, "timestamp": {stamp}, "nonce": {nonce}, "echostr": {echo}}
		}
		method := http.MethodPost
		if echo != "" && name == "wecom" {
			method = http.MethodGet
		}
		r := &request{method: method, media: mediaJSON, header: header, query: query, body: body, plain: body, now: now}
		if err := strong.verify(strong.keyring, r); err != nil {
			if !errors.Is(err, ErrUnauthenticated) {
				t.Errorf("refused with %v, which is not ErrUnauthenticated", err)
			}
			return
		}
		passed = true
		// DingTalk robots and Gitee sign the time alone; Feishu's handshake and the surroundings of a cipher text are
		// open.
		covered := name != "dingtalk" && name != "gitee" && name != "wecom" &&
			!(name == "feishu" && (signature == "" || strings.Contains(r.plain, "url_verification")))
		if covered && !genuine[body] {
			t.Errorf("a forgery passed: %q", body)
		}
	})
}

func FuzzVerifySlack(f *testing.F)    { fuzzVerify(f, "slack") }
func FuzzVerifyDingTalk(f *testing.F) { fuzzVerify(f, "dingtalk") }
func FuzzVerifyFeishu(f *testing.F)   { fuzzVerify(f, "feishu") }
func FuzzVerifyWeCom(f *testing.F)    { fuzzVerify(f, "wecom") }
func FuzzVerifyTeams(f *testing.F)    { fuzzVerify(f, "teams") }
func FuzzVerifyGitHub(f *testing.F)   { fuzzVerify(f, "github") }
func FuzzVerifyGitLab(f *testing.F)   { fuzzVerify(f, "gitlab") }
func FuzzVerifyGitee(f *testing.F)    { fuzzVerify(f, "gitee") }
func FuzzVerifyStandard(f *testing.F) { fuzzVerify(f, "standard") }

// FuzzParse gives every parser what an authentic sender could send, and does it: whatever reaches the core names its
// event, and whatever is answered can be shown.
func FuzzParse(f *testing.F) {
	for _, s := range schemes() {
		f.Add(s.delivery.body, s.delivery.header.Get("X-Github-Event"))
	}
	f.Add(wecomText("web-1", "1"), "deployment")
	f.Add(githubRunText, "workflow_run")
	f.Add(githubPush, "push")
	f.Add(gitlabPipeline, "")
	f.Add(gitlabPush, "Push Hook")
	f.Add(giteePush, "Push Hook")
	f.Add(slackCardBody, "")
	f.Add(feishuCardBody, "")
	senders := openAll(f, allSecrets())
	f.Fuzz(func(t *testing.T, body, event string) {
		for name, s := range senders {
			for _, media := range []string{mediaJSON, mediaForm} {
				b := newBench(t, nil)
				b.account.fill()
				b.account.snapshots = b.account.snapshots[:2] // an order needs no slot of another
				r := &request{
					method: http.MethodPost, media: media, body: body, plain: body, now: now, query: url.Values{},
					header: http.Header{"X-Github-Event": {event}, "X-Gitee-Event": {event}, "Webhook-Id": {"msg_1"}},
				}
				if name == "wecom" {
					r.opened = envelope{corp: corpID, key: callbackAES[:32], token: callbackToken}
				}
				in, err := s.parse(r)
				if err != nil {
					var known *snapshot.Error
					if !errors.As(err, &known) || known.Kind != snapshot.KindMalformed {
						t.Errorf("%s: parse fails with %v", name, err)
					}
					continue
				}
				b.checkInbound(t, s.sender, r, in)
			}
		}
	})
}

func (b *bench) checkInbound(t *testing.T, s *sender, r *request, in inbound) {
	t.Helper()
	switch in := in.(type) {
	case ignored:
		checkShown(t, string(in))
	case pipelineEvent:
		checkShown(t, string(in.refused()))
		for _, order := range in.orders(s.name, b.options.Policy.Pipeline(in.question(s.name))) {
			if err := order.Validate(); err != nil {
				t.Errorf("%s: order is invalid: %v", s.name, err)
			}
		}
	case message:
		p := chat{
			from: s.name, policy: b.options.Policy, core: b.options.Core, now: now, message: in,
			lang:    in.replyLanguage(s.language),
			targets: b.options.Policy.Visible(s.name, in.tenant, in.channel, in.actor),
		}.answer(context.Background())
		if p.result == "" || p.next == "" {
			t.Errorf("%s: reply to %q is %+v", s.name, in.text, p)
		}
		checkShown(t, p.text())
		if a, err := s.render(r, in, p); err != nil || len(a.body) == 0 {
			t.Errorf("%s: cannot answer %q: %v", s.name, in.text, err)
		}
		for _, order := range b.orders {
			if err := order.Validate(); err != nil && order.Reason != "" {
				t.Errorf("%s: order is invalid: %v", s.name, err)
			}
		}
		for _, old := range []string{"s-old1", "s-old2"} {
			if !strings.Contains(strings.Join(b.account.ids(), " "), old) {
				t.Errorf("%s: %q deleted %s", s.name, in.text, old)
			}
		}
	}
}

// checkShown refuses text that a chat or a terminal would take for more than text.
func checkShown(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			t.Errorf("%q holds %U", text, r)
		}
	}
	for _, markup := range []string{"<!", "<@", "@all", "@channel", "](", "<at", "&lt;"} {
		if strings.Contains(strings.ReplaceAll(text, "<id>", ""), markup) {
			t.Errorf("%q holds %q", text, markup)
		}
	}
}

// FuzzPlain: what comes out is one line of harmless characters, and coming out again changes nothing.
func FuzzPlain(f *testing.F) {
	for _, text := range []string{"web-1", "<!channel>", "@all", "https://evil.test", "\u202eabc", "a\r\nb", "\xff",
		"名字", "a\u200bb", strings.Repeat("x", 300), "[a](b)", "a://b:///c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := plain(text)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > plainMax ||
			strings.ContainsAny(got, "<>@&[]()*`#!|~\\\r\n.") || strings.Contains(got, "://") {
			t.Errorf("plain(%q) = %q", text, got)
		}
		checkShown(t, got)
		if seen := visible(text); visible(seen) != seen {
			t.Errorf("visible(%q) = %q, and then %q", text, seen, visible(seen))
		}
	})
}

// FuzzXML: what is accepted has one element of each name.
func FuzzXML(f *testing.F) {
	f.Add(wecomText("web-1", "1"))
	f.Add("<xml><a>1</a><a>2</a></xml>")
	f.Add("<xml><a><b>1</b></a></xml>")
	f.Add(`<?xml version="1.0"?><xml></xml>`)
	f.Add("<xml><a></xml></a>")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := decodeXML(text)
		if err != nil {
			return
		}
		if strings.Contains(text, "<!DOCTYPE") && !strings.Contains(text, "CDATA") && !strings.Contains(text, "<!--") {
			t.Errorf("a DTD was accepted: %q", text)
		}
		for name := range d.fields {
			if strings.Count(text, "<"+name+">") > 1 && !strings.Contains(text, "CDATA") &&
				!strings.Contains(text, "<!--") && strings.Count(text, "<") == 2*len(d.fields)+2 {
				t.Errorf("%s stands twice in %q", name, text)
			}
		}
	})
}

// FuzzReplyURL: what passes is a URL of the sender.
func FuzzReplyURL(f *testing.F) {
	for text := range replyURLs {
		f.Add(text)
	}
	hosts := map[string]string{"slack": "hooks.slack.com", "dingtalk": "oapi.dingtalk.com"}
	f.Fuzz(func(t *testing.T, text string) {
		for name, check := range replyChecks {
			got := check(text)
			if got == "" {
				continue
			}
			u, err := url.Parse(got)
			if got != text || err != nil || u.Scheme != "https" || u.Host != hosts[name] || u.User != nil ||
				slices.Contains(strings.Split(u.Path, "/"), "..") {
				t.Errorf("%q passes for %s", text, name)
			}
		}
	})
}
