package webhook

import (
	"cmp"
	"encoding/json"
	"html"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

const envTeams = "TEAMS_TOKEN"

// teams sends messages by outgoing webhooks of Microsoft Teams, and gets answers in plain text.
//
// Rules: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook.
var teams = sender{
	name: "teams", variables: []variable{{envTeams, base64Form}},
	headers: []string{"Authorization"}, media: []string{mediaJSON},
	budget: budgetMedium,
	verify: verifyTeams, parse: parseTeams, render: renderTeams, sample: sampleTeams,
}

// verifyTeams checks the signature over the body, and then the time inside the body: no header has one.
func verifyTeams(k keyring, r *request) error {
	signature, isHMAC := strings.CutPrefix(r.one("Authorization"), "HMAC ")
	if !isHMAC {
		return refuse("the header Authorization is missing or of another scheme")
	}
	err := checkSignature(k[envTeams], signature, func(key string) string { return base64HMAC(key, r.body) })
	if err != nil {
		return err
	}
	var activity struct {
		Timestamp time.Time `json:"timestamp"`
	}
	if json.Unmarshal([]byte(r.body), &activity) != nil || activity.Timestamp.IsZero() {
		return refuse("the timestamp is missing or malformed")
	}
	return near(activity.Timestamp, r.now)
}

func parseTeams(r *request) (inbound, error) {
	d, err := decodeJSON(r.plain)
	if err != nil {
		return nil, err
	}
	if d.text("type") != "message" {
		return ignored("only messages are read"), d.err
	}
	conversation := d.required("conversation.id")
	channel, _, _ := strings.Cut(conversation, ";messageid=") // of a thread: its channel and message
	m := message{
		tenant: d.text("channelData.tenant.id"), channel: cmp.Or(d.text("channelData.teamsChannelId"), channel),
		actor: d.text("from.aadObjectId"),
		text: html.UnescapeString(htmlTag().ReplaceAllString(teamsMention().ReplaceAllString(d.text("text"), " "),
			" ")),
		key:  snapshot.ComposedKey("message", conversation, d.required("id")),
		time: d.time("timestamp"), locale: languageOf(d.text("locale")),
	}
	if m.actor == "" {
		m.actor = d.required("from.id")
	}
	return m, d.err
}

var (
	teamsMention = lazily(`(?is)<at\b[^>]*>.*?</at>`)
	htmlTag      = lazily(`<[^>]*>`)
)

// renderTeams makes text. Teams reads it as HTML and Markdown, so both are escaped.
func renderTeams(_ *request, _ message, p reply) (content, error) {
	text := p.paragraphs(func(line string) string { return html.EscapeString(markdownEscape(line)) })
	return jsonContent(map[string]string{"type": "message", "text": text}), nil
}

func sampleTeams(s sampler) Sample {
	body := encoded(fields{
		"type": "message", "id": s.id, "timestamp": s.rfc3339(), "text": "<at>snapshot</at> " + s.target(),
		"conversation": fields{"id": s.channel()}, "from": fields{"aadObjectId": s.actor()},
		"channelData": fields{"tenant": fields{"id": s.rule.Tenant}, "teamsChannelId": s.channel()},
	})
	return newSample(mediaJSON, body, "Authorization", "HMAC "+base64HMAC(s.key(envTeams), body))
}
