package webhook

import (
	"time"

	"swas-snapshot/shared/snapshot"
)

const envDingTalk = "DINGTALK_APP_SECRET"

// dingtalk sends messages to DingTalk robots in HTTP mode.
//
// The robot's signature covers the time alone: a caller that captured one can, within [Window], send any body as any
// user.
// Rules: open.dingtalk.com/document/orgapp/receive-message.
var dingtalk = sender{
	name: "dingtalk", variables: []variable{{envDingTalk, plainForm}},
	headers: []string{"Sign", "Timestamp"}, media: []string{mediaJSON},
	budget: budgetShort, language: zh,
	verify: verifyDingTalk, parse: parseDingTalk, render: renderDingTalk, sample: sampleDingTalk,
}

func verifyDingTalk(k keyring, r *request) error {
	timestamp := r.one("Timestamp")
	if err := fresh(timestamp, time.Millisecond, r.now); err != nil {
		return err
	}
	return checkSignature(k[envDingTalk], r.one("Sign"), func(key string) string {
		return base64HMAC(key, timestamp, "\n", key)
	})
}

func parseDingTalk(r *request) (inbound, error) {
	d, err := decodeJSON(r.plain)
	if err != nil {
		return nil, err
	}
	m := message{
		tenant: d.text("senderCorpId"), channel: d.required("conversationId"), actor: d.text("senderStaffId"),
		text: d.text("text.content"), key: snapshot.ComposedKey("message", d.required("msgId")),
		replyURL: dingtalkReplyURL(d.text("sessionWebhook")),
	}
	// isAdmin is not signed, so it counts for nothing. A user without a staff ID is from outside of the corporation,
	// and is known by another ID, which no rule names.
	if m.actor == "" {
		m.actor = "outside:" + d.required("senderId")
	}
	return m, d.err
}

// dingtalkReplyURL returns a sessionWebhook, which takes answers for about 90 minutes, if it is one.
func dingtalkReplyURL(text string) string {
	return trustedURL(text, "oapi.dingtalk.com", "/robot/sendBySession")
}

// renderDingTalk makes markdown; its title is the text of the notification.
func renderDingTalk(_ *request, _ message, p reply) (content, error) {
	return jsonContent(map[string]any{
		"msgtype":  "markdown",
		"markdown": map[string]string{"title": clip(p.result, 60), "text": p.paragraphs(markdownEscape)},
	}), nil
}

func sampleDingTalk(s sampler) Sample {
	body := encoded(fields{
		"msgtype": "text", "text": fields{"content": " " + s.command()}, "msgId": s.id,
		"conversationId": s.channel(), "senderStaffId": s.actor(), "senderCorpId": s.rule.Tenant,
	})
	key := s.key(envDingTalk)
	return newSample(mediaJSON, body, "Timestamp", s.millis(), "Sign", base64HMAC(key, s.millis(), "\n", key))
}
