package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// form is how one kind of robot takes a message.
type form struct {
	// address returns the URL to post to; nil: that of the rule.
	address func(policy.Notify, time.Time) string
	// body returns what is posted, as JSON.
	body func(policy.Notify, snapshot.Notification, time.Time) any
	// check returns an error unless the reply says that the message was taken; nil: the HTTP status is enough.
	check func(reply []byte) error
}

var forms = map[string]form{
	"dingtalk": {address: dingTalkAddress, body: dingTalkBody, check: dingTalkCheck},
	"feishu":   {body: feishuBody, check: feishuCheck},
	"slack":    {body: slackBody},
	"json":     {body: jsonBody},
}

// dingTalkAddress adds the signature of a custom robot: the time in milliseconds, and base64(HMAC-SHA256(secret,
// time + "\n" + secret)). Source: open.dingtalk.com, "Custom robot security settings".
func dingTalkAddress(rule policy.Notify, now time.Time) string {
	parsed, err := url.Parse(rule.URL)
	if rule.Secret == "" || err != nil {
		return rule.URL
	}
	at := strconv.FormatInt(now.UnixMilli(), 10)
	query := parsed.Query()
	query.Set("timestamp", at)
	query.Set("sign", dingTalkSign(rule.Secret, at))
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

func dingTalkSign(secret, at string) string { return sign(secret, at+"\n"+secret) }

// feishuSign is the signature of a custom bot: base64(HMAC-SHA256(time + "\n" + secret, "")), the time in seconds.
// Source: open.feishu.cn, "Custom bot usage guide".
func feishuSign(secret, at string) string { return sign(at+"\n"+secret, "") }

func sign(key, message string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// dingTalkMarkup replaces what DingTalk's markdown acts on by full-width characters: its documents promise no escape.
var dingTalkMarkup = strings.NewReplacer("[", "［", "]", "］", "<", "＜", ">", "＞", "*", "＊", "`", "｀", "#", "＃",
	"~", "～", "|", "｜", `\`, "＼")

func dingTalkBody(_ policy.Notify, n snapshot.Notification, now time.Time) any {
	var body struct {
		Type     string `json:"msgtype"`
		Markdown struct {
			Title string `json:"title"` // what the notification of the phone shows
			Text  string `json:"text"`
		} `json:"markdown"`
	}
	lines := message(n, now)
	for i, line := range lines {
		lines[i] = dingTalkMarkup.Replace(line)
	}
	body.Type = "markdown"
	body.Markdown.Title = lines[0]
	body.Markdown.Text = "### " + strings.Join(lines, "\n\n")
	return body
}

func dingTalkCheck(reply []byte) error {
	var answer struct {
		Code *int `json:"errcode"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil || answer.Code == nil {
		return errNoCode
	}
	return refused(*answer.Code)
}

// feishuMarkup replaces what would be a mention in a text, <at ...>.
var feishuMarkup = strings.NewReplacer("<", "＜", ">", "＞")

func feishuBody(rule policy.Notify, n snapshot.Notification, now time.Time) any {
	type element struct {
		Tag  string `json:"tag"`
		Text string `json:"text"`
	}
	type post struct {
		Title   string      `json:"title"`
		Content [][]element `json:"content"` // paragraphs of elements
	}
	var body struct {
		Timestamp string `json:"timestamp,omitempty"`
		Sign      string `json:"sign,omitempty"`
		Type      string `json:"msg_type"`
		Content   struct {
			Post map[string]post `json:"post"` // by language
		} `json:"content"`
	}
	var text post
	for i, line := range message(n, now) {
		line = feishuMarkup.Replace(line)
		if i == 0 {
			text.Title = line
		} else {
			text.Content = append(text.Content, []element{{Tag: "text", Text: line}})
		}
	}
	body.Type = "post"
	body.Content.Post = map[string]post{"zh_cn": text} // shown to clients of every language
	if rule.Secret != "" {
		body.Timestamp = strconv.FormatInt(now.Unix(), 10)
		body.Sign = feishuSign(rule.Secret, body.Timestamp)
	}
	return body
}

func feishuCheck(reply []byte) error {
	var answer struct {
		Code *int `json:"code"`
		Old  *int `json:"StatusCode"` // what older bots answer a success with
	}
	err := json.Unmarshal(reply, &answer)
	switch {
	case err != nil, answer.Code == nil && answer.Old == nil:
		return errNoCode
	case answer.Code == nil:
		return refused(*answer.Old)
	}
	return refused(*answer.Code)
}

var errNoCode = errors.New("the robot answered without a code: check the URL of the rule")

// refused returns the error of a code that is not 0.
func refused(code int) error {
	if code == 0 {
		return nil
	}
	return fmt.Errorf("the robot refused with code %d: check its security settings and the secret of the rule", code)
}

// slackMarkup escapes the three characters by which Slack marks mentions and links.
// Source: docs.slack.dev, "Formatting message text".
var slackMarkup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func slackBody(_ policy.Notify, n snapshot.Notification, now time.Time) any {
	return struct {
		Text     string `json:"text"`
		Markdown bool   `json:"mrkdwn"` // false: * and _ are themselves
	}{Text: slackMarkup.Replace(strings.Join(message(n, now), "\n"))}
}

func jsonBody(_ policy.Notify, n snapshot.Notification, now time.Time) any {
	return struct {
		Kind         snapshot.NotificationKind `json:"kind"`
		Target       string                    `json:"target,omitempty"`
		RegionID     string                    `json:"regionId,omitempty"`
		DiskID       string                    `json:"diskId,omitempty"`
		SnapshotID   string                    `json:"snapshotId,omitempty"`
		SnapshotName string                    `json:"snapshotName,omitempty"`
		What         string                    `json:"what"`
		Advice       string                    `json:"mend,omitempty"`
		Since        time.Time                 `json:"since,omitzero"`
		Key          string                    `json:"key,omitempty"` // equal for the same condition
		Text         string                    `json:"text"`          // all of it, as a message
	}{
		Kind: n.Kind, Target: n.Target, RegionID: n.RegionID, DiskID: n.DiskID,
		SnapshotID: n.SnapshotID, SnapshotName: n.SnapshotName,
		What: Plain(n.What), Advice: Plain(n.Advice), Since: n.Since.UTC().Truncate(time.Second), Key: n.Key,
		Text: strings.Join(message(n, now), "\n"),
	}
}
