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

func check(folder string) []deploy.Defect {
	return deploy.Check(folder, filepath.Join(folder, "snapshots.yaml"))
}

// text returns the defects, one a line.
func text(all []deploy.Defect) string {
	lines := make([]string, len(all))
	for i, one := range all {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
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
	for name, read := range map[string]func(string) (*deploy.File, error){
		"s.yaml": deploy.ReadFC, "template.yml": deploy.ReadSAM} {
		file, err := read(filepath.Join(root, name))
		if err != nil || file.Name != name || len(file.Timers) != 1 {
			t.Fatalf("%s: %+v, %v; want one timer", name, file, err)
		}
		sweep := file.Timers[0]
		if next := sweep.Next(noon); sweep.Tick.Role != "" || !next.Equal(noon.Add(10*time.Minute)) {
			t.Errorf("%s: timer %+v fires at %v, want the sweep in ten minutes", name, sweep, next)
		}
		off := edit{name, "enable: true", "enable: false"}
		if name == "template.yml" {
			off = edit{name, "State: ENABLED", "State: DISABLED"}
		}
		file, err = read(filepath.Join(folder(t, off), name))
		if err == nil || !strings.Contains(err.Error(), "no timer with the payload") || len(file.Timers) != 0 {
			t.Errorf("%s: %+v, %v; want no timer", name, file.Timers, err)
		}
	}
}

// The lines of the sweep in s.yaml and in template.yml that the cases below edit.
const (
	payloadFC = `            payload: '{"sweep":true}'` + "\n"
	inputAWS  = `'{"sweep":true,"scheduledTime":"<aws.scheduler.scheduled-time>",` +
		`"scheduleArn":"<aws.scheduler.schedule-arn>"}'`
)

// secondTimer returns payloadFC with another timer behind it.
func secondTimer(expression, payload string) string {
	return payloadFC + `        - triggerName: own
          triggerType: timer
          triggerConfig:
            cronExpression: ` + expression + `
            payload: '` + payload + "'\n"
}

// secondSchedule returns the first line of the sweep in template.yml with another schedule before it.
func secondSchedule(role string) string {
	return `        Own:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(1 day)
            Input: ` + strings.Replace(inputAWS, `"sweep":true`, `"role":"`+role+`"`, 1) + `
        Sweep:
`
}

// What the platforms take and we do not read is no finding, nor is what a user changes for good reason. A case is pairs
// of an old and a new text.
func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	const threeAM, others = "CRON_TZ=Asia/Shanghai 0 0 3 * * *", "  OrdersFromBus:\n"
	accepted(t, "s.yaml", map[string][]string{
		"OwnTimer":        {payloadFC, secondTimer(threeAM, `{"role":"daily"}`)},
		"OwnTimerTargets": {payloadFC, secondTimer(threeAM, `{"targets":["web-1"],"role":"daily"}`)},
		// The target scratch has no keep, and accepts any role.
		"OwnTimerNoKeep": {payloadFC, secondTimer(threeAM, `{"targets":["web-1","scratch"],"role":"weekly"}`)},
		"Qualifier":      {"asyncInvokeConfig:\n", "asyncInvokeConfig:\n        qualifier: LATEST\n"},
		"Config":         {"${env('ALIBABA_CLOUD_ACCOUNT_ID')}", "${config('AccountID')}"},
		"VarsInVars":     {"  failures: acs:mns:cn-hangzhou:", "  failures: acs:mns:${vars.region}:"},
		"VarsOfAFolder": {"vars:\n", "vars:\n  stage: staging\n  out: dist/${vars.stage}\n",
			"code: ./dist/timer", "code: ./${vars.out}/timer"},
		"VarsOfAMapping": {"vars:\n", "vars:\n  variables:\n    SNAPSHOT_LOG_LEVEL: ${vars.logLevel}\n",
			"environmentVariables:\n        SNAPSHOT_LOG_LEVEL: ${vars.logLevel}", "environmentVariables: ${vars.variables}"},
		"Concurrency": {"timeout: 15\n", "timeout: 15\n      concurrencyConfig: {reservedConcurrency: 5}\n"},
		"Tags":        {"timeout: 15\n", "timeout: 15\n      tags: [{key: a, value: b}]\n"},
		"CustomDomain": {"\nresources:\n",
			"\nresources:\n  domain:\n    component: fc3-domain\n    props: {customDomain: a.example.com, triggers: none}\n"},
		"PinnedComponent": {"component: fc3\n", "component: fc3@0.1.22\n"},
		"NoUploads":       {"triggerType: eventbridge\n", "triggerType: none\n"},
		"MergeKey":        {"      runtime: go1\n", "      <<: &shared {runtime: go1}\n"},
	})
	accepted(t, "template.yml", map[string][]string{
		"OwnSchedule": {"        Sweep:\n", secondSchedule("daily")},
		"Schedule": {"Type: ScheduleV2", "Type: Schedule", inputAWS, `'{"sweep":true}'`,
			"ScheduleExpression: cron(0/10 * * * ? *)", "Schedule: rate(10 minutes)"},
		"OmitName":      {"            Input:", "            OmitName: true\n            Input:"},
		"Tracing":       {"    MemorySize: 128\n", "    MemorySize: 128\n    Tracing: Active\n    Tags: {a: b}\n"},
		"Concurrency":   {"      Timeout: 15\n", "      Timeout: 15\n      ReservedConcurrentExecutions: 3\n"},
		"LongReference": {"Role: !GetAtt TimerRole.Arn", "Role: {Fn::GetAtt: [TimerRole, Arn]}"},
		"NameOfAStack":  {"FunctionName: swas-snapshot-timer", "FunctionName: !Sub ${AWS::StackName}-timer"},
		"Parameter": {"Parameters:\n", "Parameters:\n  Seconds: {Type: Number}\n",
			"Timeout: 120", "Timeout: !Ref Seconds"},
		"OtherRule": {others, `  Other:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {source: [aws.ec2]}
      Targets: [{Id: a, Arn: !Ref Alarms}]
` + others},
		"RuleOfASchedule": {others, `  Other:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(1 day)
      Targets: [{Id: a, Arn: !GetAtt TimerFunction.Arn}]
` + others},
	})
}

// accepted makes the edits of each case in a file and expects no finding.
func accepted(t *testing.T, file string, cases map[string][]string) {
	for name, texts := range cases {
		t.Run(file+"/"+name, func(t *testing.T) {
			t.Parallel()
			var edits []edit
			for pair := range slices.Chunk(texts, 2) {
				edits = append(edits, edit{file, pair[0], pair[1]})
			}
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
	want := []deploy.Defect{{File: "s.yaml", Message: "does not exist, nor does template.yml: restore one of them"}}
	if found := check(folder); !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if err := os.Mkdir(filepath.Join(folder, "s.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := deploy.ReadFC(filepath.Join(folder, "s.yaml"))
	if err == nil || !strings.Contains(err.Error(), "s.yaml: cannot be read") {
		t.Errorf("ReadFC of a folder: %v", err)
	}
}

// finding is what an edit causes, and no other in another line.
type finding struct {
	old, new string
	at       string // text in the line that the finding must name; the first line of new if empty; "-" for no line
	want     string // in the message
}

func TestCheckErrors(t *testing.T) {
	t.Parallel()
	refused(t, "s.yaml", false, map[string]finding{
		"NotYAML": {
			"  timer:\n    component: fc3",
			"  timer:\n    component: fc3: x",
			"component: fc3: x",
			"mapping values are not allowed",
		},
		"DoubledKey": {"cpu: 0.05\n", "cpu: 0.05\n      cpu: 0.1\n", "cpu: 0.1", `key "cpu" already defined`},
		"NoMapping":  {"# Function Compute", "text\n---\n# Function Compute", "-", "has no keys"},
		"NoMappingOfVariables": {
			"environmentVariables:\n        SNAPSHOT_LOG_LEVEL: ${vars.logLevel}\n      logConfig",
			"environmentVariables: none\n      logConfig",
			"",
			"cannot unmarshal !!str `none`",
		},
		"NoFunction": {"  event:\n    component", "  evnt:\n    component", "-", "has no function event"},
		"Runtime": {
			"runtime: go1",
			"runtime: custom.debian10",
			"",
			`runtime is "custom.debian10": use one that begins with go1`,
		},
		"Handler":       {"handler: bootstrap", "handler: main", "", `handler is "main": use bootstrap`},
		"NoHandler":     {"      handler: bootstrap\n", "", "  timer:", `handler is "": use bootstrap`},
		"CodeOfAnother": {"code: ./dist/timer", "code: ./dist/event", "", "use dist/timer"},
		"TimeoutTooShort": {
			"timeout: 15",
			"timeout: 3",
			"timeout: 3\n",
			"function http has a timeout of 3 seconds: use at least 10",
		},
		"NoTimeout": {"      timeout: 120\n", "", "  timer:", "a timeout of 3 seconds: use at least 60"},
		"NoRole":    {"      role: ${vars.sweepRole}\n", "", "  timer:", "function timer has no credentials"},
		"SweepRoleHTTP": {
			"role: ${vars.takeRole}",
			"role: ${vars.sweepRole}",
			"role: ${vars.sweepRole}\n      # A secret",
			"function http has the credentials",
		},
		"TakeRoleTimer": {
			"role: ${vars.sweepRole}",
			"role: ${vars.takeRole}",
			"",
			"function timer has the credentials",
		},
		"ReservedName": {
			"        SNAPSHOT_LOG_LEVEL: ${vars.logLevel}",
			"        FC_LOG_LEVEL: info",
			"",
			"begins with FC_",
		},
		"EnvironmentSize": {
			"        SNAPSHOT_LOG_LEVEL: ${vars.logLevel}",
			"        SNAPSHOT_LOG_LEVEL: " + strings.Repeat("x", 4096),
			"  timer:",
			"at most 4096 are allowed",
		},
		"NoSweep":         {`'{"sweep":true}'`, `'{"role":"daily"}'`, "-", "has no timer with the payload"},
		"SweepTooRare":    {"0 */10 * * * *", "0 */20 * * * *", "", "does not sweep every 10 minutes"},
		"SweepAtNight":    {"0 */10 * * * *", "0 */10 0-6 * * *", "", "does not sweep every 10 minutes"},
		"SweepOnWorkdays": {"0 */10 * * * *", "0 */10 * * * MON-FRI", "", "does not sweep every 10 minutes"},
		"NoCron":          {"0 */10 * * * *", "0 3 * * *", "", "does not sweep every 10 minutes"},
		"PayloadNotJSON":  {`'{"sweep":true}'`, `'{"sweep":True}'`, "", "a payload that the timer function refuses"},
		"PayloadField":    {`'{"sweep":true}'`, `'{"swep":true}'`, "", "a payload that the timer function refuses"},
		"PayloadObject":   {`'{"sweep":true}'`, `{sweep: true}`, "", "a payload that the timer function refuses"},
		"NoPayload": {
			`            payload: '{"sweep":true}'` + "\n",
			"",
			"cronExpression",
			"a payload that the timer function refuses",
		},
		"PayloadBoth": {
			`'{"sweep":true}'`,
			`'{"sweep":true,"role":"daily"}'`,
			"",
			"a payload that the timer function refuses",
		},
		"TimerOfHTTP": {
			"      triggers:\n        - triggerName: http\n",
			`      triggers:
        - triggerName: wrong
          triggerType: timer
          triggerConfig: {cronExpression: 0 0 3 * * *, payload: '{}'}
        - triggerName: http
`,
			"cronExpression: 0 0 3",
			"timer wrong fires the function http",
		},
		"FilterNotJSON": {
			`{"source":["acs.oss"],`,
			`{"source":["acs.oss",`,
			"eventRuleFilterPattern",
			"a filter that is not JSON",
		},
	})
	refused(t, "template.yml", false, map[string]finding{
		"DoubledKey": {
			"MemorySize: 128\n",
			"MemorySize: 128\n    MemorySize: 256\n",
			"MemorySize: 256",
			"already defined",
		},
		"NoFunction":      {"  EventFunction:\n", "  EvntFunction:\n", "-", "has no function event"},
		"Runtime":         {"provided.al2023", "go1.x", "", "use one that begins with provided"},
		"Handler":         {"Handler: bootstrap", "Handler: main", "", "use bootstrap"},
		"CodeOfAnother":   {"CodeUri: dist/timer/", "CodeUri: dist/http/", "", "use dist/timer"},
		"TimeoutTooShort": {"Timeout: 120", "Timeout: 3", "", "use at least 60"},
		"NoSecret": {
			"          ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn\n",
			"          SWAS_ENDPOINT: ''\n",
			"  TimerFunction:",
			"function timer has no credentials",
		},
		"SweepSecretHTTP": {
			"          ALIBABA_CLOUD_SECRET_ID: !Ref TakeCredentialsSecretArn",
			"          ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn",
			"ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn\n          API_TOKEN",
			"function http has the credentials",
		},
		"TakeSecretTimer": {
			"          ALIBABA_CLOUD_SECRET_ID: !Ref SweepCredentialsSecretArn",
			"          ALIBABA_CLOUD_SECRET_ID: !Ref TakeCredentialsSecretArn",
			"",
			"function timer has the credentials",
		},
		"TimerRoleHTTP": {
			"      Role: !GetAtt HttpRole.Arn",
			"      Role: !GetAtt TimerRole.Arn",
			"      Role: !GetAtt TimerRole.Arn\n      LoggingConfig:\n        LogGroup: !Ref HttpLogs",
			"function http has the role of the timer function",
		},
		"SweepTooRare":    {"cron(0/10 * * * ? *)", "rate(1 hour)", "", "does not sweep every 10 minutes"},
		"CronForm":        {"cron(0/10 * * * ? *)", "0/10 * * *", "", "does not sweep every 10 minutes"},
		"InputField":      {`'{"sweep":true,`, `'{"sweeps":true,`, "", "a payload that the timer function refuses"},
		"InputRoleNoTime": {inputAWS, `'{"role":"daily"}'`, "", "a payload that the timer function refuses"},
		"InputConstant": {
			`"<aws.scheduler.scheduled-time>"`,
			`"2026-01-01T00:00:00Z"`,
			"",
			"sends the same time with each tick",
		},
		"NoSweep": {`'{"sweep":true,`, `'{"role":"daily",`, "-", "has no timer with the payload"},
		"ResponseTypes": {
			"[ReportBatchItemFailures]",
			"[ReportBatchItemFailure]",
			"          Type: SQS\n          Properties",
			"does not name ReportBatchItemFailures",
		},
		"DirectBusRule": {
			"        Queue:\n          Type: SQS",
			"        Queue:\n          Type: EventBridgeRule",
			"          Type: EventBridgeRule",
			"rule Queue sends events to the function",
		},
		"RuleToFunction": {
			"Arn: !GetAtt Orders.Arn\n          Retry",
			"Arn: !GetAtt EventFunction.Arn\n          Retry",
			"",
			"rule BusOrders sends events to the function",
		},
		"RetriesEndEarly": {"maxReceiveCount: 6", "maxReceiveCount: 4", "", "queue Orders drops an order before"},
		"VisibilityShort": {
			"VisibilityTimeout: 720",
			"VisibilityTimeout: 120",
			"maxReceiveCount",
			"queue Orders drops an order before",
		},
		"VisibilityAbsent": {
			"      VisibilityTimeout: 720\n",
			"",
			"maxReceiveCount",
			"queue Orders drops an order before",
		},
	})
}

func TestCheckWarnings(t *testing.T) {
	t.Parallel()
	refused(t, "s.yaml", true, map[string]finding{
		"PayloadRole": {
			payloadFC,
			secondTimer("0 0 3 * * *", `{"role":"dayly"}`),
			`"role":"dayly"`,
			"names the role dayly, which no target",
		},
		"PayloadTarget": {
			payloadFC,
			secondTimer("0 0 3 * * *", `{"targets":["web-1","web-2"],"role":"daily"}`),
			"web-2",
			"names the target web-2",
		},
		"Weekday": {
			payloadFC,
			secondTimer("0 0 3 * * 1", `{"role":"daily"}`),
			"cronExpression: 0 0 3",
			"timer own has a schedule that cannot be read here: use MON to SUN",
		},
		"Filter": {
			`["acs.oss"]`,
			`["acs.ecs"]`,
			"eventRuleFilterPattern",
			"lets oss:ObjectCreated:PutObject of acs.ecs through",
		},
		"FilterField": {`"subject":[`, `"subjekt":[`, "eventRuleFilterPattern", "no rule under events"},
		"FilterType":  {`"type":[`, `"typ":[`, "eventRuleFilterPattern", "no rule under events"},
		"Name": {
			"functionName: swas-snapshot-http",
			"functionName: swas-http",
			"",
			"README.md name swas-snapshot-http",
		},
		"Variable": {
			"        TEAMS_TOKEN: ",
			"        TEAM_TOKEN: ",
			"",
			"variable TEAM_TOKEN is one that nothing reads",
		},
		"NoSecret": {
			"        API_TOKEN: ${env('API_TOKEN', '')}\n",
			"",
			"  http:",
			"has no variable API_TOKEN, and snapshots.yaml allows api",
		},
	})
	refused(t, "template.yml", true, map[string]finding{
		"InputRole": {
			"        Sweep:\n",
			secondSchedule("dayly"),
			`"role":"dayly"`,
			"names the role dayly",
		},
		"PatternSource": {"source: [swas-snapshot]", "source: [aws.ecr]", "      EventPattern:", "no rule under events"},
		"Name": {
			"FunctionName: swas-snapshot-event",
			"FunctionName: swas-snapshot-events",
			"",
			"README.md name swas-snapshot-event",
		},
		"Variable": {
			"          TEAMS_TOKEN: ",
			"          TEAM_TOKEN: ",
			"",
			"variable TEAM_TOKEN is one that nothing reads",
		},
	})
}

// refused makes the edit of each case in a file and expects its finding alone.
func refused(t *testing.T, file string, warning bool, cases map[string]finding) {
	for name, c := range cases {
		t.Run(file+"/"+name, func(t *testing.T) {
			t.Parallel()
			folder := folder(t, edit{file, c.old, c.new})
			line := 0
			if c.at == "" {
				c.at, _, _ = strings.Cut(c.new, "\n")
			}
			if before, _, ok := strings.Cut(read(t, filepath.Join(folder, file)), c.at); ok && c.at != "-" {
				line = strings.Count(before, "\n") + 1
			}
			found := check(folder)
			other := func(f deploy.Defect) bool { return f.File != file || f.Line != line }
			if len(found) == 0 || slices.ContainsFunc(found, other) || found[0].Warning != warning ||
				!strings.Contains(found[0].Message, c.want) {
				t.Errorf("found\n%v\nwant line %d, %q, warning %v", text(found), line, c.want, warning)
			}
		})
	}
}

// Where the names do not say for what they are, the timer's credentials are only its own.
func TestCheckSameCredentials(t *testing.T) {
	t.Parallel()
	found := check(folder(t,
		edit{"s.yaml", "role/swas-snapshot-sweep", "role/one"}, edit{"s.yaml", "role/swas-snapshot-take", "role/one"}))
	for _, name := range []string{"http", "event"} {
		want := "function " + name + " has the credentials of the timer"
		if len(found) != 2 || !strings.Contains(text(found), want) {
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
		"NeedsVariable": {
			edit{"snapshots.yaml", "events:", "notify:\n  - {url: \"${ROBOT_URL}\", form: dingtalk, on: [failed]}\nevents:"},
			[]string{"function timer has no variable ROBOT_URL", "function event has no variable ROBOT_URL"},
		},
		"NoRule": {
			edit{"snapshots.yaml", "{source: acs.oss,", "{source: acs.ecs,"},
			[]string{"lets oss:ObjectCreated:PutObject of acs.oss through"},
		},
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
				if !strings.Contains(text(found), want) {
					t.Errorf("no warning with %q; got:\n%v", want, found)
				}
			}
		})
	}
}
