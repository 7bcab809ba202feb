package webhook

import (
	"fmt"
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// language is one that we answer in.
type language int

const (
	en language = iota
	zh
)

// languageOf returns the language of a locale such as zh-CN.
func languageOf(locale string) language {
	if strings.HasPrefix(strings.ToLower(locale), "zh") {
		return zh
	}
	return en
}

// phrase is one thing that we say, with the same arguments in both languages.
type phrase struct{ en, zh string }

func (p phrase) in(l language, args ...any) string {
	format := p.en
	if l == zh {
		format = p.zh
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// phrases is the catalogue of all answers in chat but errors.
var phrases = struct {
	started                                                                    phrase
	nextStatus, nextList, nextNothing, nextHelp, nextAgain, nextAsk            phrase
	notYet, nextSweep, willDelete, keepIt, askPin, occupied                    phrase
	listHead, listNames, planHead, statusHead, kept, keptUntil                 phrase
	unknownTarget, didYouMean, seeTargets, denied, noRule, noRuleNext, tooLong phrase
	unknownSnapshot, help, pinWarning                                          phrase
	slots, requestID, snapshotID, code, you                                    phrase

	outcomes map[snapshot.Outcome]phrase // of orders that are done
	planned  map[snapshot.Action]phrase
	statuses map[snapshot.Status]phrase
	actions  map[policy.Action]phrase // that the policy grants
}{
	started: phrase{"The snapshot of %s is started, but its result is not known yet.", "已开始为 %s 创建快照，结果尚未返回。"},

	nextStatus:  phrase{"It takes 10 to 30 minutes: ask with status %s", "需要 10 到 30 分钟，查询请发送：status %s"},
	nextList:    phrase{"Ask for its status in a minute with list %s", "请一分钟后查询状态（status），发送：list %s"},
	nextNothing: phrase{"There is nothing else to do.", "无需其他操作。"},
	nextHelp:    phrase{"Send help for all commands.", "发送 help（帮助）查看所有命令。"},
	nextAgain:   phrase{"Send it again in a few minutes.", "请几分钟后重新发送。"},
	nextAsk:     phrase{"Ask an operator of this service; the code below says why.", "请联系本服务的管理员，原因见下方代码。"},

	notYet:     phrase{"No snapshot of %s was taken yet.", "尚未为 %s 创建快照。"},
	nextSweep:  phrase{"The next sweep is at %s: send the command again then.", "下次清理时间为 %s：请届时重新发送命令。"},
	willDelete: phrase{"the next sweeps delete %s (%s)", "后续清理将删除 %s（%s）"},
	keepIt:     phrase{"; to keep it: keep %s", "；如需保留，请发送：保留 %s"},
	askPin:     phrase{"; to keep it, ask an operator to pin it", "；如需保留，请联系管理员"},
	occupied:   phrase{"an occupied slot", "已占用的名额"},

	listHead:   phrase{"%s uses %d of %d slots.", "%s 已使用 %d / %d 个快照名额。"},
	listNames:  phrase{"You may see these targets: %s", "您可以查看的目标：%s"},
	planHead:   phrase{"Plan for %s; nothing was changed.", "%s 的计划，未做任何更改。"},
	statusHead: phrase{"Snapshot %s of %s: %s %s", "%[2]s 的快照 %[1]s：%[3]s %[4]s"},
	kept:       phrase{"%s is kept forever.", "%s 将永久保留。"},
	keptUntil:  phrase{"%s is kept until %s.", "%s 将保留至 %s。"},

	unknownTarget: phrase{"There is no target %s that you may see.", "没有您可以查看的目标 %s。"},
	didYouMean:    phrase{"Did you mean %s?", "您是否想输入 %s？"},
	seeTargets:    phrase{"Send list for the targets that you may see.", "发送 list（列表）查看可用目标。"},
	denied:        phrase{"You may not do this (%s) with %s.", "您没有对 %[2]s 执行此操作（%[1]s）的权限。"},
	noRule:        phrase{"You may not use any target here.", "您在此处没有任何目标的权限。"},
	noRuleNext: phrase{"A rule under allow in snapshots.yaml must name you or this channel.",
		"需要在 snapshots.yaml 的 allow 中为您或此会话添加规则。"},
	tooLong:         phrase{"The message has more than %d characters: nothing was done.", "消息超过 %d 个字符，未做任何操作。"},
	unknownSnapshot: phrase{"There is no snapshot of this ID that you may see.", "没有您可以查看的该 ID 的快照。"},
	help: phrase{"%[1]s [reason]: take a snapshot of %[1]s\nlist [%[1]s]: targets, or the snapshots of one\n" +
		"plan %[1]s: what would be kept and deleted\nstatus <id>: how far a snapshot is\n" +
		"keep <id> [until]: never delete it, or not before a day such as 2026-12-01\nhelp: this text",
		"%[1]s [原因]：为 %[1]s 创建快照\nlist（列表）[%[1]s]：查看目标或其快照\nplan（计划）%[1]s：查看将保留和删除的快照\n" +
			"status（状态）<id>：查看快照进度\nkeep（保留）<id> [日期]：永久保留，或保留至某日，如 2026-12-01\nhelp（帮助）：显示本说明"},
	pinWarning: phrase{"This pin limits the rotation.", "此保留会影响轮换。"},

	slots:      phrase{"slots %d of %d", "名额 %d / %d"},
	requestID:  phrase{"request %s", "请求 %s"},
	snapshotID: phrase{"snapshot %s", "快照 %s"},
	code:       phrase{"code %s", "代码 %s"},
	you:        phrase{"you are %s in channel %s of tenant %s", "您是 %s，会话 %s，租户 %s"},

	outcomes: map[snapshot.Outcome]phrase{
		snapshot.OutcomeCreated:  {"A snapshot of %s is being taken.", "正在为 %s 创建快照。"},
		snapshot.OutcomeReplayed: {"This request was done before: %s has its snapshot.", "该请求此前已执行：%s 的快照已创建。"},
		snapshot.OutcomeJoined:   {"A snapshot of %s is being taken already.", "%s 已有一个快照正在创建。"},
		snapshot.OutcomeReused:   {"%s has a fresh enough snapshot: none was taken.", "%s 已有足够新的快照，未再创建。"},
	},
	planned: map[snapshot.Action]phrase{
		snapshot.ActionKeep:    {"keep", "保留"},
		snapshot.ActionDelete:  {"delete", "删除"},
		snapshot.ActionForeign: {"foreign", "非本服务"},
		snapshot.ActionCreate:  {"create", "创建"},
	},
	statuses: map[snapshot.Status]phrase{
		snapshot.Progressing:  {"progressing", "创建中"},
		snapshot.Accomplished: {"accomplished", "已完成"},
		snapshot.Failed:       {"failed", "失败"},
	},
	actions: map[policy.Action]phrase{
		policy.ActionTake: {"take", "创建"},
		policy.ActionList: {"list", "查看"},
		policy.ActionPlan: {"plan", "查看计划"},
		policy.ActionKeep: {"keep", "保留"},
	},
}

// explanation is what an error means to a user, and whether trying again later can help.
type explanation struct {
	what  phrase
	again bool
}

// explanations is what users read of an error, by its code. What the API itself wrote never reaches them.
var explanations = map[string]explanation{
	snapshot.CodeBlocked:          {phrase{"No slot is free: nothing was taken.", "没有空闲名额：未创建快照。"}, false},
	snapshot.CodeLimitExceed:      {phrase{"All slots are used: nothing was taken.", "快照名额已满：未创建快照。"}, false},
	snapshot.CodeCreatingSnapshot: {phrase{"Another snapshot of this disk is being taken.", "该磁盘正在创建另一个快照。"}, true},
	snapshot.CodeIncorrectStatus: {phrase{"The state of the server or disk forbids a snapshot now.",
		"服务器或磁盘当前状态不允许创建快照。"}, true},
	snapshot.CodeNameDuplicate:   {phrase{"Another snapshot has this name.", "已存在同名快照。"}, false},
	snapshot.CodeNameUnsupported: {phrase{"The name of the snapshot is not accepted.", "快照名称不符合要求。"}, false},
	snapshot.CodeDiskNotFound:    {phrase{"The disk of this target does not exist.", "该目标的磁盘不存在。"}, false},
	snapshot.CodeDiskGone:        {phrase{"The disk of this target is gone.", "该目标的磁盘已不存在。"}, false},
	snapshot.CodeMismatch: {phrase{"This message was used for another request before.",
		"该消息此前已用于其他请求。"}, false},
	snapshot.CodeTooOld: {phrase{"The time of the message is too long ago or ahead: nothing was done.",
		"消息时间过早或超前，未做任何操作。"}, false},
	snapshot.CodeForeign: {phrase{"This snapshot is not ours: it is never deleted and needs no pin.",
		"该快照不属于本服务，不会被删除，无需保留。"}, false},
	snapshot.CodeUnknownRole: {phrase{"The policy does not keep snapshots of this role.",
		"策略中没有该角色的快照名额。"}, false},
	snapshot.CodeInvalidOrder: {phrase{"A value is not accepted: a day is written 2026-12-01 and lies ahead.",
		"参数不符合要求：日期格式如 2026-12-01，且须在今天之后。"}, false},
}

// kindExplanations is what users read of an error whose code is not in explanations.
var kindExplanations = map[snapshot.Kind]explanation{
	snapshot.KindMalformed: {phrase{"The message cannot be read: nothing was done.", "消息无法识别，未做任何操作。"}, false},
	snapshot.KindInvalid:   {phrase{"A value is not accepted.", "参数不符合要求。"}, false},
	snapshot.KindUnknown:   {phrase{"What was named does not exist.", "指定的对象不存在。"}, false},
	snapshot.KindDenied:    {phrase{"You may not do this.", "您没有权限。"}, false},
	snapshot.KindConflict:  {phrase{"Another operation is in the way.", "与其他操作冲突。"}, true},
	snapshot.KindConfig: {phrase{"This service is not set up correctly: nothing was taken.",
		"服务配置有误，未创建快照。"}, false},
	snapshot.KindThrottled:   {phrase{"Too many calls in a minute.", "调用过于频繁。"}, true},
	snapshot.KindPaced:       {phrase{"Too many calls in a minute.", "调用过于频繁。"}, true},
	snapshot.KindUpstream:    {phrase{"Alibaba Cloud failed to answer properly.", "阿里云接口返回异常。"}, true},
	snapshot.KindUnavailable: {phrase{"Alibaba Cloud is not available now.", "阿里云接口暂不可用。"}, true},
	snapshot.KindTimeout:     {phrase{"Alibaba Cloud did not answer in time.", "阿里云接口未及时响应。"}, true},
}

var unforeseen = explanation{phrase{"Something went wrong here.", "服务内部出现问题。"}, false}

// explanationOf returns what users read of an error.
func explanationOf(err *snapshot.Error) explanation {
	if e, ok := explanations[err.Code]; ok {
		return e
	}
	if e, ok := kindExplanations[err.Kind]; ok {
		return e
	}
	return unforeseen
}
