package webhook

import (
	"html"
	"net/url"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

const envSlack = "SLACK_SIGNING_SECRET"

// slack sends slash commands and the handshake of the Events API, of one or more Slack apps.
//
// Rules: docs.slack.dev/authentication/verifying-requests-from-slack, /interactivity/implementing-slash-commands.
var slack = sender{
	name:      "slack",
	variables: []variable{{envSlack, plainForm}},
	headers:   []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"},
	media:     []string{mediaForm, mediaJSON},
	budget:    budgetShort,
	verify:    verifySlack,
	parse:     parseSlack,
	render:    renderSlack,
	sample:    sampleSlack,
}

func verifySlack(k keyring, r *request) error {
	timestamp := r.one("X-Slack-Request-Timestamp")
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	return checkSignature(k[envSlack], r.one("X-Slack-Signature"), func(key string) string {
		return "v0=" + hexHMAC(key, "v0:", timestamp, ":", r.body)
	})
}

func parseSlack(r *request) (inbound, error) {
	if r.media == mediaJSON {
		return parseSlackEvent(r.plain)
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
	trigger := form.Get("trigger_id")
	m := message{
		tenant: form.Get("team_id"), channel: form.Get("channel_id"), actor: form.Get("user_id"),
		text: html.UnescapeString(form.Get("text")), key: snapshot.ComposedKey("trigger", trigger),
		replyURL: slackReplyURL(form.Get("response_url")),
	}
	return m, required(map[string]string{
		"team_id": m.tenant, "channel_id": m.channel, "user_id": m.actor, "trigger_id": trigger,
	})
}

func parseSlackEvent(text string) (inbound, error) {
	var event struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if err := decodeJSON(text, &event); err != nil {
		return nil, err
	}
	if event.Type == "url_verification" {
		return challenge(event.Challenge), nil
	}
	return ignored("events are not used: send a slash command"), nil
}

// slackReplyURL returns a response_url, which takes 5 answers within 30 minutes, if it is one.
func slackReplyURL(text string) string { return trustedURL(text, "hooks.slack.com", "/commands/") }

type slackText struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji bool   `json:"emoji"` // :names: become pictures
}

// renderSlack makes Block Kit blocks. All text in blocks is plain_text, which Slack never reads as markup; the fallback
// text is declared to be no markup either, and its three special characters are escaped all the same.
func renderSlack(_ *request, _ message, p reply) (content, error) {
	plain := func(text string, limit int) slackText { return slackText{"plain_text", clip(text, limit), false} }
	section := func(text string) map[string]any { return map[string]any{"type": "section", "text": plain(text, 3000)} }
	blocks := []map[string]any{section(p.head())}
	if len(p.lines) > 0 {
		blocks = append(blocks, section(strings.Join(p.lines, "\n")))
	}
	if len(p.small) > 0 {
		blocks = append(blocks, map[string]any{"type": "context", "elements": []any{plain(p.footer(), 2000)}})
	}
	visibility := "ephemeral"
	if p.done {
		visibility = "in_channel"
	}
	return jsonContent(map[string]any{
		"response_type": visibility, "mrkdwn": false, "text": slackEscape.Replace(p.text()), "blocks": blocks,
	}), nil
}

// slackEscape is the whole of Slack's rule: api.slack.com/reference/surfaces/formatting#escaping.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func sampleSlack(s sampler) Sample {
	body := url.Values{
		"team_id": {s.rule.Tenant}, "channel_id": {s.channel()}, "user_id": {s.actor()},
		"command": {"/snapshot"}, "text": {s.command()}, "trigger_id": {s.id},
	}.Encode()
	signature := "v0=" + hexHMAC(s.key(envSlack), "v0:", s.seconds(), ":", body)
	return newSample(mediaForm, body, "X-Slack-Request-Timestamp", s.seconds(), "X-Slack-Signature", signature)
}
