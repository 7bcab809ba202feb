package webhook

import (
	"encoding/json"
	"strings"
	"time"
)

// dingtalk speaks to DingTalk robots that call over HTTP, and to the event callback of an app.
//
// The robot's signature covers the time alone: whoever captured one can, within [Window], write any body. So people
// are only as authentic as the connection, and whatever deletes wants a code.
// Rules: open.dingtalk.com/document/orgapp/receive-message.
type dingtalk struct {
	secrets  []string
	callback *callbackKeys // nil: the event callback is off
}

func openDingTalk(secrets Secrets) (sender, error) {
	values, err := secrets.read(envDingTalk)
	if err != nil {
		return nil, err
	}
	d := dingtalk{secrets: values}
	if len(secrets[envDingTalkAES]) > 0 {
		keys, err := readCallbackKeys(secrets, envDingTalkToken, envDingTalkAES, envDingTalkCorp)
		if err != nil {
			return nil, err
		}
		d.callback = &keys
	}
	return d, nil
}

func (d dingtalk) verify(r *request) error {
	if r.query.Has("signature") || r.query.Has("msg_signature") {
		return d.verifyCallback(r)
	}
	timestamp := r.one("Timestamp")
	if err := fresh(timestamp, time.Millisecond, r.now); err != nil {
		return err
	}
	return checkSignature(d.secrets, r.one("Sign"), func(secret string) string {
		return base64HMAC(secret, timestamp, "\n", secret)
	})
}

func (d dingtalk) verifyCallback(r *request) error {
	if d.callback == nil {
		return refuse("the event callback is off: set DINGTALK_AES_KEY, DINGTALK_TOKEN and DINGTALK_CORP_ID")
	}
	signature := r.oneOf("msg_signature")
	if signature == "" {
		signature = r.oneOf("signature")
	}
	var body struct {
		Encrypt string `json:"encrypt"`
	}
	if json.Unmarshal([]byte(r.body), &body) != nil {
		return refuse("the body is not readable")
	}
	return d.callback.verify(r, signature, body.Encrypt, time.Millisecond)
}

func (d dingtalk) parse(r *request) (inbound, error) {
	if r.opened.key != "" {
		return d.parseCallback(r)
	}
	var m struct {
		MsgType string `json:"msgtype"`
		Text    struct {
			Content string `json:"content"`
		} `json:"text"`
		MsgID          string `json:"msgId"`
		ConversationID string `json:"conversationId"`
		SenderStaffID  string `json:"senderStaffId"`
		SenderID       string `json:"senderId"`
		SenderCorpID   string `json:"senderCorpId"`
		SessionWebhook string `json:"sessionWebhook"`
	}
	if err := decodeJSON(r.plain, &m); err != nil {
		return nil, err
	}
	// isAdmin says nothing that we would believe. Who has no staff ID here is from outside of the corporation: he is known
	// by another ID, which no rule names, so that what he confirms is his own.
	actor := m.SenderStaffID
	if actor == "" && m.SenderID != "" {
		actor = "outside:" + m.SenderID
	}
	a := ask{
		tenant: m.SenderCorpID, channel: m.ConversationID, actor: actor,
		text: m.Text.Content, key: "message:" + m.MsgID, late: m.SessionWebhook,
	}
	return a, required(map[string]string{"msgId": m.MsgID, "conversationId": a.channel, "senderStaffId": a.actor})
}

// parseCallback acknowledges an event. The answer is the encrypted word success, whatever the event.
func (d dingtalk) parseCallback(r *request) (inbound, error) {
	if err := decodeJSON(r.plain, &struct{}{}); err != nil {
		return nil, err
	}
	sealed, err := r.opened.seal(r.random, r.now, time.Millisecond, "success")
	if err != nil {
		return nil, err
	}
	return handshake(jsonAnswer(sealed)), nil
}

// render makes markdown; its title is the text of the notification.
func (dingtalk) render(_ *request, _ ask, p reply) (answer, error) {
	lines := strings.Split(p.text(), "\n")
	for i, line := range lines {
		lines[i] = markdownEscape(line)
	}
	return jsonAnswer(map[string]any{
		"msgtype":  "markdown",
		"markdown": map[string]string{"title": clip(p.result, 60), "text": strings.Join(lines, "\n\n")},
	}), nil
}
