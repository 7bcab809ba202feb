package webhook

import (
	"html"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// slack takes slash commands and the handshake of the Events API of one or more Slack apps.
//
// Rules: docs.slack.dev/authentication/verifying-requests-from-slack, /interactivity/implementing-slash-commands.
type slack struct{ secrets []string }

func openSlack(secrets Secrets) (sender, error) {
	values, err := secrets.read(envSlack)
	return slack{values}, err
}

func (s slack) verify(r *request) error {
	timestamp := r.one("X-Slack-Request-Timestamp")
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	return checkSignature(s.secrets, r.one("X-Slack-Signature"), func(secret string) string {
		return "v0=" + hexHMAC(secret, "v0:", timestamp, ":", r.body)
	})
}

func (s slack) parse(r *request) (inbound, error) {
	if r.media == mediaJSON {
		return s.parseEvent(r.plain)
	}
	form, err := decodeForm(r.plain)
	if err != nil {
		return nil, err
	}
	if form.Get("ssl_check") == "1" {
		return ignored("ssl_check: the certificate is fine"), nil
	}
	if form.Has("payload") {
		return ignored("interactions are not used: send a slash command"), nil
	}
	a := ask{
		tenant: form.Get("team_id"), channel: form.Get("channel_id"), actor: form.Get("user_id"),
		text: html.UnescapeString(form.Get("text")),
		key:  snapshot.ComposedKey("trigger", form.Get("trigger_id")),
	}
	return a, required(map[string]string{"team_id": a.tenant, "channel_id": a.channel, "user_id": a.actor, "trigger_id": form.Get("trigger_id")})
}

func (slack) parseEvent(text string) (inbound, error) {
	var event struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if err := decodeJSON(text, &event); err != nil {
		return nil, err
	}
	if event.Type == "url_verification" {
		return handshake(jsonAnswer(map[string]string{"challenge": event.Challenge})), nil
	}
	return ignored("events are not used: send a slash command"), nil
}

type slackText struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji bool   `json:"emoji"` // whether :names: become pictures
}

// render makes Block Kit blocks. All text in blocks is plain_text, which Slack never reads as markup; the fallback text
// is not told to be markup either, and its three special characters are escaped all the same.
func (slack) render(_ *request, _ ask, p reply) (answer, error) {
	plain := func(text string) slackText { return slackText{"plain_text", text, false} }
	section := func(text string) map[string]any {
		return map[string]any{"type": "section", "text": plain(clip(text, 3000))}
	}
	blocks := []map[string]any{section(p.head())}
	if len(p.lines) > 0 {
		blocks = append(blocks, section(strings.Join(p.lines, "\n")))
	}
	if len(p.small) > 0 {
		blocks = append(blocks, map[string]any{"type": "context", "elements": []any{plain(clip(strings.Join(p.small, " · "), 2000))}})
	}
	message := map[string]any{"response_type": "ephemeral", "mrkdwn": false, "text": slackEscape.Replace(p.text()), "blocks": blocks}
	if p.done {
		message["response_type"] = "in_channel"
	}
	return jsonAnswer(message), nil
}

// slackEscape is the whole of Slack's rule: api.slack.com/reference/surfaces/formatting#escaping.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
