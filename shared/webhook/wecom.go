package webhook

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"swas-snapshot/shared/snapshot"
)

const (
	envWeComToken = "WECOM_TOKEN"
	envWeComAES   = "WECOM_AES_KEY"
	envWeComCorp  = "WECOM_CORP_ID"
)

// wecom sends messages to the callback of WeCom (Enterprise WeChat) apps: everything is encrypted, both ways. A token
// signs, an AES key encrypts, and the corporation's ID stands inside the cipher text.
//
// Rules: developer.work.weixin.qq.com/document/path/90930, 90968 and 90238 to 90241.
var wecom = sender{
	name: "wecom", variables: []variable{{envWeComToken, plainForm}, {envWeComAES, aesForm}, {envWeComCorp, plainForm}},
	media: []string{"text/xml", "application/xml"}, get: true,
	budget: budgetMedium, language: zh,
	verify: verifyWeCom, parse: parseWeCom, render: renderWeCom, sample: sampleWeCom,
}

// verifyWeCom opens the callback in a request; its parameters stand in the query.
func verifyWeCom(k keyring, r *request) error {
	encrypted := r.oneOf("echostr")
	if r.method != http.MethodGet {
		encrypted = peekEncrypt(r.body)
	}
	timestamp := r.oneOf("timestamp")
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	opened, err := openEnvelope(k, r.oneOf("msg_signature"), timestamp, r.oneOf("nonce"), encrypted)
	if err != nil {
		return err
	}
	if r.method != http.MethodGet {
		if d, err := decodeXML(r.body); err != nil || d.text("Encrypt") != encrypted {
			return refuse("the body is not readable")
		}
	}
	r.opened, r.plain = opened, opened.plain
	return nil
}

// peekEncrypt finds the cipher text in the body at little cost: XML is not worth parsing before the signature is
// right. What it finds is compared with what the parser finds.
func peekEncrypt(body string) string {
	_, rest, _ := strings.Cut(body, "<Encrypt>")
	text, _, _ := strings.Cut(rest, "</Encrypt>")
	if inner, ok := strings.CutPrefix(text, "<![CDATA["); ok {
		text = strings.TrimSuffix(inner, "]]>")
	}
	return text
}

// envelope is an opened callback, and what encrypts the answer to it: the token, key and corporation of the request.
type envelope struct {
	plain            string
	token, key, corp string
}

// openEnvelope verifies and decrypts a callback. The corporation inside must be ours: the same token and key may serve
// two.
func openEnvelope(k keyring, signature, timestamp, nonce, encrypted string) (envelope, error) {
	tokens := k[envWeComToken]
	sign := func(token string) string { return wecomSignature(token, timestamp, nonce, encrypted) }
	if err := checkSignature(tokens, signature, sign); err != nil {
		return envelope{}, err
	}
	token := tokens[match(tokens, signature, sign)]
	cipherText, err := base64.StdEncoding.Strict().DecodeString(encrypted)
	if err != nil {
		return envelope{}, refuse("the cipher text is not base64")
	}
	for _, key := range k[envWeComAES] {
		plain, corp, err := wecomDecrypt(key, cipherText)
		if err == nil && slices.Contains(k[envWeComCorp], corp) {
			return envelope{plain, token, key, corp}, nil
		}
	}
	return envelope{}, refuse("no key decrypts it, or it was meant for another corporation")
}

// wecomSignature is hex(SHA1) of the four texts, sorted and joined.
func wecomSignature(token, timestamp, nonce, encrypted string) string {
	parts := []string{token, timestamp, nonce, encrypted}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// wecomPad is to which multiple of bytes WeCom pads, although an AES block has 16.
const wecomPad = 32

// wecomDecrypt decrypts: 16 random bytes, the length of the message (4 bytes, big-endian), the message, the
// corporation.
func wecomDecrypt(key string, cipherText []byte) (plain, corp string, err error) {
	data, err := decryptCBC([]byte(key), []byte(key)[:aes.BlockSize], cipherText, wecomPad)
	if err != nil {
		return "", "", err
	}
	if len(data) < 20 {
		return "", "", errCipherText
	}
	length, rest := binary.BigEndian.Uint32(data[16:20]), data[20:]
	if uint64(length) > uint64(len(rest)) {
		return "", "", errCipherText
	}
	return string(rest[:length]), string(rest[length:]), nil
}

// wecomEncrypt is the inverse of wecomDecrypt; noise is the 16 random bytes.
func wecomEncrypt(key string, noise []byte, message, corp string) (string, error) {
	plain := binary.BigEndian.AppendUint32(slices.Clone(noise), uint32(len(message)))
	plain = append(append(plain, message...), corp...)
	pad := wecomPad - len(plain)%wecomPad
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return "", fmt.Errorf("failed to use AES key: %w", err)
	}
	cipher.NewCBCEncrypter(block, []byte(key)[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

func parseWeCom(r *request) (inbound, error) {
	if r.method == http.MethodGet {
		return handshake{mediaText, []byte(r.plain)}, nil
	}
	d, err := decodeXML(r.plain)
	if err != nil {
		return nil, err
	}
	if d.text("MsgType") != "text" {
		return handshake{mediaText, nil}, nil // nothing in it means: no reply, and no retry
	}
	m := message{
		tenant: r.opened.corp, channel: d.required("AgentID"), actor: d.required("FromUserName"),
		text: d.text("Content"),
	}
	m.key = snapshot.ComposedKey("message", m.channel, d.required("MsgId"))
	if seconds, _ := strconv.ParseInt(d.text("CreateTime"), 10, 64); seconds > 0 {
		m.time = time.Unix(seconds, 0)
	}
	return m, d.err
}

// wecomTextMax is how many bytes of text a passive reply may have.
const wecomTextMax = 2048

func renderWeCom(r *request, m message, p reply) (content, error) {
	text := clipBytes(p.text(), wecomTextMax)
	timestamp := strconv.FormatInt(r.now.Unix(), 10)
	plain := encodeXML("ToUserName", m.actor, "FromUserName", m.tenant, "CreateTime", timestamp, "MsgType", "text",
		"Content", text)
	noise := make([]byte, 16+8)
	_, _ = rand.Read(noise) // never fails
	encrypted, err := wecomEncrypt(r.opened.key, noise[:16], plain, r.opened.corp)
	if err != nil {
		return content{}, err
	}
	nonce := hex.EncodeToString(noise[16:])
	body := encodeXML("Encrypt", encrypted,
		"MsgSignature", wecomSignature(r.opened.token, timestamp, nonce, encrypted),
		"TimeStamp", timestamp, "Nonce", nonce)
	return content{"application/xml; charset=utf-8", []byte(body)}, nil
}

func sampleWeCom(s sampler) Sample {
	plain := encodeXML("ToUserName", s.rule.Tenant, "FromUserName", s.actor(), "CreateTime", s.seconds(),
		"MsgType", "text", "Content", s.command(), "MsgId", s.id, "AgentID", s.channel())
	noise := []byte(s.id + "0123456789abcdef")[:16]
	encrypted, _ := wecomEncrypt(s.key(envWeComAES), noise, plain, s.key(envWeComCorp))
	sample := newSample("text/xml", encodeXML("Encrypt", encrypted))
	sample.Path = "?" + url.Values{
		"timestamp": {s.seconds()}, "nonce": {s.id},
		"msg_signature": {wecomSignature(s.key(envWeComToken), s.seconds(), s.id, encrypted)},
	}.Encode()
	return sample
}
