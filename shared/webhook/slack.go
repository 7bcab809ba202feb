package webhook

import (
	"html"
	"strings"
	"time"
)

// slack speaks to slash commands, block buttons and the Events API's handshake of one or more Slack apps.
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
	if payload := form.Get("payload"); payload != "" {
		return s.parseButton(payload)
	}
	a := ask{
		tenant: form.Get("team_id"), channel: form.Get("channel_id"), actor: form.Get("user_id"),
		text: html.UnescapeString(form.Get("text")),
		key:  "trigger:" + form.Get("trigger_id"),
		late: form.Get("response_url"),
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

// Names of the buttons under a question.
const (
	actionConfirm = "confirm"
	actionCancel  = "cancel"
)

func (slack) parseButton(payload string) (inbound, error) {
	var press struct {
		Type        string              `json:"type"`
		User        struct{ ID string } `json:"user"`
		Team        struct{ ID string } `json:"team"`
		Channel     struct{ ID string } `json:"channel"`
		ResponseURL string              `json:"response_url"`
		Actions     []struct {
			ActionID string `json:"action_id"`
			Value    string `json:"value"`
		} `json:"actions"`
	}
	if err := decodeJSON(payload, &press); err != nil {
		return nil, err
	}
	if press.Type != "block_actions" || len(press.Actions) != 1 {
		return ignored("only the buttons of our own answers are used"), nil
	}
	a := ask{tenant: press.Team.ID, channel: press.Channel.ID, actor: press.User.ID, button: true, late: press.ResponseURL}
	switch press.Actions[0].ActionID {
	case actionConfirm:
		a.pressed = press.Actions[0].Value
	case actionCancel:
		a.pressed, a.cancelled = press.Actions[0].Value, true
	default:
		return ignored("only the buttons of our own answers are used"), nil
	}
	return a, required(map[string]string{"team.id": a.tenant, "channel.id": a.channel, "user.id": a.actor})
}

type slackText struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji bool   `json:"emoji"` // whether :names: become pictures
}

// render makes Block Kit blocks. All text in blocks is plain_text, which Slack never reads as markup; the fallback text
// is not told to be markup either, and its three special characters are escaped all the same.
func (slack) render(_ *request, a ask, p reply) (answer, error) {
	plain := func(text string) slackText { return slackText{"plain_text", text, false} }
	section := func(text string) map[string]any {
		return map[string]any{"type": "section", "text": plain(clip(text, 3000))}
	}
	blocks := []map[string]any{section(p.head())}
	if len(p.lines) > 0 {
		blocks = append(blocks, section(strings.Join(p.lines, "\n")))
	}
	if o := p.offer; o != nil {
		button := func(action, label, value string) map[string]any {
			return map[string]any{"type": "button", "action_id": action, "text": plain(label), "value": value}
		}
		confirm := button(actionConfirm, say.buttonConfirm.in(p.lang), o.value)
		confirm["style"] = "danger"
		confirm["confirm"] = map[string]any{
			"title": plain(say.buttonTitle.in(p.lang)), "text": plain(clip(p.result, 300)),
			"confirm": plain(say.buttonConfirm.in(p.lang)), "deny": plain(say.buttonCancel.in(p.lang)), "style": "danger",
		}
		blocks = append(blocks, map[string]any{"type": "actions", "elements": []any{confirm, button(actionCancel, say.buttonCancel.in(p.lang), o.cancel)}})
	}
	if len(p.small) > 0 {
		blocks = append(blocks, map[string]any{"type": "context", "elements": []any{plain(clip(strings.Join(p.small, " · "), 2000))}})
	}
	message := map[string]any{"response_type": "ephemeral", "mrkdwn": false, "text": slackEscape.Replace(p.text()), "blocks": blocks}
	if p.done {
		message["response_type"] = "in_channel"
	}
	if a.button {
		message["replace_original"] = !p.aside // the buttons go: no second click
	}
	return jsonAnswer(message), nil
}

// slackEscape is the whole of Slack's rule: api.slack.com/reference/surfaces/formatting#escaping.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
