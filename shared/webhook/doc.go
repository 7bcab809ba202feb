// Package webhook answers webhooks: commands from chats (Slack, DingTalk, Feishu, WeCom, Teams), events of pipelines
// (GitHub, GitLab, Gitee) and orders of scripts that sign as Standard Webhooks specifies.
//
// Most callers need [SecretsFromEnv], [OpenSenders] and [New]; the handler serves /hooks/ and one path for each sender.
// Other HTTP code checks a Standard Webhooks signature with [Senders.Signed].
//
// # The path of a request
//
// Raw bytes, then verify, then parse, then authorise, then act, then answer. Each sender has one file with all that is
// known of it, and one row in the table of senders; what lies between is the same for all. Every failed authentication
// gets the same 401 after a few microseconds, and no API call is made; the log says why.
//
// # Senders
//
// A sender is on if its secrets are in the environment, at least 16 bytes each and no placeholder of a template; else
// its path is not found. Several secrets in one variable are all valid, for rotation.
//
// # Time
//
// A sender that waits too long calls again or reports a failure to its users. So an answer is written within the
// sender's budget, whatever the API does: what was begun by then goes on, the answer says so, and the same event again
// means the same order. The time by which the answer must be written is set as the write deadline of the response, for
// what the server does between the answer and the platform.
//
// A pipeline's event counts at or before the start of what it is about, never at its end: a snapshot taken after a
// deployment does not help to go back before it.
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
