// Package webhook answers webhooks: commands from chats (Slack, DingTalk, Feishu, WeCom, Teams), events of pipelines
// (GitHub, GitLab, Gitee) and orders of scripts that sign as Standard Webhooks say.
//
// Most callers need [SecretsFromEnv] and [New]; the handler serves [Prefix] and one path for each sender. Other HTTP
// code checks a Standard Webhooks signature with [VerifyStandard].
//
// # The way of a request
//
// Raw bytes, then verify, then parse, then authorise, then act, then answer. Each sender has a file with its verify,
// parse and (for chats) render; what lies between is the same for all. Whoever fails to authenticate gets one and the
// same 401 after a few microseconds, and no API call is made; the log says why.
//
// # Senders
//
// A sender is there if its secrets are in the environment, at least [SecretMin] bytes each and no placeholder of a
// template; else its path is not found. Several secrets in one variable are all good, for rotation.
//
// # Trust
//
// What a signature covers is believed; the rest is checked against the policy and proves nothing. GitHub, GitLab's old
// token, Gitee and DingTalk robots can be replayed; the identity of an order makes that harmless: it is that of the
// business event, so a replay means the same snapshot. Text from people is never markup in an answer or a log.
//
// # Deletion
//
// Nothing is deleted for a person who has not confirmed exactly that. A confirmation is an HMAC over sender, tenant,
// person, target and snapshot, good for five minutes, and stored nowhere; it acts once, because its order has one key.
package webhook
