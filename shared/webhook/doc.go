// Package webhook answers webhooks: commands from chats (Slack, DingTalk, Feishu, WeCom, Teams), events of pipelines
// (GitHub, GitLab, Gitee) and orders of scripts that sign as Standard Webhooks say.
//
// Most callers need [SecretsFromEnv] and [New]; the handler serves /hooks/ and one path for each sender. Other HTTP
// code checks a Standard Webhooks signature with [VerifyStandard].
//
// # The way of a request
//
// Raw bytes, then verify, then parse, then authorise, then act, then answer. Each sender has a file with its verify,
// parse and (for chats) render; what lies between is the same for all. Every failed authentication gets one and the same
// 401 after a few microseconds, and no API call is made; the log says why.
//
// # Senders
//
// A sender is there if its secrets are in the environment, at least 16 bytes each and no placeholder of a
// template; else its path is not found. Several secrets in one variable are all good, for rotation.
//
// # Time
//
// A sender that waits too long calls again or reports a failure to its users. So an answer is out within the sender's
// budget, whatever the API does: what was begun by then goes on, the answer says so, and the same event again means the
// same order.
//
// A pipeline's event counts at or before the start of what it is about, never at its end: a snapshot taken after a
// deployment is no way back.
//
// # Trust
//
// What a signature covers is believed; the rest is checked against the policy and proves nothing. GitHub, GitLab's old
// token, Gitee and DingTalk robots can be replayed; the identity of an order makes that harmless: it is that of the
// business event, so a replay means the same snapshot. Text from users is never markup in an answer or a log.
//
// # Deletion
//
// No webhook deletes anything. The answer to a chat's order names the snapshots that the next sweeps delete, and how to
// keep them, as far as the user may see them.
package webhook
