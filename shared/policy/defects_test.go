package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"swas-snapshot/shared/policy"
)

// inTarget is a policy with one target that has more keys, on line 2.
func inTarget(keys string) string { return "targets:\n  a: {disk: d-1, " + keys + "}\n" }

// tags is n tags, for a mapping in one line.
func tags(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("tag-%d: ''", i))
	}
	return strings.Join(list, ", ")
}

// withSchedule is a policy with a schedule on line 1 and, on the line after it, one target that keeps daily and deploy.
func withSchedule(schedule string) string {
	return "schedule: " + schedule + "\ntargets: {a: {disk: d-1, keep: {daily: 1, deploy: 1}}}\n"
}

func TestParseDefects(t *testing.T) {
	t.Parallel()
	const (
		noDisk = "name the disk, such as d-bp18kjxg9ebrhsgi0001, or instance for its system disk"
		age    = "write a duration such as 90m, 26h or 7d"
		ref    = "is not a full ref: write one such as refs/heads/main or refs/tags/v*, or \"*\" for all"
		zone   = "is not a time zone: write a name of the IANA database, such as Asia/Shanghai, Europe/Berlin or UTC"
		five   = "write minute hour day-of-month month day-of-week, such as 0 3 * * *"
		refs   = "is missing: a push, workflow_run or pipeline is allowed by its ref; name those that count in full, such as refs/heads/main, or \"*\" for all"
	)
	tests := map[string]struct{ text, want string }{
		// The file.
		"Empty":           {"", "snapshots.yaml: is empty: begin with\nregion: cn-hangzhou\ntargets:\n  web-1:\n    disk: d-bp18kjxg9ebrhsgi0001"},
		"OnlyComments":    {"# later\n", "snapshots.yaml: is empty: begin with\nregion: cn-hangzhou\ntargets:\n  web-1:\n    disk: d-bp18kjxg9ebrhsgi0001"},
		"OnlyMark":        {"---\n", "snapshots.yaml: is empty: begin with\nregion: cn-hangzhou\ntargets:\n  web-1:\n    disk: d-bp18kjxg9ebrhsgi0001"},
		"List":            {"\n- a\n", "snapshots.yaml:2: is a list: write keys with values"},
		"Text":            {"targets", "snapshots.yaml:1: is text: write keys with values"},
		"SecondDocument":  {"targets: {a: {disk: d-1}}\n---\nregion: cn-beijing\n", "snapshots.yaml:2: begins a second document: keep one in the file"},
		"BrokenSecond":    {"targets: {a: {disk: d-1}}\n---\nregion: [\n", "snapshots.yaml:3: is not YAML: did not find expected node content"},
		"OpenBracket":     {"region: cn-beijing\ntargets: {a: {disk: d-1}\n", "snapshots.yaml:2: is not YAML: did not find expected ',' or '}'"},
		"BadIndentation":  {"targets:\n  a:\n    disk: d-1\n   region: x\n", "snapshots.yaml:4: is not YAML: did not find expected key"},
		"ColonInValue":    {"region: a: b\n", "snapshots.yaml:1: is not YAML: mapping values are not allowed in this context"},
		"Tab":             {"targets:\n\ta: {disk: d-1}\n", "snapshots.yaml:2: is not YAML: found character that cannot start any token"},
		"NotUTF8":         {"targets:\n  a: {disk: \"\xff\"}\n", "snapshots.yaml:2: is not YAML: invalid leading UTF-8 octet"},
		"UnknownAnchor":   {"targets:\n  a: {disk: *d}\n", "snapshots.yaml:2: is not YAML: unknown anchor 'd' referenced"},
		"TooLarge":        {"#" + strings.Repeat(" ", sizeMax) + "\ntargets: {a: {disk: d-1}}", "snapshots.yaml: is larger than 1048576 bytes: a policy of 15 slots needs far less"},
		"Anchor":          {"targets:\n  a: {disk: &d d-1}\n", "snapshots.yaml:2: targets.a.disk: has the anchor &d: leave it out, aliases are not allowed"},
		"AnchorOfMapping": {"targets:\n  a: &t\n    disk: d-1\n", "snapshots.yaml:2: targets.a: has the anchor &t: leave it out, aliases are not allowed"},
		"Alias": {"targets:\n  a: &t {disk: d-1}\n  b: *t\n", "snapshots.yaml:2: targets.a: has the anchor &t: leave it out, aliases are not allowed\n" +
			"snapshots.yaml:3: targets.b: is the alias *t: write the value itself"},
		"MergeKey":     {inTarget("<<: {maxAge: 1h}"), "snapshots.yaml:2: targets.a.\"<<\": is a merge key: write the keys themselves"},
		"TypeTag":      {inTarget("maxAge: !!str 7d"), "snapshots.yaml:2: targets.a.maxAge: has the tag \"!!str\": leave it out"},
		"NoTargets":    {"region: cn-beijing", "snapshots.yaml:1: targets: is missing: name at least one disk, as in {web-1: {disk: d-bp18kjxg9ebrhsgi0001}}"},
		"EmptyTargets": {"targets: {}", "snapshots.yaml:1: targets: is empty: name at least one disk, as in {web-1: {disk: d-bp18kjxg9ebrhsgi0001}}"},

		// Kinds.
		"NullTargets":   {"targets:\n", "snapshots.yaml:1: targets: is empty: write keys with values, or leave the key out"},
		"TargetsList":   {"targets: [a]", "snapshots.yaml:1: targets: is a list: write keys with values"},
		"NullTarget":    {"targets:\n  a:\n", "snapshots.yaml:2: targets.a: is empty: write keys with values, or leave the key out"},
		"TextTarget":    {"targets:\n  a: d-1\n", "snapshots.yaml:2: targets.a: is text: write keys with values"},
		"NumberForName": {"targets:\n  1: {disk: d-1}\n", "snapshots.yaml:2: targets: has a number for a key: write text, in quotes"},
		"BoolForKey":    {"true: x\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: has true or false for a key: write text, in quotes"},
		"DateForKey":    {inTarget("2026-01-01: x"), "snapshots.yaml:2: targets.a: has a date for a key: write text, in quotes"},
		"NullForKey":    {inTarget("? : x"), "snapshots.yaml:2: targets.a: has nothing for a key: write text, in quotes"},
		"MappingForKey": {inTarget("? {b: c} : x"), "snapshots.yaml:2: targets.a: has a mapping for a key: write text, in quotes"},
		"MergeForText":  {inTarget("region: <<"), "snapshots.yaml:2: targets.a.region: is <<: write text, in quotes"},
		"TagOfKey":      {inTarget("!!str 5: x"), "snapshots.yaml:2: targets.a: has the tag \"!!str\": leave it out"},
		"TagOfMapping":  {"targets: !x {a: {disk: d-1}}\n", "snapshots.yaml:1: targets: has the tag \"!x\": leave it out"},
		"AnchorOfKey":   {inTarget("&k maxAge: 1h"), "snapshots.yaml:2: targets.a: has the anchor &k: leave it out, aliases are not allowed"},
		"AliasOfKey": {inTarget("&k maxAge: 1h, *k : 2h"), "snapshots.yaml:2: targets.a: has the anchor &k: leave it out, aliases are not allowed\n" +
			"snapshots.yaml:2: targets.a: is the alias *k: write the value itself"},
		"DoubledInList":  {withRule("allow", "{from: api, targets: [a], actions: [take],\n  from: api}"), "snapshots.yaml:3: allow[0].from: stands in line 2 already: write it once"},
		"LongKey":        {inTarget(strings.Repeat("k", 70) + ": x"), "snapshots.yaml:2: targets.a.\"" + strings.Repeat("k", 57) + "...\": is not a key here: use disk, instance, region, resourceGroup, tags, keep, schedule, maxAge, minInterval"},
		"ListForKey":     {"targets:\n  a: {disk: d-1}\n  ? [b]\n  : {disk: d-2}\n", "snapshots.yaml:3: targets: has a list for a key: write text, in quotes"},
		"NumberForText":  {"region: 5\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: region: is a number: write text, in quotes"},
		"BoolForText":    {inTarget("resourceGroup: true"), "snapshots.yaml:2: targets.a.resourceGroup: is true or false: write text, in quotes"},
		"DateForText":    {inTarget("tags: {since: 2026-12-01}"), "snapshots.yaml:2: targets.a.tags.since: is a date: write text, in quotes"},
		"MappingForText": {inTarget("region: {x: y}"), "snapshots.yaml:2: targets.a.region: is a mapping: write text"},
		"ListForText":    {inTarget("region: [x]"), "snapshots.yaml:2: targets.a.region: is a list: write text"},
		"NullText":       {inTarget("region: "), "snapshots.yaml:2: targets.a.region: is empty: write text, or leave the key out"},
		"EmptyText":      {inTarget("region: ''"), "snapshots.yaml:2: targets.a.region: is empty: write a value, or leave the key out"},
		"BlankText":      {inTarget("region: 'cn-beijing '"), "snapshots.yaml:2: targets.a.region: begins or ends with a blank: leave it out"},
		"ControlText":    {inTarget("tags: {a: \"b\\n\"}"), "snapshots.yaml:2: targets.a.tags.a: contains a control character, such as a line break: leave it out"},
		"TextForList":    {withRule("allow", "{from: api, targets: a, actions: [take]}"), "snapshots.yaml:2: allow[0].targets: is text: write a list"},
		"MappingForList": {"targets: {a: {disk: d-1}}\nallow: {from: api}", "snapshots.yaml:2: allow: is a mapping: write a list"},
		"TextForRule":    {withRule("events", "acs.oss"), "snapshots.yaml:2: events[0]: is text: write keys with values"},
		"EmptyAllow":     {"targets: {a: {disk: d-1}}\nallow: []", "snapshots.yaml:2: allow: is an empty list, which allows nothing: name at least one, or leave the key out"},

		// Targets.
		"DoubledKey":     {"region: cn-beijing\ntargets: {a: {disk: d-1}}\nregion: cn-beijing", "snapshots.yaml:3: region: stands in line 1 already: write it once"},
		"UnknownKey":     {inTarget("Disk: d-2"), "snapshots.yaml:2: targets.a.Disk: is not a key here: use disk, instance, region, resourceGroup, tags, keep, schedule, maxAge, minInterval"},
		"StrangeKey":     {inTarget("\"a.b\\n\": 1"), "snapshots.yaml:2: targets.a.\"a.b\\n\": is not a key here: use disk, instance, region, resourceGroup, tags, keep, schedule, maxAge, minInterval"},
		"BadName":        {"targets: {a b: {disk: d-1}}", "snapshots.yaml:1: targets.\"a b\": \"a b\" is not a target's name: use 1 to 32 letters, digits, - and _"},
		"LongName":       {"targets: {" + strings.Repeat("a", 33) + ": {disk: d-1}}", "snapshots.yaml:1: targets." + strings.Repeat("a", 33) + ": \"" + strings.Repeat("a", 33) + "\" is not a target's name: use 1 to 32 letters, digits, - and _"},
		"FoldedName":     {"targets:\n  web-1: {disk: d-1}\n  WEB-1: {disk: d-2}\n", "snapshots.yaml:3: targets.WEB-1: differs from web-1 in capitals only: chat ignores them, so choose another name"},
		"NoDisk":         {"targets:\n  a: {region: cn-beijing}", "snapshots.yaml:2: targets.a.disk: is missing: " + noDisk},
		"DiskAndServer":  {inTarget("instance: i1"), "snapshots.yaml:2: targets.a.disk: stands beside instance: name the disk, or the instance for its system disk"},
		"BadDisk":        {"targets: {a: {disk: x}}", "snapshots.yaml:1: targets.a.disk: \"x\" is not a disk ID: write one such as d-bp18kjxg9ebrhsgi0001"},
		"BadInstance":    {"targets: {a: {instance: 'i 1'}}", "snapshots.yaml:1: targets.a.instance: \"i 1\" is not an instance ID: write one such as 2ad1ae67295445f598017499dc0001"},
		"BadRegion":      {inTarget("region: Beijing"), "snapshots.yaml:2: targets.a.region: \"Beijing\" is not a region ID: write one such as cn-hangzhou"},
		"BadGroup":       {inTarget("resourceGroup: web"), "snapshots.yaml:2: targets.a.resourceGroup: \"web\" is not a resource group ID: write one such as rg-aek2bti7cf70001"},
		"SameDisk":       {"targets:\n  a: {disk: d-1}\n  b:\n    region: cn-beijing\n    disk: d-1\n", "snapshots.yaml:5: targets.b.disk: is the disk of a already: make one target of the two, with the roles of both"},
		"TagAcs":         {inTarget("tags: {ACS:x: y}"), "snapshots.yaml:2: targets.a.tags.\"ACS:x\": \"ACS:x\" begins with acs: or aliyun, which Alibaba Cloud keeps for itself"},
		"TagOurs":        {inTarget("tags: {Swas-Snapshot/x: y}"), "snapshots.yaml:2: targets.a.tags.\"Swas-Snapshot/x\": has the prefix swas-snapshot/, which is this project's own: choose another"},
		"TagEmptyKey":    {inTarget("tags: {'': y}"), "snapshots.yaml:2: targets.a.tags.: is empty: give 1 to 64 characters"},
		"TagLongKey":     {inTarget("tags: {" + strings.Repeat("k", 65) + ": y}"), "snapshots.yaml:2: targets.a.tags.\"" + strings.Repeat("k", 57) + "...\": has 65 characters: use at most 64"},
		"TagLongValue":   {inTarget("tags: {k: " + strings.Repeat("v", 65) + "}"), "snapshots.yaml:2: targets.a.tags.k: has 65 characters: use at most 64"},
		"TagURL":         {inTarget("tags: {k: 'see HTTPS://x'}"), "snapshots.yaml:2: targets.a.tags.k: contains http:// or https://: leave the scheme out"},
		"Tags11":         {inTarget("tags: {" + tags(11) + "}"), "snapshots.yaml:2: targets.a.tags: has 11 tags: use at most 10, swas-snapshot needs the other 10 of the 20 that the API takes"},
		"MaxAgeNoUnit":   {inTarget("maxAge: 26"), "snapshots.yaml:2: targets.a.maxAge: is a number without a unit: " + age},
		"MaxAgeWord":     {inTarget("maxAge: daily"), "snapshots.yaml:2: targets.a.maxAge: \"daily\" is not a duration: " + age},
		"MaxAgeZero":     {inTarget("maxAge: 0s"), "snapshots.yaml:2: targets.a.maxAge: \"0s\" is too short: " + age},
		"MaxAgeZeroDays": {inTarget("maxAge: 0d"), "snapshots.yaml:2: targets.a.maxAge: \"0d\" is too short: " + age},
		"MaxAgeHalfDay":  {inTarget("maxAge: 0.5d"), "snapshots.yaml:2: targets.a.maxAge: \"0.5d\" is not a duration: " + age},
		"MaxAgeNoDays":   {inTarget("maxAge: d"), "snapshots.yaml:2: targets.a.maxAge: \"d\" is not a duration: " + age},
		"MaxAgeManyDays": {inTarget("maxAge: 36501d"), "snapshots.yaml:2: targets.a.maxAge: \"36501d\" is not a duration: " + age},
		"MaxAgeTwoDays":  {inTarget("maxAge: 1d24h"), "snapshots.yaml:2: targets.a.maxAge: \"1d24h\" is not a duration: " + age},
		"MaxAgeRest":     {inTarget("maxAge: 1d12"), "snapshots.yaml:2: targets.a.maxAge: \"1d12\" is not a duration: " + age},
		"MaxAgeBackward": {inTarget("maxAge: 1d-1h"), "snapshots.yaml:2: targets.a.maxAge: \"1d-1h\" is not a duration: " + age},
		"MaxAgeOverflow": {inTarget("maxAge: 9999999h"), "snapshots.yaml:2: targets.a.maxAge: \"9999999h\" is not a duration: " + age},
		"MinInterval":    {inTarget("minInterval: -1s"), "snapshots.yaml:2: targets.a.minInterval: \"-1s\" is too short: " + age},
		"MaxEventAge":    {"maxEventAge: 0s\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: maxEventAge: \"0s\" is too short: " + age},
		"BadRole":        {inTarget("keep: {1st: 1}"), "snapshots.yaml:2: targets.a.keep.1st: \"1st\" is not a role: use 1 to 32 letters, digits, - and _, the first a letter"},
		"KeepList":       {inTarget("keep: [daily]"), "snapshots.yaml:2: targets.a.keep: is a list: write keys with values"},
		"KeepNegative":   {inTarget("keep: {daily: -1}"), "snapshots.yaml:2: targets.a.keep.daily: \"-1\" is not a number from 1 to 3, the slots of a server: correct it, or leave the role out"},
		"KeepFour":       {inTarget("keep: {daily: 4}"), "snapshots.yaml:2: targets.a.keep.daily: \"4\" is not a number from 1 to 3, the slots of a server: correct it, or leave the role out"},
		"KeepHex":        {inTarget("keep: {daily: 0x1}"), "snapshots.yaml:2: targets.a.keep.daily: \"0x1\" is not a number from 1 to 3, the slots of a server: correct it, or leave the role out"},
		"KeepText":       {inTarget("keep: {daily: two}"), "snapshots.yaml:2: targets.a.keep.daily: is text: write a whole number from 1 to 3"},
		"KeepFraction":   {inTarget("keep: {daily: 1.5}"), "snapshots.yaml:2: targets.a.keep.daily: is a number: write a whole number from 1 to 3"},
		"KeepNull":       {inTarget("keep: {daily: }"), "snapshots.yaml:2: targets.a.keep.daily: is empty: write a whole number from 1 to 3, or leave the key out"},
		"KeepTwice":      {inTarget("keep: {daily: 1, daily: 1}"), "snapshots.yaml:2: targets.a.keep.daily: stands in line 2 already: write it once"},

		// Time zone, deployment, schedules.
		"UnknownZone":     {"timeZone: Asia/Peking\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: timeZone: \"Asia/Peking\" " + zone},
		"LocalZone":       {"timeZone: Local\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: timeZone: \"Local\" " + zone},
		"OffsetForZone":   {"timeZone: +08:00\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: timeZone: \"+08:00\" " + zone},
		"FileForZone":     {"timeZone: ../UTC\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: timeZone: \"../UTC\" " + zone},
		"BadDeployment":   {"deployment: a b\ntargets: {a: {disk: d-1}}", "snapshots.yaml:1: deployment: \"a b\" is not a deployment's name: use 1 to 32 letters, digits, - and _"},
		"NeverFires":      {withSchedule("\n  daily: 0 3 31 2 *"), "snapshots.yaml:2: schedule.daily: \"0 3 31 2 *\" never fires: no such month has such a day"},
		"FiresTwice":      {withSchedule("\n  daily: '*/30 * * * *'"), "snapshots.yaml:2: schedule.daily: \"*/30 * * * *\" fires twice less than 60 minutes apart: name one minute, as in 0 * * * *"},
		"SixFields":       {withSchedule("\n  daily: 0 0 3 * * *"), "snapshots.yaml:2: schedule.daily: \"0 0 3 * * *\" has 6 fields: " + five},
		"Macro":           {withSchedule("\n  daily: '@daily'"), "snapshots.yaml:2: schedule.daily: \"@daily\" is a name for a line of cron: " + five},
		"ZoneOfLine":      {withSchedule("\n  daily: CRON_TZ=UTC 0 3 * * *"), "snapshots.yaml:2: schedule.daily: \"CRON_TZ=UTC 0 3 * * *\" names a time zone: leave it out, the key timeZone is for all schedules"},
		"WrongHour":       {withSchedule("\n  daily: 0 24 * * *"), "snapshots.yaml:2: schedule.daily: \"0 24 * * *\" has a wrong hour: use 0 to 23, with ranges such as 1-5, lists such as 1,5 and steps such as */2"},
		"NumberForLine":   {withSchedule("\n  daily: 3"), "snapshots.yaml:2: schedule.daily: is a number: write a line of cron, such as 0 3 * * *"},
		"NullLine":        {withSchedule("{daily: }"), "snapshots.yaml:1: schedule.daily: is empty: write a line of cron, such as 0 3 * * *, or leave the key out"},
		"TextForSchedule": {withSchedule(" 0 3 * * *"), "snapshots.yaml:1: schedule: is text: write keys with values"},
		"Star":            {withSchedule("\n  daily: */30 * * * *"), "snapshots.yaml:2: is not YAML: did not find expected alphabetic or numeric character: write text that begins with * or & in quotes"},
		"Comma":           {withSchedule("{daily: 0 3,15 * * *}"), "snapshots.yaml:1: schedule.daily: is cut at its comma, which separates keys in { }: write the line in quotes, as in {daily: \"0 3,15 * * *\"}"},
		"CommaNumbers":    {withSchedule("{daily: 0 3 * * 1,3,5}"), "snapshots.yaml:1: schedule.daily: is cut at its comma, which separates keys in { }: write the line in quotes, as in {daily: \"0 3 * * 1,3,5\"}"},
		"CommaTwice": {withSchedule("{daily: 0 3 * * MON,WED, deploy: 0 4 * * SUN,WED}"),
			"snapshots.yaml:1: schedule.daily: is cut at its comma, which separates keys in { }: write the line in quotes, as in {daily: \"0 3 * * MON,WED\"}\n" +
				"snapshots.yaml:1: schedule.deploy: is cut at its comma, which separates keys in { }: write the line in quotes, as in {deploy: \"0 4 * * SUN,WED\"}"},
		"NotAComma": {withSchedule("{daily: 0 3 * *, x: }"), "snapshots.yaml:1: schedule.daily: \"0 3 * *\" has 4 fields: " + five + "\n" +
			"snapshots.yaml:1: schedule.x: is empty: write a line of cron, such as 0 3 * * *, or leave the key out\n" +
			"snapshots.yaml:1: schedule.x: is the schedule of a role that no target keeps: name the role under keep of a target, or leave the schedule out"},
		"NullInBlock": {withSchedule("\n  daily: 0 3 * * 1\n  wed:"), "snapshots.yaml:3: schedule.wed: is empty: write a line of cron, such as 0 3 * * *, or leave the key out\n" +
			"snapshots.yaml:3: schedule.wed: is the schedule of a role that no target keeps: name the role under keep of a target, or leave the schedule out"},
		"NullRoleInFlow": {withSchedule("{daily: 0 3 * * 1, wed: }"), "snapshots.yaml:1: schedule.daily: is cut at its comma, which separates keys in { }: write the line in quotes, as in {daily: \"0 3 * * 1,wed\"}"},
		"RoleOfNoTarget": {withSchedule("\n  weekly: 0 3 * * 0"), "snapshots.yaml:2: schedule.weekly: is the schedule of a role that no target keeps: name the role under keep of a target, or leave the schedule out"},
		"RoleOfAnother": {"targets:\n  a: {disk: d-1, keep: {daily: 1}}\n  b:\n    disk: d-2\n    keep: {x: 1}\n    schedule:\n      daily: 0 3 * * *\n",
			"snapshots.yaml:7: targets.b.schedule.daily: is the schedule of a role that this target does not keep: name the role under keep, or leave the schedule out"},
		"ScheduleNoKeep": {inTarget("schedule: {daily: 0 3 * * *}"), "snapshots.yaml:2: targets.a.schedule: stands at a target without keep, where no schedule takes anything: add keep, or leave schedule out"},

		// Roles of rules.
		"RoleNotKept":    {withSchedule("{daily: 0 3 * * *}") + "allow:\n  - {from: api, targets: [a], actions: [list], role: x}", "snapshots.yaml:4: allow[0].role: is a role that a does not keep: use one of daily, deploy"},
		"RoleOfEvents":   {withSchedule("{daily: 0 3 * * *}") + "events:\n  - {source: x, targets: [a], role: x}", "snapshots.yaml:4: events[0].role: is a role that a does not keep: use one of daily, deploy"},
		"NoRoleLeft":     {withSchedule("{daily: 0 3 * * *, deploy: 0 4 * * *}") + "events:\n  - {source: x, targets: [a]}", "snapshots.yaml:4: events[0].role: is missing: a schedule fires every role that a keeps (daily, deploy): name one of them, or add a role for these orders to its keep"},
		"SeveralRoles":   {withSchedule("{}") + "allow:\n  - {from: github, repository: a/b, on: push, refs: ['*'], targets: [a]}", "snapshots.yaml:4: allow[0].role: is missing: a keeps several roles that no schedule fires (daily, deploy): name one of them, or give all but one a schedule"},
		"WrongRoleAlone": {withSchedule("{}") + "events:\n  - {source: x, targets: [a], role: 1}", "snapshots.yaml:4: events[0].role: is a number: write text, in quotes"},
		"WrongLineAlone": {withSchedule("{daily: 3}") + "events:\n  - {source: x, targets: [a]}", "snapshots.yaml:1: schedule.daily: is a number: write a line of cron, such as 0 3 * * *"},

		// Environment.
		"Unset":       {inTarget("region: '${NOWHERE}'"), "snapshots.yaml:2: targets.a.region: takes ${NOWHERE} from the environment, where it is unset or empty: set it"},
		"NotClosed":   {inTarget("region: '${NOWHERE'"), "snapshots.yaml:2: targets.a.region: has a ${ without a variable's name and }: write ${NAME}"},
		"NotAName":    {inTarget("region: '${A-B}'"), "snapshots.yaml:2: targets.a.region: has a ${ without a variable's name and }: write ${NAME}"},
		"DigitsFirst": {inTarget("region: '${1A}'"), "snapshots.yaml:2: targets.a.region: has a ${ without a variable's name and }: write ${NAME}"},

		// Allow.
		"NoFrom":           {withRule("allow", "{targets: [a]}"), "snapshots.yaml:2: allow[0].from: is missing: name one of api, slack, dingtalk, feishu, wecom, teams, github, gitlab, gitee, standard"},
		"UnknownFrom":      {withRule("allow", "{from: Slack, targets: [a]}"), "snapshots.yaml:2: allow[0].from: \"Slack\" is none of api, slack, dingtalk, feishu, wecom, teams, github, gitlab, gitee, standard"},
		"NoTenant":         {withRule("allow", "{from: wecom, targets: [a], actions: [take]}"), "snapshots.yaml:2: allow[0].tenant: is missing: name the sender's own scope (Slack team_id, DingTalk corp id, Feishu tenant_key, WeCom CorpID, Teams tenant.id)"},
		"NoActions":        {withRule("allow", "{from: standard, targets: [a]}"), "snapshots.yaml:2: allow[0].actions: is missing: name some of take, list, plan, keep"},
		"EmptyActions":     {withRule("allow", "{from: standard, targets: [a], actions: []}"), "snapshots.yaml:2: allow[0].actions: is an empty list, which allows nothing: name at least one, or leave the key out"},
		"DoubledAction":    {withRule("allow", "{from: api, targets: [a], actions: [take, take]}"), "snapshots.yaml:2: allow[0].actions[1]: \"take\" stands in the list already: write it once"},
		"NoAllowedTargets": {withRule("allow", "{from: api, actions: [take]}"), "snapshots.yaml:2: allow[0].targets: is missing: name the targets that the rule is about"},
		"WildTarget":       {withRule("allow", "{from: api, targets: ['*'], actions: [take]}"), "snapshots.yaml:2: allow[0].targets[0]: \"*\" is not a target: name those of targets, each by itself"},
		"FoldedTarget":     {withRule("allow", "{from: api, targets: [A], actions: [take]}"), "snapshots.yaml:2: allow[0].targets[0]: \"A\" is not a target: name those of targets, each by itself"},
		"WildActor":        {withRule("allow", "{from: slack, tenant: T1, actors: ['*'], targets: [a], actions: [take]}"), "snapshots.yaml:2: allow[0].actors[0]: \"*\" is a wildcard, which matches nothing here: name what you mean"},
		"WildTenant":       {withRule("allow", "{from: slack, tenant: '*', targets: [a], actions: [take]}"), "snapshots.yaml:2: allow[0].tenant: \"*\" is a wildcard, which matches nothing here: name what you mean"},
		"TenantOfAPI":      {withRule("allow", "{from: api, tenant: T1, targets: [a], actions: [take]}"), "snapshots.yaml:2: allow[0].tenant: is not a key here: use from, targets, actions, role"},
		"RefsOfChat":       {withRule("allow", "{from: teams, tenant: t, refs: [x], targets: [a], actions: [take]}"), "snapshots.yaml:2: allow[0].refs: is not a key here: use from, tenant, channels, actors, targets, actions, role"},
		"ActionsOfGitHub":  {withRule("allow", "{from: github, repository: a/b, on: push, refs: [refs/heads/m], targets: [a], actions: [take]}"), "snapshots.yaml:2: allow[0].actions: is not a key here: use from, repository, on, environments, refs, targets, role, tenant"},
		"NoRepository":     {withRule("allow", "{from: github, on: push, refs: [refs/heads/m], targets: [a]}"), "snapshots.yaml:2: allow[0].repository: is missing: name it as owner/name"},
		"BareRepository":   {withRule("allow", "{from: github, repository: shop, on: push, refs: [refs/heads/m], targets: [a]}"), "snapshots.yaml:2: allow[0].repository: \"shop\" is not a repository: write owner/name, without wildcards"},
		"WildRepository":   {withRule("allow", "{from: github, repository: acme/*, on: push, refs: [refs/heads/m], targets: [a]}"), "snapshots.yaml:2: allow[0].repository: \"acme/*\" is not a repository: write owner/name, without wildcards"},
		"NoOn":             {withRule("allow", "{from: github, repository: a/b, targets: [a]}"), "snapshots.yaml:2: allow[0].on: is missing: name the event that takes a snapshot"},
		"OnOfAnother":      {withRule("allow", "{from: github, repository: a/b, on: pipeline, refs: [refs/heads/m], targets: [a]}"), "snapshots.yaml:2: allow[0].on: \"pipeline\" is none of deployment, workflow_run, push"},
		"NoRefs":           {withRule("allow", "{from: github, repository: a/b, on: push, targets: [a]}"), "snapshots.yaml:2: allow[0].refs: " + refs},
		"NoRefsOfRun":      {withRule("allow", "{from: github, repository: a/b, on: workflow_run, targets: [a]}"), "snapshots.yaml:2: allow[0].refs: " + refs},
		"NoRefsOfPipeline": {withRule("allow", "{from: gitlab, repository: a/b, on: pipeline, targets: [a]}"), "snapshots.yaml:2: allow[0].refs: " + refs},
		"ShortRef":         {withRule("allow", "{from: gitee, repository: a/b, on: push, refs: [main], targets: [a]}"), "snapshots.yaml:2: allow[0].refs[0]: \"main\" " + ref},
		"WideRef":          {withRule("allow", "{from: gitee, repository: a/b, on: push, refs: ['*main'], targets: [a]}"), "snapshots.yaml:2: allow[0].refs[0]: \"*main\" " + ref},
		"NoEnvironments":   {withRule("allow", "{from: gitlab, repository: a/b, on: deployment, targets: [a]}"), "snapshots.yaml:2: allow[0].environments: is missing: a deployment is allowed by its environment; name those that count, such as production"},
		"EnvironmentOfRun": {withRule("allow", "{from: github, repository: a/b, on: push, environments: [x], refs: [refs/heads/m], targets: [a]}"), "snapshots.yaml:2: allow[0].environments: makes no sense on push, which has no environment: use refs"},
		"RoleOfRule":       {withRule("allow", "{from: api, targets: [a], actions: [take], role: 'a b'}"), "snapshots.yaml:2: allow[0].role: \"a b\" is not a role: use 1 to 32 letters, digits, - and _, the first a letter"},

		// Events and notify.
		"NoSource":      {withRule("events", "{targets: [a]}"), "snapshots.yaml:2: events[0].source: is missing: name the source of the events, such as acs.oss, or \"*\" for all"},
		"UnknownOfRule": {withRule("events", "{source: x, target: a}"), "snapshots.yaml:2: events[0].target: is not a key here: use source, type, subject, targets, role\nsnapshots.yaml:2: events[0].targets: is missing: name the targets that the rule is about"},
		"EventTarget":   {withRule("events", "{source: x, targets: [b]}"), "snapshots.yaml:2: events[0].targets[0]: \"b\" is not a target: name those of targets, each by itself"},
		"NoURL":         {withRule("notify", "{form: json, on: [done]}"), "snapshots.yaml:2: notify[0].url: is missing: write the robot's URL, best from the environment: \"${DINGTALK_ROBOT_URL}\""},
		"NoForm":        {withRule("notify", "{url: 'https://h', on: [done]}"), "snapshots.yaml:2: notify[0].form: is missing: name one of dingtalk, feishu, slack, json"},
		"NoKinds":       {withRule("notify", "{url: 'https://h', form: json}"), "snapshots.yaml:2: notify[0].on: is missing: name some of failed, stale, blocked, done, deleted"},
		"UnknownKind":   {withRule("notify", "{url: 'https://h', form: json, on: [created]}"), "snapshots.yaml:2: notify[0].on[0]: \"created\" is none of failed, stale, blocked, done, deleted"},
		"PlainHTTP":     {withRule("notify", "{url: 'http://h/', form: json, on: [done]}"), "snapshots.yaml:2: notify[0].url: is not an https URL: http is for loopback hosts only"},
		"LookAlikeHTTP": {withRule("notify", "{url: 'http://127.0.0.1.example/', form: json, on: [done]}"), "snapshots.yaml:2: notify[0].url: is not an https URL: http is for loopback hosts only"},
		"NoHost":        {withRule("notify", "{url: 'https:///x', form: json, on: [done]}"), "snapshots.yaml:2: notify[0].url: is not a URL: write one that begins with https:// and a host"},
		"UserInfo":      {withRule("notify", "{url: 'https://u@h/', form: json, on: [done]}"), "snapshots.yaml:2: notify[0].url: has a user name in front of the host: leave it out"},
		"UnsignedForm":  {withRule("notify", "{url: 'https://h', form: slack, secret: s, on: [done]}"), "snapshots.yaml:2: notify[0].secret: makes no sense for form slack: only dingtalk and feishu sign"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Parse([]byte(test.text), env())
			if err == nil || err.Error() != test.want {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

// The search for the broken line of a file that is not a policy gives up before it takes long.
func TestLineOfALargeFile(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse([]byte("a: [\n"+strings.Repeat(strings.Repeat("x", 99)+",\n", 400)), env())
	if want := "snapshots.yaml: is not YAML: did not find expected node content"; message(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
