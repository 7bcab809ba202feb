package webhook

import (
	"crypto/aes"
	"crypto/cipher"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

func cbc(key, iv []byte, plain string) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, []byte(plain))
	return out
}

// The vendors' published vectors, and others computed from their algorithms with two tools that agreed.
func TestVectors(t *testing.T) {
	t.Parallel()
	const slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V" +
		"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
		"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN" +
		"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	with := func(s *sender, name, secret string) func(*request) error {
		i := slices.IndexFunc(s.variables, func(v variable) bool { return v.name == name })
		key, err := s.variables[i].form.decode(secret)
		if err != nil {
			t.Fatal(err)
		}
		return func(r *request) error { return s.verify(keyring{name: {key}}, r) }
	}
	for name, vector := range map[string]struct {
		verify func(*request) error
		at     time.Time
		header map[string]string
		body   string
	}{
		"slack-docs-slash": {
			with(&slack, envSlack, "8f742231b10e8888abcd99yyyzzz85a5"), time.Unix(1531420618, 0),
			map[string]string{"X-Slack-Request-Timestamp": "1531420618",
				"X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"}, slackBody,
		},
		"github-docs-256": {
			with(&github, envGitHub, "It's a Secret to Everybody"), now,
			map[string]string{
				"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
			}, "Hello, World!",
		},
		"standard-webhooks-lib": {
			with(&standard, envStandard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), time.Unix(1614265330, 0),
			map[string]string{"Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "Webhook-Timestamp": "1614265330",
				"Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, `{"test": 2432232314}`,
		},
		"gitlab-signing-token": {
			with(&gitlab, envGitLabSigning, "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q="), time.Unix(1780000000,
				0),
			map[string]string{"Webhook-Id": "a5461c4d-9c7f-4af9-add6-cddebe3c426f", "Webhook-Timestamp": "1780000000",
				"Webhook-Signature": "v1,A9Q1C9QtMpoLCvQxZ86qIPW7FUzz9cWwzSFXnAFi+sw="},
			`{"object_kind":"deployment","status":"running"}`,
		},
		"feishu-signature": {
			func(r *request) error { return checkFeishuSignature([]string{"test key"}, r) }, time.Unix(1780000000, 0),
			map[string]string{"X-Lark-Request-Timestamp": "1780000000", "X-Lark-Request-Nonce": "abc123",
				"X-Lark-Signature": "695689154e7fb5e107a267b8a7d1556bf86993ac0a6a5876f1b604027c131a58"},
			`{"encrypt":"P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="}`,
		},
		"dingtalk-robot-sign": {
			with(&dingtalk, envDingTalk, "this is secret"), time.UnixMilli(1577262236757),
			map[string]string{"Timestamp": "1577262236757",
				"Sign": "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM="}, "{}",
		},
		"gitee-derived": {
			with(&gitee, envGitee, "this is secret"), time.UnixMilli(1576754827988),
			map[string]string{"X-Gitee-Timestamp": "1576754827988",
				"X-Gitee-Token": "2D978FIy4DMMTbiN80zQkNH1Eq/kMBt3gL6OnWfGzzY="}, "{}",
		},
		"teams-derived": {
			with(&teams, envTeams, "vqF0En+Z0ucuRTM/01o2GuhMH3hKKk/N2bOmlM31zaA="), time.Date(2026, 11, 23, 22, 0, 0, 0,
				time.UTC),
			map[string]string{"Authorization": "HMAC pBGUDQ6b9ZxznC/n8sn7vrbjkAJTCNRxy1Po59N4svI="},
			`{"type":"message","id":"1485983408511","timestamp":"2026-11-23T22:00:00.000Z",` +
				`"text":"<at>snap</at> help"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &request{method: http.MethodPost, header: http.Header{}, query: url.Values{}, body: vector.body,
				plain: vector.body, now: vector.at}
			for name, value := range vector.header {
				r.header.Set(name, value)
			}
			if err := vector.verify(r); err != nil {
				t.Errorf("vector refused: %v", err)
			}
			r.body += " "
			err := vector.verify(r)
			if covered := name != "dingtalk-robot-sign" && name != "gitee-derived"; covered == (err == nil) {
				t.Errorf("with another body: %v", err)
			}
		})
	}
}

func TestEncryptedVectors(t *testing.T) {
	t.Parallel()
	for name, vector := range map[string]struct {
		token, aesKey, corp, timestamp, nonce, encrypted, signature, plain string
	}{
		"dingtalk-event-1": {
			"mryue", "Yue0EfdN5900c1ce5cf6A152c63DDe1808a60c5ecd7", "ding6ccabc44d2c8d38b", "1608001896814", "WL4PK6yA",
			"0vJiX6vliEpwG3U45CtXqi+m8PXbQRARJ8p8" +
				"BbDuD1EMTDf0jKpQ79QS93qEk7XHpP6u+oTTrd15NRPvNvmBKyDCYxxOK+HZeKju4yhELOFchzNukR+t8SB/qk4ROMu3",
			"03044561471240d4a14bb09372dfcfd4fd0e40cb", `{"EventType":"check_url"}`,
		},
		"wecom-url": {
			"QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7", "1409659589", "263014780",
			"P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
			"5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1616140317555161061",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := aesForm.decode(vector.aesKey)
			if err != nil {
				t.Fatal(err)
			}
			keys := keyring{
				envWeComToken: {"another token", vector.token}, envWeComAES: {callbackAES[:32],
					key}, envWeComCorp: {vector.corp},
			}
			got, err := openEnvelope(keys, vector.signature, vector.timestamp, vector.nonce, vector.encrypted)
			if err != nil {
				t.Fatalf("vector refused: %v", err)
			}
			if got != (envelope{vector.plain, vector.token, key, vector.corp}) {
				t.Errorf("opened %+v, want %q of %q", got, vector.plain, vector.corp)
			}
			keys[envWeComCorp] = []string{"another corporation"}
			if _, err := openEnvelope(keys, vector.signature, vector.timestamp, vector.nonce,
				vector.encrypted); err == nil {
				t.Error("a callback for another corporation was opened")
			}
		})
	}
	if got, err := feishuDecrypt("test key", "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="); err != nil ||
		string(got) != "hello world" {
		t.Errorf("feishu-decrypt: %q, %v", got, err)
	}
}
