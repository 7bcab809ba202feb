package deploy_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/deploy"
)

const root = "../.."

// policyText is a policy that the deployment files fit, as they are in this repository.
const policyText = `region: cn-hangzhou
targets:
  web-1:
    disk: d-bp18kjxg9ebrhsgi0001
    keep: {daily: 1, deploy: 1}
  scratch:
    disk: d-bp18kjxg9ebrhsgi0002
allow:
  - {from: api, targets: [web-1], actions: [list]}
events:
  - {source: acs.oss, type: "oss:ObjectCreated:*", subject: "*/releases/web/*", targets: [web-1], role: deploy}
`

// edit replaces a text of a file of this repository where it stands first.
type edit struct {
	file, old, new string
}

// folder returns a folder with the repository's files and the edits.
func folder(t *testing.T, edits ...edit) string {
	t.Helper()
	content := map[string]string{
		"s.yaml": read(t, "s.yaml"), "template.yml": read(t, "template.yml"),
		"snapshots.yaml": policyText, // the user's own may say anything
	}
	for _, one := range edits {
		if !strings.Contains(content[one.file], one.old) {
			t.Fatalf("%s has no %q", one.file, one.old)
		}
		content[one.file] = strings.Replace(content[one.file], one.old, one.new, 1)
	}
	folder := t.TempDir()
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func read(t *testing.T, name string) string {
	t.Helper()
	if !filepath.IsAbs(name) {
		name = filepath.Join(root, name)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func check(folder string) []deploy.Finding {
	return deploy.Check(folder, filepath.Join(folder, "snapshots.yaml"))
}

// The files of this repository fit each other, and the policy that they come with.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, one := range append(deploy.Check(root, filepath.Join(root, "snapshots.yaml")), check(folder(t))...) {
		t.Error(one)
	}
}

// The sweep is the one timer of both files. A timer that is switched off is none.
func TestTimers(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.January, 30, 12, 0, 0, 0, time.UTC)
	for name, read := range map[string]func(string) (*deploy.Deployment, error){
		"s.yaml": deploy.ReadFC, "template.yml": deploy.ReadSAM} {
		deployment, err := read(filepath.Join(root, name))
		if err != nil || deployment.File != name || len(deployment.Timers) != 1 {
			t.Fatalf("%s: %+v, %v; want one timer", name, deployment, err)
		}
		sweep := deployment.Timers[0]
		if next := sweep.Next(noon); sweep.Tick.Role != "" || !next.Equal(noon.Add(10*time.Minute)) {
			t.Errorf("%s: timer %+v fires at %v, want the sweep in ten minutes", name, sweep, next)
		}
		for _, off := range []edit{{"s.yaml", "enable: true", "enable: false"}, {"template.yml", "State: ENABLED", "State: DISABLED"}} {
			if off.file != name {
				continue
			}
			deployment, err := read(filepath.Join(folder(t, off), name))
			if err == nil || !strings.Contains(err.Error(), "no timer with the payload") || len(deployment.Timers) != 0 {
				t.Errorf("%s: %+v, %v; want no timer", name, deployment.Timers, err)
			}
		}
	}
}

const sweepFC = `            payload: '{"sweep":true}'` + "\n"

// ownTimer adds a second timer to s.yaml.
func ownTimer(payload string) edit {
	return edit{"s.yaml", sweepFC, sweepFC + `        - triggerName: own
          triggerType: timer
          triggerConfig:
            cronExpression: CRON_TZ=Asia/Shanghai 0 0 3 * * *
            enable: true
            payload: '` + payload + "'\n"}
}

const (
	sweepAWS = `'{"sweep":true,"scheduledTime":"<aws.scheduler.scheduled-time>","scheduleArn":"<aws.scheduler.schedule-arn>"}'`
	role     = "      Role: !GetAtt "
)

// What the platforms take and we do not read is no finding, nor is what a user changes for good reason.
func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	for name, edits := range map[string][]edit{
		"OwnTimer":        {ownTimer(`{"role":"daily"}`)},
		"OwnTimerTargets": {ownTimer(`{"targets":["web-1"],"role":"daily"}`)},
		"OwnTimerNoKeep":  {ownTimer(`{"targets":["web-1","scratch"],"role":"weekly"}`)}, // scratch accepts any role
		"OwnSchedule": {{"template.yml", "        Sweep:\n", "        Own:\n          Type: ScheduleV2\n          Properties:\n" +
			"            ScheduleExpression: rate(1 day)\n            Input: " + strings.Replace(sweepAWS, `"sweep":true`, `"role":"daily"`, 1) + "\n        Sweep:\n"}},
		"ScheduleOfARule": {{"template.yml", "Type: ScheduleV2", "Type: Schedule"},
			{"template.yml", "ScheduleExpression: cron(0/10 * * * ? *)", "Schedule: rate(10 minutes)"}, {"template.yml", sweepAWS, `'{"sweep":true}'`}},
		"Qualifier":        {{"s.yaml", "      asyncInvokeConfig:\n", "      asyncInvokeConfig:\n        qualifier: LATEST\n"}},
		"Config":           {{"s.yaml", "${env('ALIBABA_CLOUD_ACCOUNT_ID')}:role/swas-snapshot-sweep", "${config('AccountID')}:role/swas-snapshot-sweep"}},
		"VarsInVars":       {{"s.yaml", "  sweepRole: acs:ram::${env('ALIBABA_CLOUD_ACCOUNT_ID')}:", "  account: ${env('ID')}\n  sweepRole: acs:ram::${vars.account}:"}},
		"VarsOfAFolder":    {{"s.yaml", "  region: cn-hangzhou", "  stage: staging\n  region: cn-hangzhou"}, {"s.yaml", "code: ./dist/timer", "code: ./dist/${vars.stage}/timer"}},
		"VarsOfAMapping":   {{"s.yaml", "  logLevel: info", "  logLevel: info\n  shared:\n    SNAPSHOT_LOG_LEVEL: ${vars.logLevel}"}, {"s.yaml", "environmentVariables:\n        SNAPSHOT_LOG_LEVEL: ${vars.logLevel}", "environmentVariables: ${vars.shared}"}},
		"Concurrency":      {{"s.yaml", "      timeout: 15\n", "      timeout: 15\n      concurrencyConfig: {reservedConcurrency: 5}\n      tags: [{key: a, value: b}]\n"}},
		"CustomDomain":     {{"s.yaml", "\nresources:\n", "\nresources:\n  domain:\n    component: fc3-domain\n    props: {customDomain: a.example.com, triggers: none}\n"}},
		"PinnedComponent":  {{"s.yaml", "component: fc3\n", "component: fc3@0.1.22\n"}},
		"NoUploads":        {{"s.yaml", "        - triggerName: releases\n          triggerType: eventbridge\n", "        - triggerName: releases\n          triggerType: none\n"}},
		"Anchor":           {{"s.yaml", "      runtime: go1\n", "      <<: &shared {runtime: go1}\n"}},
		"OmitName":         {{"template.yml", "            Input:", "            OmitName: true\n            Input:"}},
		"Tracing":          {{"template.yml", "    MemorySize: 128\n", "    MemorySize: 128\n    Tracing: Active\n    ReservedConcurrentExecutions: 3\n    Tags: {a: b}\n"}},
		"LongReference":    {{"template.yml", role + "TimerRole.Arn", "      Role: {Fn::GetAtt: [TimerRole, Arn]}"}},
		"NameOfAStack":     {{"template.yml", "FunctionName: swas-snapshot-timer", "FunctionName: !Sub ${AWS::StackName}-timer"}},
		"TimeoutParameter": {{"template.yml", "Parameters:\n", "Parameters:\n  Seconds: {Type: Number}\n"}, {"template.yml", "Timeout: 120", "Timeout: !Ref Seconds"}},
		"OtherRule": {{"template.yml", "  OrdersFromBus:\n", "  Other:\n    Type: AWS::Events::Rule\n    Properties:\n      EventPattern: {source: [aws.ec2]}\n" +
			"      Targets: [{Id: a, Arn: !Ref Alarms}]\n\n  OrdersFromBus:\n"}},
		"RuleOfASchedule": {{"template.yml", "  OrdersFromBus:\n", "  Other:\n    Type: AWS::Events::Rule\n    Properties:\n      ScheduleExpression: rate(1 day)\n" +
			"      Targets: [{Id: a, Arn: !GetAtt TimerFunction.Arn}]\n\n  OrdersFromBus:\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, one := range check(folder(t, edits...)) {
				t.Error(one)
			}
		})
	}
}

// The deployment file of the platform that is not used may be deleted.
func TestCheckOneFile(t *testing.T) {
	t.Parallel()
	folder := folder(t)
	for _, name := range []string{"template.yml", "s.yaml"} {
		if found := check(folder); len(found) != 0 {
			t.Errorf("%v", found)
		}
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	want := []deploy.Finding{{File: "s.yaml", Message: "does not exist, nor does template.yml: restore one of them"}}
	if found := check(folder); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if err := os.Mkdir(filepath.Join(folder, "s.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := deploy.ReadFC(filepath.Join(folder, "s.yaml")); err == nil || !strings.Contains(err.Error(), "s.yaml: cannot be read") {
		t.Errorf("ReadFC of a folder: %v", err)
	}
}

// finding is what an edit causes, and no other in another line.
type finding struct {
	edit
	at   string // text in the line that the finding must name; the first line of new if empty; "-" for no line
	want string // in the message
}

func TestCheckErrors(t *testing.T) {
	t.Parallel()
	refused(t, false, map[string]finding{
		"FC/NotYAML":         {edit{"s.yaml", "  timer:\n    component: fc3", "  timer:\n    component: fc3: x"}, "component: fc3: x", "mapping values are not allowed"},
		"FC/DoubledKey":      {edit{"s.yaml", "cpu: 0.05\n", "cpu: 0.05\n      cpu: 0.1\n"}, "cpu: 0.1", `key "cpu" already defined`},
		"FC/NoMapping":       {edit{"s.yaml", "# Function Compute", "text\n---\n# Function Compute"}, "-", "has no keys"},
		"FC/NoList":          {edit{"s.yaml", "      triggers:\n        - triggerName: http\n          triggerType: http\n          triggerConfig:\n            authType: anonymous\n            disableURLInternet: false\n            methods: [GET, POST, DELETE]\n", "      triggers: none\n"}, "triggers: none", "cannot unmarshal !!str `none`"},
		"FC/NoFunction":      {edit{"s.yaml", "  event:\n    component", "  evnt:\n    component"}, "-", "has no function event"},
		"FC/Runtime":         {edit{"s.yaml", "runtime: go1", "runtime: custom.debian10"}, "", `runtime is "custom.debian10": use one that begins with go1`},
		"FC/Handler":         {edit{"s.yaml", "handler: bootstrap", "handler: main"}, "", `handler is "main": use bootstrap`},
		"FC/NoHandler":       {edit{"s.yaml", "      handler: bootstrap\n", ""}, "  timer:", `handler is "": use bootstrap`},
		"FC/CodeOfAnother":   {edit{"s.yaml", "code: ./dist/timer", "code: ./dist/event"}, "", "use dist/timer"},
		"FC/TimeoutTooShort": {edit{"s.yaml", "timeout: 15", "timeout: 3"}, "timeout: 3\n", "function http has a timeout of 3 seconds: use at least 10"},
		"FC/NoTimeout":       {edit{"s.yaml", "      timeout: 120\n", ""}, "  timer:", "a timeout of 3 seconds: use at least 60"},
		"FC/NoRole":          {edit{"s.yaml", "      role: ${vars.sweepRole}\n", ""}, "  timer:", "function timer has no credentials"},
		"FC/SweepRoleHTTP":   {edit{"s.yaml", "role: ${vars.takeRole}", "role: ${vars.sweepRole}"}, "role: ${vars.sweepRole}\n      # A secret", "function http has the credentials"},
		"FC/TakeRoleTimer":   {edit{"s.yaml", "role: ${vars.sweepRole}", "role: ${vars.takeRole}"}, "", "function timer has the credentials"},
		"FC/ReservedName":    {edit{"s.yaml", "        SNAPSHOT_LOG_LEVEL: ${vars.logLevel}", "        FC_LOG_LEVEL: info"}, "", "begins with FC_"},
		"FC/EnvironmentSize": {edit{"s.yaml", "        SNAPSHOT_LOG_LEVEL: ${vars.logLevel}", "        SNAPSHOT_LOG_LEVEL: " + strings.Repeat("x", 4096)}, "  timer:", "at most 4096 are allowed"},
		"FC/NoSweep":         {edit{"s.yaml", `'{"sweep":true}'`, `'{"role":"daily"}'`}, "-", "has no timer with the payload"},
		"FC/SweepTooRare":    {edit{"s.yaml", "0 */10 * * * *", "0 */20 * * * *"}, "", "does not sweep every 10 minutes"},
		"FC/SweepAtNight":    {edit{"s.yaml", "0 */10 * * * *", "0 */10 0-6 * * *"}, "", "does not sweep every 10 minutes"},
		"FC/SweepOnWorkdays": {edit{"s.yaml", "0 */10 * * * *", "0 */10 * * * MON-FRI"}, "", "does not sweep every 10 minutes"},
		"FC/NoCron":          {edit{"s.yaml", "0 */10 * * * *", "0 3 * * *"}, "", "does not sweep every 10 minutes"},
		"FC/PayloadNotJSON":  {edit{"s.yaml", `'{"sweep":true}'`, `'{"sweep":True}'`}, "", "a payload that the timer function refuses"},
		"FC/PayloadField":    {edit{"s.yaml", `'{"sweep":true}'`, `'{"swep":true}'`}, "", "a payload that the timer function refuses"},
		"FC/PayloadObject":   {edit{"s.yaml", `'{"sweep":true}'`, `{sweep: true}`}, "", "a payload that the timer function refuses"},
		"FC/NoPayload":       {edit{"s.yaml", `            payload: '{"sweep":true}'` + "\n", ""}, "cronExpression", "a payload that the timer function refuses"},
		"FC/PayloadBoth":     {edit{"s.yaml", `'{"sweep":true}'`, `'{"sweep":true,"role":"daily"}'`}, "", "a payload that the timer function refuses"},
		"FC/TimerOfHTTP": {edit{"s.yaml", "      triggers:\n        - triggerName: http\n", "      triggers:\n        - triggerName: wrong\n          triggerType: timer\n          triggerConfig: {cronExpression: 0 0 3 * * *, payload: '{}'}\n        - triggerName: http\n"},
			"cronExpression: 0 0 3", "timer wrong fires the function http"},
		"FC/FilterNotJSON": {edit{"s.yaml", `{"source":["acs.oss"],`, `{"source":["acs.oss",`}, "eventRuleFilterPattern", "a filter that is not JSON"},

		"SAM/DoubledKey":       {edit{"template.yml", "MemorySize: 128\n", "MemorySize: 128\n    MemorySize: 256\n"}, "MemorySize: 256", "already defined"},
		"SAM/NoFunction":       {edit{"template.yml", "  EventFunction:\n", "  EvntFunction:\n"}, "-", "has no function event"},
		"SAM/Runtime":          {edit{"template.yml", "provided.al2023", "go1.x"}, "", "use one that begins with provided"},
		"SAM/Handler":          {edit{"template.yml", "Handler: bootstrap", "Handler: main"}, "", "use bootstrap"},
		"SAM/CodeOfAnother":    {edit{"template.yml", "CodeUri: dist/timer/", "CodeUri: dist/http/"}, "", "use dist/timer"},
		"SAM/TimeoutTooShort":  {edit{"template.yml", "Timeout: 120", "Timeout: 3"}, "", "use at least 60"},
		"SAM/NoSecret":         {edit{"template.yml", "          ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn\n", "          SWAS_ENDPOINT: ''\n"}, "  TimerFunction:", "function timer has no credentials"},
		"SAM/SweepSecretHTTP":  {edit{"template.yml", "          ALIBABA_CLOUD_SECRET_ID: !Ref TakeCredentialsSecretArn", "          ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn"}, "ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn\n          API_TOKEN", "function http has the credentials"},
		"SAM/TakeSecretTimer":  {edit{"template.yml", "          ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn", "          ALIBABA_CLOUD_SECRET_ID: !Ref TakeCredentialsSecretArn"}, "", "function timer has the credentials"},
		"SAM/TimerRoleHTTP":    {edit{"template.yml", role + "HttpRole.Arn", role + "TimerRole.Arn"}, role + "TimerRole.Arn\n      LoggingConfig:\n        LogGroup: !Ref HttpLogs", "function http has the role of the timer function"},
		"SAM/SweepTooRare":     {edit{"template.yml", "cron(0/10 * * * ? *)", "rate(1 hour)"}, "", "does not sweep every 10 minutes"},
		"SAM/CronForm":         {edit{"template.yml", "cron(0/10 * * * ? *)", "0/10 * * *"}, "", "does not sweep every 10 minutes"},
		"SAM/InputField":       {edit{"template.yml", `'{"sweep":true,`, `'{"sweeps":true,`}, "", "a payload that the timer function refuses"},
		"SAM/InputRoleNoTime":  {edit{"template.yml", sweepAWS, `'{"role":"daily"}'`}, "", "a payload that the timer function refuses"},
		"SAM/InputConstant":    {edit{"template.yml", `"<aws.scheduler.scheduled-time>"`, `"2026-01-01T00:00:00Z"`}, "", "sends the same time with each tick"},
		"SAM/NoSweep":          {edit{"template.yml", `'{"sweep":true,`, `'{"role":"daily",`}, "-", "has no timer with the payload"},
		"SAM/ResponseTypes":    {edit{"template.yml", "[ReportBatchItemFailures]", "[ReportBatchItemFailure]"}, "          Type: SQS\n          Properties", "does not name ReportBatchItemFailures"},
		"SAM/DirectBusRule":    {edit{"template.yml", "        Queue:\n          Type: SQS", "        Queue:\n          Type: EventBridgeRule"}, "          Type: EventBridgeRule", "rule Queue sends events to the function"},
		"SAM/RuleToFunction":   {edit{"template.yml", "Arn: !GetAtt Orders.Arn\n          Retry", "Arn: !GetAtt EventFunction.Arn\n          Retry"}, "", "rule BusOrders sends events to the function"},
		"SAM/RetriesEndEarly":  {edit{"template.yml", "maxReceiveCount: 6", "maxReceiveCount: 4"}, "", "queue Orders drops an order before"},
		"SAM/VisibilityShort":  {edit{"template.yml", "VisibilityTimeout: 720", "VisibilityTimeout: 120"}, "maxReceiveCount", "queue Orders drops an order before"},
		"SAM/VisibilityAbsent": {edit{"template.yml", "      VisibilityTimeout: 720\n", ""}, "maxReceiveCount", "queue Orders drops an order before"},
	})
}

func TestCheckWarnings(t *testing.T) {
	t.Parallel()
	filter := "      EventPattern:"
	refused(t, true, map[string]finding{
		"FC/PayloadRole":   {ownTimer(`{"role":"dayly"}`), `"role":"dayly"`, "names the role dayly, which no target"},
		"FC/PayloadTarget": {ownTimer(`{"targets":["web-1","web-2"],"role":"daily"}`), "web-2", "names the target web-2"},
		"FC/Weekday": {edit{"s.yaml", sweepFC, sweepFC + "        - triggerName: own\n          triggerType: timer\n          triggerConfig: {cronExpression: 0 0 3 * * 1, payload: '{\"role\":\"daily\"}'}\n"},
			"cronExpression: 0 0 3", "timer own has a schedule that cannot be read here: use MON to SUN"},
		"FC/Filter":         {edit{"s.yaml", `["acs.oss"]`, `["acs.ecs"]`}, "eventRuleFilterPattern", "lets oss:ObjectCreated:PutObject of acs.ecs through"},
		"FC/FilterField":    {edit{"s.yaml", `"subject":[`, `"subjekt":[`}, "eventRuleFilterPattern", "no rule under events"},
		"FC/FilterType":     {edit{"s.yaml", `"type":[`, `"typ":[`}, "eventRuleFilterPattern", "no rule under events"},
		"FC/Name":           {edit{"s.yaml", "functionName: swas-snapshot-http", "functionName: swas-http"}, "", "README.md name swas-snapshot-http"},
		"FC/Variable":       {edit{"s.yaml", "        TEAMS_TOKEN: ", "        TEAM_TOKEN: "}, "", "variable TEAM_TOKEN is one that nothing reads"},
		"FC/NoSecret":       {edit{"s.yaml", "        API_TOKEN: ${env('API_TOKEN', '')}\n", ""}, "  http:", "has no variable API_TOKEN, and snapshots.yaml allows api"},
		"SAM/InputRole":     {edit{"template.yml", `        Sweep:`, "        Own: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Input: " + strings.Replace(sweepAWS, `"sweep":true`, `"role":"dayly"`, 1) + "}}\n        Sweep:"}, "", "names the role dayly"},
		"SAM/PatternSource": {edit{"template.yml", "source: [swas-snapshot]", "source: [aws.ecr]"}, filter, "no rule under events"},
		"SAM/Name":          {edit{"template.yml", "FunctionName: swas-snapshot-event", "FunctionName: swas-snapshot-events"}, "", "README.md name swas-snapshot-event"},
		"SAM/Variable":      {edit{"template.yml", "          TEAMS_TOKEN: ", "          TEAM_TOKEN: "}, "", "variable TEAM_TOKEN is one that nothing reads"},
	})
}

// refused makes each edit and expects its finding alone.
func refused(t *testing.T, warning bool, cases map[string]finding) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := folder(t, c.edit)
			line := 0
			if c.at == "" {
				c.at, _, _ = strings.Cut(c.new, "\n")
			}
			if before, _, ok := strings.Cut(read(t, filepath.Join(folder, c.file)), c.at); ok && c.at != "-" {
				line = strings.Count(before, "\n") + 1
			}
			found := check(folder)
			elsewhere := func(f deploy.Finding) bool { return f.File != c.file || f.Line != line }
			if len(found) == 0 || slices.ContainsFunc(found, elsewhere) || found[0].Warning != warning || !strings.Contains(found[0].Message, c.want) {
				t.Errorf("found\n%v\nwant line %d of %s, %q, warning %v", deploy.Findings(found), line, c.file, c.want, warning)
			}
		})
	}
}

// Where the names do not say for what they are, the timer's credentials are only its own.
func TestCheckSameCredentials(t *testing.T) {
	t.Parallel()
	found := deploy.Findings(check(folder(t, edit{"s.yaml", "role/swas-snapshot-sweep", "role/one"}, edit{"s.yaml", "role/swas-snapshot-take", "role/one"})))
	for _, want := range []string{"function http has the credentials of the timer", "function event has the credentials of the timer"} {
		if len(found) != 2 || !strings.Contains(found.Error(), want) {
			t.Errorf("no error with %q; got:\n%v", want, found)
		}
	}
}

// What the policy asks of both files is a warning: a user deploys one of them.
func TestCheckPolicy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		edit
		want []string
	}{
		"Wrong": {edit{"snapshots.yaml", "targets:", "tragets:"}, []string{"snapshots.yaml: is wrong"}},
		"NeedsVariable": {edit{"snapshots.yaml", "events:", "notify:\n  - {url: \"${DINGTALK_ROBOT_URL}\", form: dingtalk, on: [failed]}\nevents:"}, []string{
			"function timer has no variable DINGTALK_ROBOT_URL", "function event has no variable DINGTALK_ROBOT_URL"}},
		"NoRule": {edit{"snapshots.yaml", "{source: acs.oss,", "{source: acs.ecs,"}, []string{"lets oss:ObjectCreated:PutObject of acs.oss through"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := check(folder(t, tt.edit))
			for _, one := range found {
				if !one.Warning {
					t.Errorf("%v is an error", one)
				}
			}
			for _, want := range tt.want {
				if !strings.Contains(deploy.Findings(found).Error(), want) {
					t.Errorf("no warning with %q; got:\n%v", want, found)
				}
			}
		})
	}
}
