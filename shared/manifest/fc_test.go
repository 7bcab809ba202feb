package manifest_test

import (
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/manifest"
)

func TestReadFC(t *testing.T) {
	t.Parallel()
	deployment, err := manifest.ReadFC(root + "/s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	timers := deployment.Timers()
	if len(timers) != 1 {
		t.Fatalf("%d timers, want the sweep alone", len(timers))
	}
	if sweep := timers[0]; sweep.Name != "sweep" || sweep.Tick.Role != "" || sweep.Payload != `{"sweep":true}` || sweep.Cron != "0 */10 * * * *" {
		t.Errorf("timer %+v, want the sweep", sweep)
	}
	noon := time.Date(2026, time.January, 30, 12, 0, 0, 0, time.UTC)
	if got, want := timers[0].Next(noon), noon.Add(10*time.Minute); !got.Equal(want) {
		t.Errorf("sweep fires at %v, want %v", got, want)
	}
}

// A timer that is switched off is checked, and is no timer of the deployment.
func TestReadFCDisabledTimer(t *testing.T) {
	t.Parallel()
	folder := plant(t, "s.yaml", mistake{old: "enable: true", new: "enable: false"})
	deployment, err := manifest.ReadFC(folder + "/s.yaml")
	if err != nil || len(deployment.Timers()) != 0 {
		t.Errorf("%d timers, %v; want none", len(deployment.Timers()), err)
	}
}

func TestReadFCMissing(t *testing.T) {
	t.Parallel()
	if _, err := manifest.ReadFC(t.TempDir() + "/s.yaml"); err == nil || err.Error() != "s.yaml: does not exist" {
		t.Errorf("ReadFC: %v, want that the file does not exist", err)
	}
}

// All mistakes are told at once.
func TestReadFCAllAtOnce(t *testing.T) {
	t.Parallel()
	folder := plant(t, "s.yaml", mistake{old: "cpu: 0.05\n      memorySize: 128", new: "cpu: 0.07\n      memorySize: 100"})
	_, err := manifest.ReadFC(folder + "/s.yaml")
	for _, want := range []string{"props.cpu: is 0.07", "props.memorySize: is 100"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadFC: %v, want %q too", err, want)
		}
	}
}

// A user may add timers that make a role due, in a zone of their own.
func TestCheckFCOwnTimer(t *testing.T) {
	t.Parallel()
	for name, payload := range map[string]string{
		"Role":       `{"role":"daily"}`,
		"Targets":    `{"targets":["web-1"],"role":"daily"}`,
		"NoKeepRule": `{"targets":["web-1","scratch"],"role":"weekly"}`, // scratch has no keep, and accepts any role
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := plant(t, "s.yaml", ownTimer(payload))
			if err := manifest.Check(folder, folder+"/snapshots.yaml"); err != nil {
				t.Error(err)
			}
			deployment, err := manifest.ReadFC(folder + "/s.yaml")
			if err != nil || len(deployment.Timers()) != 2 {
				t.Fatalf("%d timers, %v; want the sweep and another", len(deployment.Timers()), err)
			}
			noon := time.Date(2026, time.January, 30, 12, 0, 0, 0, time.UTC)
			if got, want := deployment.Timers()[1].Next(noon), noon.Add(7*time.Hour); !got.Equal(want) {
				t.Errorf("fires at %v, want %v: 03:00 in Shanghai", got, want)
			}
		})
	}
}

// ownTimer adds a second timer to s.yaml.
func ownTimer(payload string) mistake {
	const sweep = `            payload: '{"sweep":true}'` + "\n"
	return mistake{old: sweep, new: sweep + `        - triggerName: own
          triggerType: timer
          triggerConfig:
            cronExpression: CRON_TZ=Asia/Shanghai 0 0 3 * * *
            enable: true
            payload: '` + payload + "'\n", at: "payload: '" + payload}
}

func TestCheckFCMistakes(t *testing.T) {
	t.Parallel()
	refused(t, "s.yaml", map[string]mistake{
		"NotYAML":          {old: "  timer:\n    component: fc3", new: "  timer:\n    component: fc3: x", at: "component: fc3: x", want: "is not YAML"},
		"DoubledKey":       {old: "cpu: 0.05\n", new: "cpu: 0.05\n      cpu: 0.1\n", at: "cpu: 0.1", want: "props.cpu: stands in line"},
		"Anchor":           {old: "props:\n", new: "props: &timer\n", want: "has the anchor &timer"},
		"Merge":            {old: "props:\n", new: "props:\n      <<: {cpu: 0.05}\n", at: "<<:", want: "is a merge key"},
		"Tag":              {old: "timeout: 120", new: "timeout: !!int 120", want: `has the tag "!!int"`},
		"SecondDocument":   {old: "\nresources:", new: "\n---\nresources:", at: "---", want: "begins a second document"},
		"Edition":          {old: "edition: 3.0.0", new: "edition: 3.0.1", want: `edition: is "3.0.1"`},
		"UnknownTopKey":    {old: "\nactions:", new: "\naction:", at: "action:\n  pre-deploy", want: "action: is not a key here"},
		"UnknownProp":      {old: "memorySize: 128", new: "memory: 128", want: "timer.props.memory: is not a key here"},
		"MissingTimeout":   {old: "      timeout: 120\n", new: "", at: "    props:", want: "timer.props.timeout: is missing"},
		"TextForNumber":    {old: "timeout: 120", new: "timeout: '120'", want: "timer.props.timeout: is text: write a number"},
		"NumberForText":    {old: "name: swas-snapshot\n", new: "name: 7\n", want: "name: is a number"},
		"YesForTrue":       {old: "enable: true", new: "enable: yes", want: "enable: is text: write true or false"},
		"Component":        {old: "component: fc3", new: "component: fc", want: "timer.component"},
		"Runtime":          {old: "runtime: go1", new: "runtime: go", want: "timer.props.runtime"},
		"Handler":          {old: "handler: bootstrap", new: "handler: main", want: "timer.props.handler"},
		"Region":           {old: "region: cn-hangzhou", new: "region: cn-hangzou", want: "vars.region: is \"cn-hangzou\""},
		"Ratio":            {old: "cpu: 0.05", new: "cpu: 0.5", want: "timer.props.cpu: is 0.5 for 128 MB"},
		"CPUStep":          {old: "cpu: 0.05", new: "cpu: 0.12", want: "multiple of 0.05"},
		"MemoryStep":       {old: "memorySize: 128", new: "memorySize: 150", want: "multiple of 64"},
		"DiskSize":         {old: "diskSize: 512", new: "diskSize: 1024", want: "write one of 512, 10240"},
		"TimeoutTooShort":  {old: "timeout: 15", new: "timeout: 3", at: "timeout: 3\n", want: "http.props.timeout: is 3: write at least 10"},
		"TimeoutTooLong":   {old: "timeout: 120", new: "timeout: 86401", want: "write at most 86400"},
		"Role":             {old: "acs:ram::${env('ALIBABA_CLOUD_ACCOUNT_ID')}:role/", new: "acs:ram:${env('ALIBABA_CLOUD_ACCOUNT_ID')}:role/", want: "vars.sweepRole"},
		"CodeOfAnother":    {old: "code: ./dist/timer", new: "code: ./dist/event", want: "timer.props.code"},
		"NoSuchFunction":   {old: "  timer:\n    component: fc3", new: "  timers:\n    component: fc3", want: "has no folder functions/timers"},
		"SameName":         {old: "functionName: swas-snapshot-http", new: "functionName: swas-snapshot-timer", at: "functionName: swas-snapshot-timer\n      description: The HTTP", want: "http.props.functionName"},
		"Build":            {old: "run: go run ./functions/local build", new: "run: go build ./...", want: "actions.pre-deploy[0].run"},
		"UnknownVar":       {old: "region: ${vars.region}", new: "region: ${vars.regoin}", want: "vars has no regoin"},
		"UnknownVariable":  {old: "region: ${vars.region}", new: "region: ${region}", want: "uses ${region}"},
		"UnusedVar":        {old: "  logLevel: info", new: "  unused: info\n  logLevel: info", want: "vars.unused: is used nowhere"},
		"CronFields":       {old: "0 */10 * * * *", new: "0 3 * * *", want: "cronExpression: has 5 fields"},
		"CronHour":         {old: "0 */10 * * * *", new: "0 */10 25 * * *", want: "is no cron expression"},
		"CronWeekday":      {old: "0 */10 * * * *", new: "0 */10 * * * 1", want: "has the weekday"},
		"CronNever":        {old: "0 */10 * * * *", new: "0 */10 * 30 2 *", want: "never fires"},
		"CronInterval":     {old: "0 */10 * * * *", new: "'@every 10s'", want: "interval of a minute"},
		"SweepTooRare":     {old: "0 */10 * * * *", new: "0 */20 * * * *", want: "cronExpression: is not every 10 minutes"},
		"SweepAtNight":     {old: "0 */10 * * * *", new: "0 */10 0-6 * * *", want: "cronExpression: is not every 10 minutes"},
		"Zone":             {old: "0 */10 * * * *", new: "CRON_TZ=Asia/Shangai 0 */10 * * * *", want: "cronExpression: names no time zone"},
		"PayloadNotJSON":   {old: `'{"sweep":true}'`, new: `'{"sweep":True}'`, want: "payload: is nothing that the timer function reads"},
		"PayloadField":     {old: `'{"sweep":true}'`, new: `'{"swep":true}'`, want: "payload: is nothing that the timer function reads"},
		"PayloadObject":    {old: `'{"sweep":true}'`, new: `{sweep: true}`, want: "payload: is a mapping: write text"},
		"PayloadBoth":      {old: `'{"sweep":true}'`, new: `'{"sweep":true,"role":"daily"}'`, want: "payload: is nothing that the timer function reads"},
		"PayloadTargets":   {old: `'{"sweep":true}'`, new: `'{"targets":["web-1"]}'`, want: "payload: is nothing that the timer function reads"},
		"SweepOfTargets":   {old: `'{"sweep":true}'`, new: `'{"sweep":true,"targets":["web-1"]}'`, want: "payload: "},
		"PayloadRole":      ownTimer(`{"role":"dayly"}`).wants(`names the role "dayly"`),
		"PayloadTarget":    ownTimer(`{"targets":["web-2"],"role":"daily"}`).wants(`names the role "daily"`),
		"NoSweep":          {old: `'{"sweep":true}'`, new: `'{"role":"daily"}'`, at: "-", want: "has no timer with the payload"},
		"TriggerType":      {old: "triggerType: timer", new: "triggerType: time", want: "triggerType: is \"time\""},
		"TriggerConfigKey": {old: "enable: true", new: "enabled: true", want: "enabled: is not a key here"},
		"SameTrigger":      {old: "      triggers:\n", new: "      triggers:\n        - triggerName: sweep\n          triggerType: timer\n          triggerConfig: {cronExpression: 0 0 3 * * *, enable: true, payload: '{\"role\":\"daily\"}'}\n", at: "        - triggerName: sweep\n          triggerType: timer\n          triggerConfig:\n", want: "triggers[1].triggerName"},
		"SecondHTTP": {old: "            methods: [GET, POST, DELETE]\n",
			new: "            methods: [GET, POST, DELETE]\n        - triggerName: second\n          triggerType: http\n          triggerConfig: {authType: anonymous, disableURLInternet: false, methods: [GET]}\n",
			at:  "triggerName: second", want: "is the second HTTP trigger"},
		"Method":               {old: "[GET, POST, DELETE]", new: "[GET, POTS, DELETE]", want: "methods[1]"},
		"AuthType":             {old: "authType: anonymous", new: "authType: none", want: "authType"},
		"FilterNotJSON":        {old: `{"source":["acs.oss"],`, new: `{"source":["acs.oss",`, at: "eventRuleFilterPattern", want: "is no filter"},
		"FilterField":          {old: `"subject":[`, new: `"subjekt":[`, at: "eventRuleFilterPattern", want: "subjekt: is not a key here"},
		"FilterSource":         {old: `["acs.oss"]`, new: `["acs.ecs"]`, at: "eventRuleFilterPattern", want: "no rule under events"},
		"RetryAttempts":        {old: "maxAsyncRetryAttempts: 8", new: "maxAsyncRetryAttempts: 9", want: "write at most 8"},
		"Destination":          {old: "/queues/swas-snapshot-failures/messages", new: "/queues/swas-snapshot-failures", at: "failures: acs", want: "vars.failures"},
		"DestinationElsewhere": {old: "acs:mns:cn-hangzhou", new: "acs:mns:cn-beijing", want: "vars.failures: is in the region"},
		"Concurrency":          {old: "reservedConcurrency: 1", new: "reservedConcurrency: 0", want: "write at least 1"},
		"LogConfig":            {old: "logConfig: auto", new: "logConfig: off", want: "vars.logConfig"},
		"ReservedVariable":     {old: "SNAPSHOT_LOG_LEVEL: ${vars.logLevel}", new: "FC_LOG_LEVEL: ${vars.logLevel}", at: "logLevel: info", want: "begins with FC_"},
		"VariableNumber":       {old: "SNAPSHOT_LOG_LEVEL: ${vars.logLevel}", new: "SNAPSHOT_LOG_LEVEL: 1", want: "write text, in quotes"},
		"UnknownName":          {old: "        TEAMS_TOKEN: ${env('TEAMS_TOKEN', '')}", new: "        TEAM_TOKEN: ${env('TEAMS_TOKEN', '')}", want: "TEAM_TOKEN: is a variable that nothing reads"},
		"PlainSecret":          {old: "API_TOKEN: ${env('API_TOKEN', '')}", new: "API_TOKEN: open-sesame-open-sesame", want: "API_TOKEN: is a secret in plain text"},
		"DefaultSecret":        {old: "API_TOKEN: ${env('API_TOKEN', '')}", new: "API_TOKEN: ${env('API_TOKEN', 'sesame')}", want: "API_TOKEN: uses ${env("},
		"EnvironmentSize":      {old: "  logLevel: info", new: "  logLevel: " + strings.Repeat("x", 4096), at: "      environmentVariables:", want: "at most 4096 are allowed"},
	})
}
