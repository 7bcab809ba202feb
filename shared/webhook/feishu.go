package webhook

import (
	"cmp"
	"crypto/aes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"swas-snapshot/shared/snapshot"
)

const (
	envFeishuEncrypt = "FEISHU_ENCRYPT_KEY"
	envFeishuToken   = "FEISHU_VERIFICATION_TOKEN"
)

// feishu sends events to Feishu (Lark) apps.
//
// With an Encrypt Key everything but the handshake must carry a signature. With a Verification Token alone, all that
// authenticates is that token inside the body; set the Encrypt Key.
// Rules: open.feishu.cn/document/server-docs/event-subscription-guide.
var feishu = sender{
	name: "feishu", variables: []variable{{envFeishuEncrypt, plainForm}, {envFeishuToken, plainForm}}, needs: needsAny,
	headers: []string{"X-Lark-Signature", "X-Lark-Request-Timestamp",
		"X-Lark-Request-Nonce"}, media: []string{mediaJSON},
	budget: budgetShort, language: zh,
	verify: verifyFeishu, parse: parseFeishu, render: renderFeishu, sample: sampleFeishu,
}

// feishuBody is what verify needs of a body: the token stands in the header of version 2 or at the top of version 1.
type feishuBody struct {
	Encrypt string `json:"encrypt"`
	Type    string `json:"type"`
	Token   string `json:"token"`
	Header  struct {
		Token string `json:"token"`
	} `json:"header"`
}

func verifyFeishu(k keyring, r *request) error {
	encryptKeys, tokens := k[envFeishuEncrypt], k[envFeishuToken]
	signed := len(encryptKeys) > 0 && r.header.Get("X-Lark-Signature") != ""
	if signed {
		if err := checkFeishuSignature(encryptKeys, r); err != nil {
			return err
		}
	}
	body, wasEncrypted, err := openFeishu(encryptKeys, r)
	switch {
	case err != nil:
		return err
	case len(encryptKeys) > 0 && !signed && body.Type != "url_verification":
		return refuse("the signature is missing")
	case len(tokens) > 0 && !equalsAny(tokens, cmp.Or(body.Header.Token, body.Token)):
		return refuse("the verification token does not match")
	case len(tokens) == 0 && !signed && !wasEncrypted:
		return refuse("a handshake without " + envFeishuToken + " must be encrypted")
	}
	return nil
}

// checkFeishuSignature checks hex(SHA256(timestamp, nonce, key, body)): a plain hash, not an HMAC.
func checkFeishuSignature(encryptKeys []string, r *request) error {
	timestamp, nonce := r.one("X-Lark-Request-Timestamp"), r.one("X-Lark-Request-Nonce")
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	if nonce == "" {
		return refuse("the nonce is missing")
	}
	return checkSignature(encryptKeys, r.one("X-Lark-Signature"), func(key string) string {
		return feishuSignature(timestamp, nonce, key, r.body)
	})
}

func feishuSignature(timestamp, nonce, key, body string) string {
	sum := sha256.Sum256([]byte(timestamp + nonce + key + body))
	return hex.EncodeToString(sum[:])
}

// openFeishu decrypts the body where it is encrypted, and leaves what is to be parsed in r.plain. It reads the body
// leniently: parse refuses what two readers may read differently.
func openFeishu(encryptKeys []string, r *request) (body feishuBody, wasEncrypted bool, err error) {
	if json.Unmarshal([]byte(r.body), &body) != nil {
		return body, false, refuse("the body is not readable")
	}
	if body.Encrypt == "" {
		r.plain = r.body
		return body, false, nil
	}
	for _, key := range encryptKeys {
		plain, err := feishuDecrypt(key, body.Encrypt)
		var inner feishuBody
		if err != nil || json.Unmarshal(plain, &inner) != nil {
			continue
		}
		r.plain = string(plain)
		return inner, true, nil
	}
	return body, false, refuse("no key decrypts the body")
}

// feishuDecrypt decrypts AES-256-CBC with SHA256(key); the first 16 bytes are the initial vector.
func feishuDecrypt(key, encrypted string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(encrypted)
	if err != nil || len(data) < aes.BlockSize {
		return nil, errCipherText
	}
	sum := sha256.Sum256([]byte(key))
	return decryptCBC(sum[:], data[:aes.BlockSize], data[aes.BlockSize:], aes.BlockSize)
}

func parseFeishu(r *request) (inbound, error) {
	d, err := decodeJSON(r.plain)
	if err != nil {
		return nil, err
	}
	switch {
	case d.text("type") == "url_verification":
		return challenge(d.text("challenge")), d.err
	case d.text("header.event_type") != "im.message.receive_v1":
		return ignored("only im.message.receive_v1 is used"), d.err
	case d.text("event.sender.sender_type") == "app" || d.text("event.message.message_type") != "text":
		return ignored("only text from users is read"), d.err
	}
	inner, err := decodeJSON(d.text("event.message.content"))
	if err != nil {
		return nil, err
	}
	// The same message may come under a new event ID; its own ID stays.
	m := message{
		tenant: d.required("header.tenant_key"), channel: d.required("event.message.chat_id"),
		actor: d.required("event.sender.sender_id.open_id"), text: inner.text("text"),
		key: snapshot.ComposedKey("message", d.required("event.message.message_id")),
	}
	if ms, err := strconv.ParseInt(d.text("event.message.create_time"), 10, 64); err == nil && ms > 0 {
		m.time = time.UnixMilli(ms)
	}
	return m, cmp.Or(d.err, inner.err)
}

// renderFeishu makes a card. Every text is plain_text, which Feishu never reads as markup.
func renderFeishu(_ *request, _ message, p reply) (content, error) {
	plain := func(text string) fields { return fields{"tag": "plain_text", "content": text} }
	elements := []any{}
	for _, line := range append([]string{p.next}, p.lines...) {
		if line != "" {
			elements = append(elements, fields{"tag": "div", "text": plain(line)})
		}
	}
	if footer := p.footer(); footer != "" {
		elements = append(elements, fields{"tag": "note", "elements": []any{plain(footer)}})
	}
	return jsonContent(fields{
		"msg_type": "interactive",
		"card":     fields{"header": fields{"title": plain(p.result)}, "elements": elements},
	}), nil
}

func sampleFeishu(s sampler) Sample {
	body := encoded(fields{
		"schema": "2.0",
		"header": fields{
			"event_id": s.id, "event_type": "im.message.receive_v1", "create_time": s.millis(),
			"tenant_key": s.rule.Tenant, "token": s.key(envFeishuToken),
		},
		"event": fields{
			"sender": fields{"sender_id": fields{"open_id": s.actor()}, "sender_type": "user"},
			"message": fields{
				"message_id": s.id, "create_time": s.millis(), "chat_id": s.channel(), "message_type": "text",
				"content": encoded(fields{"text": s.command()}),
			},
		},
	})
	return newSample(mediaJSON, body, "X-Lark-Request-Timestamp", s.seconds(), "X-Lark-Request-Nonce", s.id,
		"X-Lark-Signature", feishuSignature(s.seconds(), s.id, s.key(envFeishuEncrypt), body))
}
