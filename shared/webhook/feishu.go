package webhook

import (
	"crypto/aes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

// feishu takes events of Feishu (Lark) apps.
//
// With an Encrypt Key everything but the handshake carries a signature, and is refused without. With a Verification
// Token alone, all that authenticates is that token inside the body; set the Encrypt Key.
// Rules: open.feishu.cn/document/server-docs/event-subscription-guide.
type feishu struct {
	encryptKeys []string
	tokens      []string
}

func openFeishu(secrets Secrets) (sender, error) {
	keys, keysErr := secrets.read(envFeishuEncrypt)
	tokens, tokensErr := secrets.read(envFeishuToken)
	for _, err := range []error{keysErr, tokensErr} {
		if err != nil && !errors.Is(err, ErrUnset) {
			return nil, err
		}
	}
	if keysErr != nil && tokensErr != nil {
		return nil, keysErr
	}
	return feishu{keys, tokens}, nil
}

// feishuBody is what verify needs of a body: the token stands in the header of version 2 or at the top of version 1.
type feishuBody struct {
	Encrypt   string `json:"encrypt"`
	Type      string `json:"type"`
	Challenge string `json:"challenge"`
	Token     string `json:"token"`
	UUID      string `json:"uuid"`
	Header    struct {
		EventID    string `json:"event_id"`
		EventType  string `json:"event_type"`
		CreateTime string `json:"create_time"`
		Token      string `json:"token"`
		TenantKey  string `json:"tenant_key"`
	} `json:"header"`
}

func (b feishuBody) token() string {
	if b.Header.Token != "" {
		return b.Header.Token
	}
	return b.Token
}

func (f feishu) verify(r *request) error {
	signed := len(f.encryptKeys) > 0 && r.header.Get("X-Lark-Signature") != ""
	if signed {
		if err := f.checkSignature(r); err != nil {
			return err
		}
	}
	body, wasEncrypted, err := f.open(r)
	if err != nil {
		return err
	}
	if len(f.encryptKeys) > 0 && !signed && body.Type != "url_verification" {
		return refuse("the signature is missing")
	}
	if len(f.tokens) > 0 {
		if !equalsAny(f.tokens, body.token()) {
			return refuse("the verification token does not match")
		}
	} else if !signed && !wasEncrypted {
		return refuse("a handshake without FEISHU_VERIFICATION_TOKEN must be encrypted")
	}
	return nil
}

// checkSignature checks hex(SHA256(timestamp, nonce, key, body)): a plain hash, not an HMAC.
func (f feishu) checkSignature(r *request) error {
	timestamp, nonce := r.one("X-Lark-Request-Timestamp"), r.one("X-Lark-Request-Nonce")
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	if nonce == "" {
		return refuse("the nonce is missing")
	}
	return checkSignature(f.encryptKeys, r.one("X-Lark-Signature"), func(key string) string {
		sum := sha256.Sum256([]byte(timestamp + nonce + key + r.body))
		return hex.EncodeToString(sum[:])
	})
}

// open decrypts the body where it is encrypted, and leaves what is to be parsed in r.plain. It peeks only: parse refuses
// what two readers may read differently.
func (f feishu) open(r *request) (body feishuBody, wasEncrypted bool, err error) {
	if json.Unmarshal([]byte(r.body), &body) != nil {
		return body, false, refuse("the body is not readable")
	}
	if body.Encrypt == "" {
		r.plain = r.body
		return body, false, nil
	}
	for _, key := range f.encryptKeys {
		plain, err := feishuDecrypt(key, body.Encrypt)
		var inner feishuBody
		if err != nil || json.Unmarshal([]byte(plain), &inner) != nil {
			continue
		}
		r.plain = plain
		return inner, true, nil
	}
	return body, false, refuse("no key decrypts the body")
}

// feishuDecrypt decrypts AES-256-CBC with SHA256(key); the first 16 bytes are the initial vector.
func feishuDecrypt(key, encrypted string) (string, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(encrypted)
	if err != nil || len(data) < aes.BlockSize {
		return "", errCipherText
	}
	sum := sha256.Sum256([]byte(key))
	plain, err := decryptCBC(sum[:], data[:aes.BlockSize], data[aes.BlockSize:], aes.BlockSize)
	return string(plain), err
}

func (f feishu) parse(r *request) (inbound, error) {
	var body feishuBody
	if err := decodeJSON(r.plain, &body); err != nil {
		return nil, err
	}
	switch {
	case body.Type == "url_verification":
		return handshake(jsonAnswer(map[string]string{"challenge": body.Challenge})), nil
	case body.Header.EventType == "im.message.receive_v1":
		return f.parseMessage(r.plain, body)
	default:
		return ignored("only im.message.receive_v1 is used"), nil
	}
}

func (feishu) parseMessage(text string, body feishuBody) (inbound, error) {
	var m struct {
		Event struct {
			Sender struct {
				SenderID struct {
					OpenID string `json:"open_id"`
				} `json:"sender_id"`
				SenderType string `json:"sender_type"`
			} `json:"sender"`
			Message struct {
				MessageID   string `json:"message_id"`
				CreateTime  string `json:"create_time"`
				ChatID      string `json:"chat_id"`
				MessageType string `json:"message_type"`
				Content     string `json:"content"`
			} `json:"message"`
		} `json:"event"`
	}
	if err := decodeJSON(text, &m); err != nil {
		return nil, err
	}
	message := m.Event.Message
	if m.Event.Sender.SenderType == "app" || message.MessageType != "text" {
		return ignored("only text from users is read"), nil
	}
	var content struct {
		Text string `json:"text"`
	}
	if err := decodeJSON(message.Content, &content); err != nil {
		return nil, err
	}
	// The same message may come under a new event ID; its own ID stays.
	a := ask{
		tenant: body.Header.TenantKey, channel: message.ChatID, actor: m.Event.Sender.SenderID.OpenID,
		text: content.Text, key: snapshot.ComposedKey("message", message.MessageID), time: feishuTime(message.CreateTime),
	}
	return a, required(map[string]string{"message_id": message.MessageID, "chat_id": a.channel, "open_id": a.actor, "tenant_key": a.tenant})
}

// feishuTime reads a time in milliseconds; what it cannot read has no time.
func feishuTime(text string) time.Time {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// render makes a card. Every text is plain_text, which Feishu never reads as markup.
func (feishu) render(_ *request, _ ask, p reply) (answer, error) {
	plain := func(text string) map[string]any { return map[string]any{"tag": "plain_text", "content": text} }
	div := func(text string) map[string]any { return map[string]any{"tag": "div", "text": plain(text)} }
	elements := []any{}
	for _, line := range append([]string{p.next}, p.lines...) {
		if line != "" {
			elements = append(elements, div(line))
		}
	}
	if len(p.small) > 0 {
		elements = append(elements, map[string]any{"tag": "note", "elements": []any{plain(strings.Join(p.small, " · "))}})
	}
	card := map[string]any{
		"header":   map[string]any{"title": plain(p.result)},
		"elements": elements,
	}
	return jsonAnswer(map[string]any{"msg_type": "interactive", "card": card}), nil
}
