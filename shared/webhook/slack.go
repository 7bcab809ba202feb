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
	name: "slack", variables: []variable{{envSlack, plainForm}},
	headers: []string{"X-Slack-Signature", "X-Slack-Request-Timestamp"}, media: []string{mediaForm, mediaJSON},
	budget: budgetShort,
	verify: verifySlack, parse: parseSlack, render: renderSlack, sample: sampleSlack,
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
	d, err := decodeForm(r.plain)
	switch {
	case err != nil:
		return nil, err
	case d.text("ssl_check") == "1":
		return ignored("ssl_check: the certificate is fine"), nil
	case d.has("payload"):
		return ignored("interactions are not used: send a slash command"), nil
	}
	m := message{
		tenant: d.required("team_id"), channel: d.required("channel_id"), actor: d.required("user_id"),
		text: html.UnescapeString(d.text("text")), key: snapshot.ComposedKey("trigger", d.required("trigger_id")),
		replyURL: slackReplyURL(d.text("response_url")),
	}
	return m, d.err
}

func parseSlackEvent(text string) (inbound, error) {
	d, err := decodeJSON(text)
	if err != nil {
		return nil, err
	}
	if d.text("type") == "url_verification" {
		return challenge(d.text("challenge")), d.err
	}
	return ignored("events are not used: send a slash command"), d.err
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
	if footer := p.footer(); footer != "" {
		blocks = append(blocks, map[string]any{"type": "context", "elements": []any{plain(footer, 2000)}})
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
