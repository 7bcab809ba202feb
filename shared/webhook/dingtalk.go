package webhook

import (
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// dingtalk takes messages of DingTalk robots that call over HTTP.
//
// The robot's signature covers the time alone: a caller that captured one can, within [Window], send any body as any user.
// Rules: open.dingtalk.com/document/orgapp/receive-message.
type dingtalk struct{ secrets []string }

func openDingTalk(secrets Secrets) (sender, error) {
	values, err := secrets.read(envDingTalk)
	return dingtalk{values}, err
}

func (d dingtalk) verify(r *request) error {
	timestamp := r.one("Timestamp")
	if err := fresh(timestamp, time.Millisecond, r.now); err != nil {
		return err
	}
	return checkSignature(d.secrets, r.one("Sign"), func(secret string) string {
		return base64HMAC(secret, timestamp, "\n", secret)
	})
}

func (dingtalk) parse(r *request) (inbound, error) {
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
	}
	if err := decodeJSON(r.plain, &m); err != nil {
		return nil, err
	}
	// isAdmin is not signed, so it counts for nothing. A user without a staff ID is from outside of the corporation, and is
	// known by another ID, which no rule names.
	actor := m.SenderStaffID
	if actor == "" && m.SenderID != "" {
		actor = "outside:" + m.SenderID
	}
	a := ask{
		tenant: m.SenderCorpID, channel: m.ConversationID, actor: actor,
		text: m.Text.Content, key: snapshot.ComposedKey("message", m.MsgID),
	}
	return a, required(map[string]string{"msgId": m.MsgID, "conversationId": a.channel, "senderStaffId": a.actor})
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
