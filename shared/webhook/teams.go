package webhook

import (
	"encoding/json"
	"html"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// teams takes messages of outgoing webhooks of Microsoft Teams, and answers in plain text.
//
// Rules: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook.
type teams struct{ keys []string }

func openTeams(secrets Secrets) (sender, error) {
	keys, err := secrets.decoded(envTeams, "")
	return teams{keys}, err
}

// verify checks the signature over the body, and then the time inside the body: no header has one.
func (t teams) verify(r *request) error {
	signature, isHMAC := strings.CutPrefix(r.one("Authorization"), "HMAC ")
	if !isHMAC {
		return refuse("the header Authorization is missing or of another scheme")
	}
	err := checkSignature(t.keys, signature, func(key string) string { return base64HMAC(key, r.body) })
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

func (teams) parse(r *request) (inbound, error) {
	var m struct {
		Type         string    `json:"type"`
		ID           string    `json:"id"`
		Timestamp    time.Time `json:"timestamp"`
		Locale       string    `json:"locale"`
		Text         string    `json:"text"`
		Conversation struct {
			ID string `json:"id"`
		} `json:"conversation"`
		From struct {
			ID          string `json:"id"`
			AADObjectID string `json:"aadObjectId"`
		} `json:"from"`
		ChannelData struct {
			Tenant struct {
				ID string `json:"id"`
			} `json:"tenant"`
			TeamsChannelID string `json:"teamsChannelId"`
		} `json:"channelData"`
	}
	if err := decodeJSON(r.plain, &m); err != nil {
		return nil, err
	}
	if m.Type != "message" {
		return ignored("only messages are read"), nil
	}
	a := ask{
		tenant: m.ChannelData.Tenant.ID, channel: m.ChannelData.TeamsChannelID, actor: m.From.AADObjectID,
		text: html.UnescapeString(htmlTag().ReplaceAllString(teamsMention().ReplaceAllString(m.Text, " "), " ")),
		key:  snapshot.ComposedKey("message", m.Conversation.ID, m.ID), time: m.Timestamp, lang: languageOf(m.Locale),
	}
	if a.channel == "" {
		a.channel, _, _ = strings.Cut(m.Conversation.ID, ";messageid=") // the conversation of a thread is its channel and message
	}
	if a.actor == "" {
		a.actor = m.From.ID
	}
	return a, required(map[string]string{"id": m.ID, "conversation.id": m.Conversation.ID, "from": a.actor})
}

var (
	teamsMention = lazily(`(?is)<at\b[^>]*>.*?</at>`)
	htmlTag      = lazily(`<[^>]*>`)
)

// render makes text. Teams reads it as HTML and Markdown, so both are escaped; a lone line break would be a blank.
func (teams) render(_ *request, _ ask, p reply) (answer, error) {
	lines := strings.Split(p.text(), "\n")
	for i, line := range lines {
		lines[i] = html.EscapeString(markdownEscape(line))
	}
	return jsonAnswer(map[string]string{"type": "message", "text": strings.Join(lines, "\n\n")}), nil
}
