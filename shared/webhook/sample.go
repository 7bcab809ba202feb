package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/policy"
)

// Sample is a signed request, as a sender would send it: to try a function with, on one's own machine. Its signature
// holds for [Window].
type Sample struct {
	Path   string // with the query
	Header http.Header
	Body   []byte
}

// SampleSecrets are the variables that [NewSample] needs for a sender, each with the form of its secret: how many
// random bytes, and how they are written.
func SampleSecrets(from string) []SampleSecret {
	switch from {
	case "slack":
		return []SampleSecret{{envSlack, plainText}}
	case "dingtalk":
		return []SampleSecret{{envDingTalk, plainText}}
	case "feishu":
		return []SampleSecret{{envFeishuEncrypt, plainText}}
	case "wecom":
		return []SampleSecret{{envWeComToken, plainText}, {envWeComAES, aesText}, {envWeComCorp, plainText}}
	case "teams":
		return []SampleSecret{{envTeams, base64.StdEncoding.EncodeToString}}
	case "github":
		return []SampleSecret{{envGitHub, plainText}}
	case "gitlab":
		return []SampleSecret{{envGitLabSigning, standardText}}
	case "gitee":
		return []SampleSecret{{envGitee, plainText}}
	case "standard":
		return []SampleSecret{{envStandard, standardText}}
	}
	return nil
}

// SampleSecret is a variable and how 32 random bytes become its secret.
type SampleSecret struct {
	Name string
	Form func([]byte) string
}

func plainText(random []byte) string { return hex.EncodeToString(random) }
func standardText(random []byte) string {
	return standardPrefix + base64.StdEncoding.EncodeToString(random)
}
func aesText(random []byte) string {
	return strings.TrimSuffix(base64.StdEncoding.EncodeToString(random), "=")
}

// NewSample makes the request of a sender that a rule of allow lets in, signed with the first secret of each variable.
// id makes its business event a new one. The error is for a sender that has no samples.
func NewSample(rule policy.Allow, secrets Secrets, now time.Time, id string) (Sample, error) {
	make, ok := samples[rule.From]
	if !ok {
		return Sample{}, fmt.Errorf("there is no sample of sender %s", rule.From)
	}
	m := sampleMaker{
		rule: rule, now: now, id: id, target: rule.Targets[0],
		channel: first(rule.Channels, "C0SAMPLE"), actor: first(rule.Actors, "U0SAMPLE"),
		secret: func(name string) string { return first(secrets[name], "") },
	}
	sample := make(m)
	sample.Path = prefix + rule.From + sample.Path
	return sample, nil
}

func first(all []string, otherwise string) string {
	if len(all) == 0 {
		return otherwise
	}
	return all[0]
}

type sampleMaker struct {
	rule                       policy.Allow
	now                        time.Time
	id, target, channel, actor string
	secret                     func(name string) string
}

func (m sampleMaker) seconds() string { return strconv.FormatInt(m.now.Unix(), 10) }
func (m sampleMaker) millis() string  { return strconv.FormatInt(m.now.UnixMilli(), 10) }

// with makes a sample of headers in pairs.
func with(media string, body []byte, headers ...string) Sample {
	header := http.Header{"Content-Type": {media}}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return Sample{Header: header, Body: body}
}

// encoded is JSON of maps and text, which cannot fail.
func encoded(value any) []byte {
	body, _ := json.Marshal(value)
	return body
}

type object = map[string]any

var samples = map[string]func(sampleMaker) Sample{
	"slack":    sampleSlack,
	"dingtalk": sampleDingTalk,
	"feishu":   sampleFeishu,
	"wecom":    sampleWeCom,
	"teams":    sampleTeams,
	"github":   sampleGitHub,
	"gitlab":   sampleGitLab,
	"gitee":    sampleGitee,
	"standard": sampleStandard,
}

func sampleSlack(m sampleMaker) Sample {
	body := url.Values{
		"team_id": {m.rule.Tenant}, "channel_id": {m.channel}, "user_id": {m.actor},
		"command": {"/snapshot"}, "text": {m.target + " before the upgrade"}, "trigger_id": {m.id},
	}.Encode()
	return with(mediaForm, []byte(body), "X-Slack-Request-Timestamp", m.seconds(),
		"X-Slack-Signature", "v0="+hex.EncodeToString(hmacSHA256(m.secret(envSlack), "v0:", m.seconds(), ":", body)))
}

func sampleDingTalk(m sampleMaker) Sample {
	body := encoded(object{
		"msgtype": "text", "text": object{"content": " " + m.target + " before the upgrade"}, "msgId": m.id,
		"conversationId": m.channel, "senderStaffId": m.actor, "senderCorpId": m.rule.Tenant,
	})
	secret := m.secret(envDingTalk)
	return with(mediaJSON, body, "timestamp", m.millis(), "sign", base64HMAC(secret, m.millis(), "\n", secret))
}

func sampleFeishu(m sampleMaker) Sample {
	content := encoded(object{"text": m.target + " before the upgrade"})
	body := encoded(object{
		"schema": "2.0",
		"header": object{"event_id": m.id, "event_type": "im.message.receive_v1", "create_time": m.millis(), "tenant_key": m.rule.Tenant, "token": m.secret(envFeishuToken)},
		"event": object{
			"sender":  object{"sender_id": object{"open_id": m.actor}, "sender_type": "user"},
			"message": object{"message_id": m.id, "create_time": m.millis(), "chat_id": m.channel, "message_type": "text", "content": string(content)},
		},
	})
	sum := sha256.Sum256([]byte(m.seconds() + m.id + m.secret(envFeishuEncrypt) + string(body)))
	return with(mediaJSON, body, "X-Lark-Request-Timestamp", m.seconds(), "X-Lark-Request-Nonce", m.id, "X-Lark-Signature", hex.EncodeToString(sum[:]))
}

func sampleWeCom(m sampleMaker) Sample {
	type message struct {
		XMLName                                    xml.Name `xml:"xml"`
		ToUserName, FromUserName, MsgType, Content string
		CreateTime                                 int64
		MsgId, AgentID                             string
	}
	plain, _ := xml.Marshal(message{
		ToUserName: m.rule.Tenant, FromUserName: m.actor, MsgType: "text", Content: m.target + " before the upgrade",
		CreateTime: m.now.Unix(), MsgId: m.id, AgentID: m.channel,
	})
	key, _ := aesKeyOf(m.secret(envWeComAES))
	encrypted, _ := pack(key, []byte(m.id + "0123456789abcdef")[:16], string(plain), m.secret(envWeComCorp))
	body, _ := xml.Marshal(struct {
		XMLName xml.Name `xml:"xml"`
		Encrypt string
	}{Encrypt: encrypted})
	sample := with("text/xml", body)
	sample.Path = "?" + url.Values{
		"timestamp": {m.seconds()}, "nonce": {m.id},
		"msg_signature": {callbackSignature(m.secret(envWeComToken), m.seconds(), m.id, encrypted)},
	}.Encode()
	return sample
}

func sampleTeams(m sampleMaker) Sample {
	body := encoded(object{
		"type": "message", "id": m.id, "timestamp": m.now.UTC().Format(time.RFC3339), "text": "<at>snapshot</at> " + m.target,
		"conversation": object{"id": m.channel}, "from": object{"aadObjectId": m.actor},
		"channelData": object{"tenant": object{"id": m.rule.Tenant}, "teamsChannelId": m.channel},
	})
	key, _ := base64.StdEncoding.DecodeString(m.secret(envTeams))
	return with(mediaJSON, body, "Authorization", "HMAC "+base64HMAC(string(key), string(body)))
}

func sampleGitHub(m sampleMaker) Sample {
	number, _ := strconv.ParseInt(m.id, 16, 64)
	repository := object{"id": 1296269, "full_name": m.rule.Repository}
	ref := strings.ReplaceAll(first(m.rule.Refs, "refs/heads/main"), "*", "main")
	body := object{"repository": repository, "sender": object{"login": "ana"}}
	switch m.rule.On {
	case "deployment":
		body["action"] = "created"
		body["deployment"] = object{"id": number, "sha": m.sha(), "ref": strings.TrimPrefix(ref, "refs/heads/"), "environment": first(m.rule.Environments, "production"), "created_at": m.now.UTC().Format(time.RFC3339)}
	case "workflow_run":
		body["action"] = "requested"
		body["workflow_run"] = object{"id": number, "run_attempt": 1, "event": "push", "head_branch": strings.TrimPrefix(ref, "refs/heads/"), "head_sha": m.sha(), "head_repository": repository}
	default:
		body["ref"], body["before"], body["after"], body["deleted"] = ref, m.shaOf("before"), m.sha(), false
	}
	text := encoded(body)
	return with(mediaJSON, text, "X-GitHub-Event", m.rule.On, "X-GitHub-Delivery", m.id,
		"X-Hub-Signature-256", "sha256="+hex.EncodeToString(hmacSHA256(m.secret(envGitHub), string(text))))
}

// sha is a commit that belongs to the sample alone, and shaOf another one.
func (m sampleMaker) sha() string { return m.shaOf("") }

func (m sampleMaker) shaOf(other string) string {
	sum := sha256.Sum256([]byte(m.id + other))
	return hex.EncodeToString(sum[:20])
}

func sampleGitLab(m sampleMaker) Sample {
	number, _ := strconv.ParseInt(m.id, 16, 64)
	ref := strings.TrimPrefix(strings.ReplaceAll(first(m.rule.Refs, "refs/heads/main"), "*", "main"), "refs/heads/")
	body := object{"project": object{"id": 15, "path_with_namespace": m.rule.Repository, "web_url": "https://gitlab.com/" + m.rule.Repository}}
	switch m.rule.On {
	case "deployment":
		body["object_kind"], body["status"], body["deployment_id"] = "deployment", "running", number
		body["environment"], body["ref"], body["short_sha"] = first(m.rule.Environments, "production"), ref, m.sha()[:8]
	case "pipeline":
		body["object_kind"] = "pipeline"
		body["object_attributes"] = object{"id": number, "ref": ref, "sha": m.sha(), "source": "push", "status": "pending"}
	default:
		body["object_kind"], body["ref"], body["before"], body["after"] = "push", "refs/heads/"+ref, m.shaOf("before"), m.sha()
	}
	return m.standard(encoded(body), envGitLabSigning)
}

func sampleGitee(m sampleMaker) Sample {
	body := encoded(object{
		"ref": strings.ReplaceAll(first(m.rule.Refs, "refs/heads/main"), "*", "main"), "before": m.shaOf("before"), "after": m.sha(), "deleted": false,
		"repository": object{"id": 120249025, "path_with_namespace": m.rule.Repository, "full_name": m.rule.Repository}, "sender": object{"login": "ana"},
	})
	secret := m.secret(envGitee)
	return with(mediaJSON, body, "X-Gitee-Event", "Push Hook", "X-Gitee-Timestamp", m.millis(),
		"X-Gitee-Token", base64HMAC(secret, m.millis(), "\n", secret))
}

func sampleStandard(m sampleMaker) Sample {
	return m.standard(encoded(object{"target": m.target, "reason": "release " + m.id}), envStandard)
}

// standard signs a body as Standard Webhooks do.
func (m sampleMaker) standard(body []byte, variable string) Sample {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.secret(variable), standardPrefix))
	signature := base64.StdEncoding.EncodeToString(hmacSHA256(string(key), m.id, ".", m.seconds(), ".", string(body)))
	return with(mediaJSON, body, headerID, m.id, headerTime, m.seconds(), headerSigned, "v1,"+signature)
}
