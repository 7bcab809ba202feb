package manifest_test

import (
	"testing"
	"time"

	"swas-snapshot/shared/manifest"
)

func TestReadSAM(t *testing.T) {
	t.Parallel()
	deployment, err := manifest.ReadSAM(root + "/template.yml")
	if err != nil {
		t.Fatal(err)
	}
	timers := deployment.Timers()
	if len(timers) != 1 || timers[0].Tick.Role != "" {
		t.Fatalf("timers %+v, want the sweep alone", timers)
	}
	noon := time.Date(2026, time.January, 30, 12, 0, 0, 0, time.UTC)
	if got, want := timers[0].Next(noon), noon.Add(10*time.Minute); !got.Equal(want) {
		t.Errorf("sweep fires at %v, want %v", got, want)
	}
}

func TestCheckSAMMistakes(t *testing.T) {
	t.Parallel()
	refused(t, "template.yml", map[string]mistake{
		"DoubledKey":        {old: "MemorySize: 128\n", new: "MemorySize: 128\n    MemorySize: 256\n", at: "MemorySize: 256", want: "MemorySize: stands in line"},
		"DoubledResource":   {old: "  HttpLogs:\n", new: "  TimerLogs:\n", at: "  TimerLogs:\n    Type: AWS::Logs::LogGroup\n    Properties:\n      RetentionInDays: !Ref LogRetentionDays\n\n  EventLogs", want: "TimerLogs: stands in line"},
		"UnusedParameter":   {old: "Parameters:\n", new: "Parameters:\n  Unused:\n    Type: String\n    AllowedPattern: x\n", at: "  Unused:", want: "Parameters.Unused: is used nowhere"},
		"NoTransform":       {old: "Transform: AWS::Serverless-2016-10-31\n", new: "", at: "AWSTemplateFormatVersion", want: "Transform: is missing"},
		"Output":            {old: "Outputs:", new: "Output:", want: "Output: is not a key here"},
		"UnknownTag":        {old: "!Ref TimerLogs", new: "!Reff TimerLogs", want: `has the tag "!Reff"`},
		"UnknownType":       {old: "Type: AWS::SNS::Topic", new: "Type: AWS::SNS::Topics", want: "Alarms.Type"},
		"UnknownProperty":   {old: "CodeUri: dist/timer/", new: "CodeURI: dist/timer/", want: "CodeURI: is not a key here"},
		"UnknownRuntime":    {old: "provided.al2023", new: "provided.al2024", want: "Globals.Function.Runtime"},
		"Handler":           {old: "Handler: bootstrap", new: "Handler: main", want: "Globals.Function.Handler"},
		"Architecture":      {old: "Default: x86_64", new: "Default: x86", want: "write one of AllowedValues"},
		"TextForNumber":     {old: "Timeout: 120", new: "Timeout: two", want: "TimerFunction.Properties.Timeout: is text: write a number"},
		"TimeoutTooLong":    {old: "Timeout: 120", new: "Timeout: 901", want: "write at most 900"},
		"TimeoutTooShort":   {old: "Timeout: 15", new: "Timeout: 3", at: "Timeout: 3\n", want: "write at least 10"},
		"MemoryTooSmall":    {old: "MemorySize: 128", new: "MemorySize: 64", want: "write at least 128"},
		"CodeOfAnother":     {old: "CodeUri: dist/timer/", new: "CodeUri: dist/http/", want: "TimerFunction.Properties.CodeUri"},
		"DanglingRef":       {old: "!Ref TimerLogs", new: "!Ref TimerLog", want: "there is no such parameter or resource"},
		"DanglingGetAtt":    {old: "!GetAtt TimerRole.Arn", new: "!GetAtt TimersRole.Arn", want: "there is no such resource"},
		"DanglingSub":       {old: "${WebhookSecretArn}:SecretString:API_TOKEN", new: "${WebhookSecret}:SecretString:API_TOKEN", at: "API_TOKEN: !Sub", want: "there is no such parameter or resource"},
		"DanglingDependsOn": {old: "  Alarms:\n    Type:", new: "  Alarms:\n    DependsOn: Nothing\n    Type:", at: "DependsOn: Nothing", want: "there is no such resource"},
		"Attribute":         {old: "!GetAtt TimerRole.Arn", new: "!GetAtt TimerRole.ARN", want: "which AWS::IAM::Role does not have"},
		"RefForArn":         {old: "!GetAtt TimerRole.Arn", new: "!Ref TimerRole", want: "TimerFunction.Properties.Role: refers to TimerRole"},
		"WrongResource":     {old: "LogGroup: !Ref TimerLogs", new: "LogGroup: !Ref Orders", want: "LogGroup: refers to Orders"},
		"ParameterPattern":  {old: "    Default: cn-hangzhou\n    AllowedPattern: '^[a-z]{2}-[a-z0-9-]+$'\n", new: "    Default: cn-hangzhou\n", at: "  Region:\n    Type", want: "Parameters.Region: takes anything"},
		"ParameterRegexp":   {old: `'^[a-z]{2}-[a-z0-9-]+$'`, new: `'^[a-z{2}-($'`, want: "is no regular expression"},
		"ParameterDefault":  {old: "Default: cn-hangzhou", new: "Default: hangzhou", want: "write what AllowedPattern takes"},
		"ParameterType":     {old: "Default: 30", new: "Default: '30'", want: "write a value of the Type Number"},
		"Retention":         {old: "Default: 30\n    AllowedValues: [1, 7, 14, 30,", new: "Default: 31\n    AllowedValues: [1, 7, 14, 31,", want: "LogRetentionDays.Default: is 31"},
		"CronFields":        {old: "cron(0/10 * * * ? *)", new: "cron(0/10 * * * *)", want: "ScheduleExpression: has 5 fields"},
		"CronQuestion":      {old: "cron(0/10 * * * ? *)", new: "cron(0/10 * * * * *)", want: "needs ? either for the day"},
		"CronHour":          {old: "cron(0/10 * * * ? *)", new: "cron(0/10 24 * * ? *)", want: "is no cron expression"},
		"CronForm":          {old: "cron(0/10 * * * ? *)", new: "0/10 * * * ? *", want: "write cron(0 3 * * ? *) or rate(10 minutes)"},
		"Rate":              {old: "cron(0/10 * * * ? *)", new: "rate(10 minute)", want: "write rate(1 hour)"},
		"SweepTooRare":      {old: "cron(0/10 * * * ? *)", new: "rate(1 hour)", want: "is not every 10 minutes"},
		"Zone":              {old: "            Input:", new: "            ScheduleExpressionTimezone: Asia/Shangai\n            Input:", want: "ScheduleExpressionTimezone: names no time zone"},
		"InputNotJSON":      {old: `'{"sweep":true,`, new: `'{"sweep":True,`, want: "Input: is nothing that the timer function reads"},
		"InputField":        {old: `'{"sweep":true,`, new: `'{"sweeps":true,`, want: "Input: is nothing that the timer function reads"},
		"InputRole":         {old: `'{"sweep":true,`, new: `'{"role":"dayly",`, want: `names the role "dayly"`},
		"NoSweep":           {old: `'{"sweep":true,`, new: `'{"role":"daily",`, at: "-", want: "has no timer with the payload"},
		"InputIdentity":     {old: `"<aws.scheduler.scheduled-time>"`, new: `"2026-01-01T00:00:00Z"`, want: "has no identity"},
		"EventType":         {old: "Type: ScheduleV2", new: "Type: Schedule", at: "Type: Schedule\n", want: "Events.Sweep.Type"},
		"ResponseTypes":     {old: "[ReportBatchItemFailures]", new: "[ReportBatchItemFailure]", want: "FunctionResponseTypes[0]"},
		"BatchSize":         {old: "BatchSize: 5", new: "BatchSize: 11", want: "write at most 10"},
		"DirectBusRule":     {old: "        Queue:\n          Type: SQS", new: "        Queue:\n          Type: EventBridgeRule", at: "          Type: EventBridgeRule", want: "Events.Queue.Type"},
		"Visibility":        {old: "VisibilityTimeout: 720", new: "VisibilityTimeout: 60", want: "write at least 720"},
		"Redrive":           {old: "maxReceiveCount: 6", new: "maxReceiveCount: 0", want: "write at least 1"},
		"RedriveTooSoon":    {old: "maxReceiveCount: 6", new: "maxReceiveCount: 4", want: "maxReceiveCount: gives an order up before"},
		"NoRedrive":         {old: "      RedrivePolicy:\n        deadLetterTargetArn: !GetAtt DeadLetters.Arn\n        maxReceiveCount: 6\n", new: "", at: "    Properties:\n      SqsManagedSseEnabled: true\n      VisibilityTimeout", want: "RedrivePolicy: is missing"},
		"PatternField":      {old: "detail-type: [Snapshot Order]", new: "detailtype: [Snapshot Order]", want: "detailtype: is not a key here"},
		"PatternSource":     {old: "source: [swas-snapshot]", new: "source: [aws.ecr]", at: "      EventPattern:", want: "no rule under events"},
		"RuleToFunction":    {old: "Arn: !GetAtt Orders.Arn\n          Retry", new: "Arn: !GetAtt EventFunction.Arn\n          Retry", want: "Targets[0].Arn: refers to EventFunction"},
		"Concurrency":       {old: "ReservedConcurrentExecutions: 1", new: "ReservedConcurrentExecutions: 0", want: "write at least 1"},
		"AllActions":        {old: "Action: sqs:SendMessage", new: "Action: sqs:*", want: "write single actions"},
		"AllResources":      {old: "Resource: !Ref SweepCredentialsSecretArn", new: "Resource: '*'", want: "never *"},
		"AuthType":          {old: "AuthType: NONE", new: "AuthType: PUBLIC", want: "FunctionUrlConfig.AuthType"},
		"Retries":           {old: "MaximumRetryAttempts: 2", new: "MaximumRetryAttempts: 4", want: "write at most 2"},
		"Operator":          {old: "ComparisonOperator: GreaterThanOrEqualToThreshold", new: "ComparisonOperator: GreaterOrEqual", want: "TimerErrors.Properties.ComparisonOperator"},
		"OtherName":         {old: "FunctionName: swas-snapshot-event", new: "FunctionName: swas-snapshot-events", at: "  EventFunction:", want: "give it the same name"},
		"NoName":            {old: "      FunctionName: swas-snapshot-event\n", new: "", at: "    Properties:\n      Description: Takes the snapshots that bus", want: "Resources.EventFunction.Properties.FunctionName: is missing"},
		"FilterPattern":     {old: `FilterPattern: '{ $.msg = "notification" && $.kind = "stale" }'`, new: `FilterPattern: 'filter msg = "notification"'`, want: "StaleNotifications.Properties.FilterPattern"},
		"UnwatchedFilter":   {old: "          MetricName: Stale\n", new: "          MetricName: Stalest\n", want: "is a metric that no alarm watches"},
		"UnmadeMetric":      {old: "      Namespace: swas-snapshot\n      MetricName: Stale\n", new: "      Namespace: swas-snapshot\n      MetricName: Staler\n", at: "MetricName: Staler", want: "no AWS::Logs::MetricFilter makes"},
		"NoDimensions":      {old: "      Dimensions:\n        - Name: FunctionName\n          Value: !Ref EventFunction\n", new: "", at: "  EventFunction:", want: "EventFunction: has no alarm"},
		"NoAlarm":           {old: "Value: !Ref TimerFunction", new: "Value: !Ref HttpFunction", at: "  TimerFunction:", want: "TimerFunction: has no alarm"},
		"ReservedVariable":  {old: "        SNAPSHOT_LOG_LEVEL: !Ref LogLevel", new: "        AWS_LOG_LEVEL: !Ref Architecture\n        SNAPSHOT_LOG_LEVEL: !Ref LogLevel", at: "Default: x86_64", want: "begins with AWS_"},
		"UnknownName":       {old: "          TEAMS_TOKEN: ", new: "          TEAM_TOKEN: ", want: "TEAM_TOKEN: is a variable that nothing reads"},
		"PlainSecret":       {old: "API_TOKEN: !Sub '{{resolve:secretsmanager:${WebhookSecretArn}:SecretString:API_TOKEN::${WebhookSecretVersion}}}'", new: "API_TOKEN: open-sesame-open-sesame", want: "API_TOKEN: is a secret in plain text"},
		"OtherSecret":       {old: "SecretString:GITEE_SECRET:", new: "SecretString:GITLAB_TOKEN:", at: "GITEE_SECRET: !Sub", want: "GITEE_SECRET: is a secret in plain text"},
	})
}
