package webhook

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// delivery is a request before it is sent, so that a test can spoil it.
type delivery struct {
	method string
	path   string
	query  url.Values
	header http.Header
	body   string
}

func (d delivery) request() *http.Request {
	target := d.path
	if len(d.query) > 0 {
		target += "?" + d.query.Encode()
	}
	r := httptest.NewRequest(d.method, target, strings.NewReader(d.body))
	r.Header = d.header
	return r
}

// clone copies a delivery, so that spoiling the copy leaves the original alone.
func (d delivery) clone() delivery {
	d.header = d.header.Clone()
	d.query = maps.Clone(d.query)
	for name, values := range d.query {
		d.query[name] = slices.Clone(values)
	}
	return d
}

func post(sender, media, body string, headers ...string) delivery {
	d := delivery{http.MethodPost, prefix + sender, nil, http.Header{"Content-Type": {media}}, body}
	for i := 0; i < len(headers); i += 2 {
		d.header.Set(headers[i], headers[i+1])
	}
	return d
}

// The signatures below are written from the senders' documents, not with the functions under test.

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
func millis(at time.Time) string  { return strconv.FormatInt(at.UnixMilli(), 10) }

func slackSigned(media, body string) delivery {
	signature := "v0=" + hex.EncodeToString(hmacSHA256(slackSecret, "v0:"+seconds(now)+":"+body))
	return post("slack", media, body, "X-Slack-Request-Timestamp", seconds(now), "X-Slack-Signature", signature)
}

func slackCommand(text, trigger string) delivery { return slackCommandBy("U1", text, trigger) }

func slackCommandBy(user, text, trigger string) delivery {
	form := url.Values{
		"team_id": {"T1"}, "channel_id": {"C1"}, "user_id": {user}, "text": {text}, "trigger_id": {trigger},
		"command":      {"/snap"},
		"response_url": {"https://hooks.slack.com/commands/T1/1/secretresponseurl"}, // works like a password
	}
	return slackSigned(mediaForm, form.Encode())
}

// Clicks on a card's button, which no sender uses.
const (
	slackCardBody  = `payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A%7B%22id%22%3A%22U1%22%7D%7D`
	feishuCardBody = `{"schema":"2.0","header":{"event_id":"e","event_type":"card.action.trigger","token":"` +
		feishuToken + `","tenant_key":"tk1"},"event":{}}`
)

func toJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func dingSigned(body string) delivery {
	sign := base64.StdEncoding.EncodeToString(hmacSHA256(dingSecret, millis(now)+"\n"+dingSecret))
	return post("dingtalk", mediaJSON, body, "timestamp", millis(now), "sign", sign)
}

func dingMessage(text, id string) delivery { return dingMessageBy("staff1", text, id) }

func dingMessageBy(staff, text, id string) delivery {
	return dingSigned(toJSON(map[string]any{
		"msgtype": "text", "text": map[string]string{"content": " " +
			text}, "msgId": id, "conversationId": "cid1", "conversationType": "2",
		"senderStaffId": staff, "senderCorpId": "corp1", "chatbotCorpId": "corp1", "isAdmin": true,
		"createAt":       now.UnixMilli(),
		"sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=secretsession",
	}))
}

func sha1Hex(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func encryptCallback(message, owner string) string {
	key, err := base64.StdEncoding.DecodeString(callbackAES + "=")
	if err != nil {
		panic(err)
	}
	text, err := wecomEncrypt(string(key), []byte("0123456789abcdef"), message, owner)
	if err != nil {
		panic(err)
	}
	return text
}

func feishuSigned(body string) delivery {
	sum := sha256.Sum256([]byte(seconds(now) + "n0nce" + feishuKey + body))
	return post("feishu", mediaJSON, body, "X-Lark-Request-Timestamp", seconds(now), "X-Lark-Request-Nonce", "n0nce",
		"X-Lark-Signature", hex.EncodeToString(sum[:]))
}

func feishuMessage(text, id string) string {
	return toJSON(map[string]any{
		"schema": "2.0",
		"header": map[string]string{"event_id": "e-" + id, "event_type": "im.message.receive_v1",
			"create_time": millis(now), "token": feishuToken, "app_id": "cli_1", "tenant_key": "tk1"},
		"event": map[string]any{
			"sender": map[string]any{"sender_id": map[string]string{"open_id": "ou_1"}, "sender_type": "user"},
			"message": map[string]any{"message_id": "om_" + id, "create_time": millis(now), "chat_id": "oc_1",
				"chat_type": "group", "message_type": "text", "content": toJSON(map[string]string{"text": "@_user_1 " +
					text})},
		},
	})
}

// feishuEncrypt is the inverse of feishuDecrypt; the initial vector is the cipher text's first block.
func feishuEncrypt(key, plain string) string {
	sum := sha256.Sum256([]byte(key))
	iv := []byte("fedcba9876543210")
	pad := 16 - len(plain)%16
	return base64.StdEncoding.EncodeToString(append(iv,
		cbc(sum[:], iv, plain+strings.Repeat(string(rune(pad)), pad))...))
}

func wecomQuery(encrypted string) url.Values {
	return url.Values{"timestamp": {seconds(now)}, "nonce": {"n0nce"},
		"msg_signature": {sha1Hex(callbackToken, seconds(now), "n0nce", encrypted)}}
}

func wecomHello() delivery {
	encrypted := encryptCallback("1616140317555161061", corpID)
	d := delivery{http.MethodGet, prefix + "wecom", wecomQuery(encrypted), http.Header{}, ""}
	d.query.Set("echostr", encrypted)
	return d
}

func wecomMessage(text, id string) delivery { return wecomXML(wecomText(text, id)) }

func wecomText(text, id string) string {
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
		panic(err)
	}
	return "<xml><ToUserName><![CDATA[" + corpID +
		"]]></ToUserName><FromUserName><![CDATA[zhang]]></FromUserName><CreateTime>" + seconds(now) +
		"</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>" + escaped.String() + "</Content><MsgId>" + id +
		"</MsgId><AgentID>1000002</AgentID></xml>"
}

func wecomXML(plain string) delivery {
	encrypted := encryptCallback(plain, corpID)
	d := post("wecom", "text/xml", "<xml><ToUserName><![CDATA["+corpID+"]]></ToUserName>"+
		"<Encrypt><![CDATA["+encrypted+"]]></Encrypt><AgentID>1000002</AgentID></xml>")
	d.query = wecomQuery(encrypted)
	return d
}

// openWeComReply decrypts a passive reply as WeCom does.
func openWeComReply(tb testing.TB, body string) string {
	tb.Helper()
	var s struct {
		Encrypt, MsgSignature, TimeStamp, Nonce string
	}
	if err := xml.Unmarshal([]byte(body), &s); err != nil {
		tb.Fatalf("reply is not XML: %v", err)
	}
	if want := sha1Hex(callbackToken, s.TimeStamp, s.Nonce, s.Encrypt); s.MsgSignature != want {
		tb.Errorf("signature of the reply is %s, want %s", s.MsgSignature, want)
	}
	key, _ := base64.StdEncoding.DecodeString(callbackAES + "=")
	data, err := base64.StdEncoding.DecodeString(s.Encrypt)
	if err != nil {
		tb.Fatalf("reply is not base64: %v", err)
	}
	plain, err := decryptCBC(key, key[:16], data, 32)
	if err != nil {
		tb.Fatalf("reply does not decrypt: %v", err)
	}
	length := binary.BigEndian.Uint32(plain[16:20])
	if owner := string(plain[20+length:]); owner != corpID {
		tb.Errorf("owner of the reply is %q, want %q", owner, corpID)
	}
	var m struct{ ToUserName, FromUserName, MsgType, Content string }
	if err := xml.Unmarshal(plain[20:20+length], &m); err != nil {
		tb.Fatalf("reply holds no XML: %v", err)
	}
	if m.ToUserName != "zhang" || m.FromUserName != corpID || m.MsgType != "text" {
		tb.Errorf("reply is addressed %+v", m)
	}
	return m.Content
}

func teamsSigned(body string) delivery {
	key, _ := base64.StdEncoding.DecodeString(teamsSecret)
	return post("teams", mediaJSON, body, "Authorization",
		"HMAC "+base64.StdEncoding.EncodeToString(hmacSHA256(string(key), body)))
}

func teamsMessage(text, id string) delivery { return teamsSigned(teamsBody(text, id, now)) }

func teamsBody(text, id string, at time.Time) string {
	return toJSON(map[string]any{
		"type": "message", "id": id, "timestamp": at.Format("2006-01-02T15:04:05.000Z"), "text": "<at>snap</at>&nbsp;" +
			text, "locale": "en-US",
		"conversation": map[string]string{"id": "19:abc@thread.tacv2;messageid=1"},
		"from":         map[string]string{"id": "29:1", "name": "Ana", "aadObjectId": "aad-1"},
		"channelData": map[string]any{"tenant": map[string]string{"id": "tenant1"},
			"teamsChannelId": "19:abc@thread.tacv2"},
	})
}

func githubSigned(event, body string) delivery {
	return post("github", mediaJSON, body, "X-GitHub-Event", event, "X-GitHub-Delivery", "72d3162e",
		"X-Hub-Signature-256", "sha256="+hex.EncodeToString(hmacSHA256(githubSecret, body)))
}

func standardSigned(sender, secret, id, body string) delivery {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	signature := "v1," + base64.StdEncoding.EncodeToString(hmacSHA256(string(key), id+"."+seconds(now)+"."+body))
	return post(sender, mediaJSON, body, "webhook-id", id, "webhook-timestamp", seconds(now), "webhook-signature",
		signature)
}

func gitlabSigned(body string) delivery {
	return standardSigned("gitlab", gitlabSigning, "a5461c4d", body)
}

func giteeSigned(event, body string) delivery {
	token := base64.StdEncoding.EncodeToString(hmacSHA256(giteeSecret, millis(now)+"\n"+giteeSecret))
	return post("gitee", mediaJSON, body, "X-Gitee-Event", event, "X-Gitee-Timestamp", millis(now), "X-Gitee-Token",
		token)
}

const (
	githubDeployment = `{"action":"created","deployment":{"id":42,"sha":"0123abcd","ref":"main","task":"deploy",
"environment":"production","created_at":"2026-11-24T05:59:00Z"},"repository":{"id":7,"full_name":"acme/shop"},
"sender":{"login":"ana"}}`
	githubPush = `{"ref":"refs/heads/main","before":"00aa","after":"0123abcd","deleted":false,"repository":{"id":7,
"full_name":"Acme/Shop"},"sender":{"login":"ana"}}`
	githubRunText = `{"action":"requested","workflow_run":{"id":9,"run_attempt":2,"name":"ci","event":"push","path":".github/workflows/deploy.yml",
"head_branch":"main","head_sha":"0123abcd","conclusion":null,"run_started_at":"2026-11-24T05:50:00Z",
"head_repository":{"id":7,"full_name":"acme/shop"}},
"repository":{"id":7,"full_name":"acme/shop"},"sender":{"login":"ana"}}`
	gitlabDeployment = `{"object_kind":"deployment","status":"running","status_changed_at":"2026-11-24 05:59:00 UTC",
"deployment_id":15,"deployable_id":796,"environment":"production","ref":"main","short_sha":"0123abcd",
"project":{"id":30,"path_with_namespace":"acme/shop","web_url":"https://gitlab.acme.test/acme/shop"},
"user":{"username":"ana"}}`
	gitlabPipeline = `{"object_kind":"pipeline","object_attributes":{"id":31,"ref":"main","tag":false,"sha":"0123abcd",
"source":"push","status":"pending","created_at":"2026-11-24 05:59:00 UTC","finished_at":null,"duration":null},
"merge_request":null,"project":{"id":30,"path_with_namespace":"acme/shop",
"web_url":"https://gitlab.acme.test/acme/shop"},"user":{"username":"ana"}}`
	gitlabPush = `{"object_kind":"push","ref":"refs/heads/main","before":"00aa","after":"0123abcd",
"user_username":"ana",
"project":{"id":30,"path_with_namespace":"acme/shop","web_url":"https://gitlab.acme.test/acme/shop"}}`
	giteePush = `{"hook_id":1,"hook_name":"push_hooks","ref":"refs/heads/main","before":"00aa","after":"0123abcd",
"password":"gitee-0123456789abcdef","sign":"","repository":{"id":5,"full_name":"acme/shop",
"path_with_namespace":"acme/shop"},"sender":{"login":"ana"}}`
	standardOrder = `{"target":"web-1","role":"deploy","reason":"release 42"}`
)
