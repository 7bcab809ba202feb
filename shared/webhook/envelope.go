package webhook

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// callbackKeys are the keys of WeCom's callback: a token that signs, an AES key that encrypts, and the owner that stands
// inside the cipher text. Several of each while one is rotated.
//
// Rules: developer.work.weixin.qq.com/document/path/90968.
type callbackKeys struct {
	tokens []string
	aes    []string // 32 bytes each
	owners []string
}

// readCallbackKeys reads the three variables, which a callback needs together.
func readCallbackKeys(secrets Secrets) (callbackKeys, error) {
	all, err := secrets.readAll(envWeComToken, envWeComAES, envWeComCorp)
	if err != nil {
		return callbackKeys{}, err
	}
	keys := callbackKeys{tokens: all[0], owners: all[2]}
	for _, text := range all[1] {
		key, err := aesKeyOf(text)
		if err != nil {
			return callbackKeys{}, fmt.Errorf("%s has an element that is not an AES key: copy all 43 characters", envWeComAES)
		}
		keys.aes = append(keys.aes, key)
	}
	return keys, nil
}

// aesKeyOf returns the 32 bytes of a key, which stands in base64 without its padding.
func aesKeyOf(text string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(text + "=")
	if err == nil && len(key) != 32 {
		err = errCipherText
	}
	return string(key), err
}

// envelope is an opened callback, and what seals the answer to it: the token, key and owner that proved right.
type envelope struct {
	plain             string
	token, key, owner string
}

// callbackSignature is hex(SHA1) of the four texts, sorted and joined.
func callbackSignature(token, timestamp, nonce, encrypted string) string {
	parts := []string{token, timestamp, nonce, encrypted}
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// verify opens the callback in a request; its parameters stand in the query.
func (k callbackKeys) verify(r *request, encrypted string) error {
	timestamp := r.oneOf("timestamp")
	if err := fresh(timestamp, time.Second, r.now); err != nil {
		return err
	}
	opened, err := k.open(r.oneOf("msg_signature"), timestamp, r.oneOf("nonce"), encrypted)
	r.opened, r.plain = opened, opened.plain
	return err
}

// open verifies and decrypts a callback. The owner inside must be ours: the same token and key may serve two
// corporations.
func (k callbackKeys) open(signature, timestamp, nonce, encrypted string) (envelope, error) {
	if signature == "" {
		return envelope{}, refuse("the signature is missing")
	}
	signer := match(k.tokens, signature, func(token string) string {
		return callbackSignature(token, timestamp, nonce, encrypted)
	})
	if signer < 0 {
		return envelope{}, refuse("the signature does not match")
	}
	cipherText, err := base64.StdEncoding.Strict().DecodeString(encrypted)
	if err != nil {
		return envelope{}, refuse("the cipher text is not base64")
	}
	for _, key := range k.aes {
		message, owner, err := unpack(key, cipherText)
		if err != nil || !slices.Contains(k.owners, owner) {
			continue
		}
		return envelope{string(message), k.tokens[signer], key, owner}, nil
	}
	return envelope{}, refuse("no key decrypts it, or it was meant for another owner")
}

// blockPad is to which multiple of bytes WeCom pads, although an AES block has 16.
const blockPad = 32

var errCipherText = errors.New("cipher text is malformed")

// unpack decrypts: 16 random bytes, the length of the message (4 bytes, big-endian), the message, the owner.
func unpack(key string, cipherText []byte) (message []byte, owner string, err error) {
	plain, err := decryptCBC([]byte(key), []byte(key)[:aes.BlockSize], cipherText, blockPad)
	if err != nil {
		return nil, "", err
	}
	if len(plain) < 20 {
		return nil, "", errCipherText
	}
	length := binary.BigEndian.Uint32(plain[16:20])
	if uint64(length) > uint64(len(plain)-20) {
		return nil, "", errCipherText
	}
	return plain[20 : 20+length], string(plain[20+length:]), nil
}

// sealed is an encrypted answer.
type sealed struct {
	XMLName   xml.Name `xml:"xml"`
	Encrypt   string   `xml:"Encrypt"`
	Signature string   `xml:"MsgSignature"`
	Timestamp string   `xml:"TimeStamp"`
	Nonce     string   `xml:"Nonce"`
}

// seal encrypts and signs an answer with what opened the request.
func (e envelope) seal(random io.Reader, now time.Time, message string) (sealed, error) {
	noise := make([]byte, 16+8)
	if _, err := io.ReadFull(random, noise); err != nil {
		return sealed{}, fmt.Errorf("failed to read random bytes: %w", err)
	}
	encrypted, err := pack(e.key, noise[:16], message, e.owner)
	if err != nil {
		return sealed{}, err
	}
	s := sealed{Encrypt: encrypted, Timestamp: strconv.FormatInt(now.Unix(), 10), Nonce: hex.EncodeToString(noise[16:])}
	s.Signature = callbackSignature(e.token, s.Timestamp, s.Nonce, s.Encrypt)
	return s, nil
}

// pack is the inverse of unpack.
func pack(key string, noise []byte, message, owner string) (string, error) {
	plain := slices.Clone(noise)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(message)))
	plain = append(plain, message...)
	plain = append(plain, owner...)
	pad := blockPad - len(plain)%blockPad
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return "", fmt.Errorf("failed to use AES key: %w", err)
	}
	cipher.NewCBCEncrypter(block, []byte(key)[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

// decryptCBC decrypts AES-CBC and takes the PKCS7 padding off, of at most maxPad bytes.
func decryptCBC(key, iv, cipherText []byte, maxPad int) ([]byte, error) {
	if len(cipherText) == 0 || len(cipherText)%aes.BlockSize != 0 {
		return nil, errCipherText
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("failed to use AES key: %w", err)
	}
	plain := make([]byte, len(cipherText))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, cipherText)
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > maxPad || pad > len(plain) {
		return nil, errCipherText
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errCipherText
		}
	}
	return plain[:len(plain)-pad], nil
}
