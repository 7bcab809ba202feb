package manifest

import (
	"math"
	"regexp"
)

// samShape is the part of template.yml (AWS SAM) that this project uses. Ranges and words are those of the CloudFormation
// template reference and of the SAM specification.
var samShape = object{
	required: []string{"AWSTemplateFormatVersion", "Transform", "Description", "Parameters", "Globals", "Resources", "Outputs"},
	keys: map[string]shape{
		"AWSTemplateFormatVersion": text{words: []string{"2010-09-09"}},
		"Transform":                text{words: []string{"AWS::Serverless-2016-10-31"}},
		"Description":              text{},
		"Parameters":               dictionary{logicalID, "letters and digits", samParameter},
		"Globals": object{required: []string{"Function"}, keys: map[string]shape{
			"Function": object{keys: samFunctionKeys("Runtime", "Handler", "Architectures", "MemorySize", "Timeout", "Layers", "Environment")},
		}},
		"Resources": dictionary{logicalID, "letters and digits", samResource},
		"Outputs": dictionary{logicalID, "letters and digits", object{
			required: []string{"Value"},
			keys:     map[string]shape{"Description": text{}, "Value": text{}},
		}},
	},
}

var logicalID = regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)

var samParameter = object{
	required: []string{"Type"},
	keys: map[string]shape{
		"Type":           text{words: []string{"String", "Number"}},
		"Description":    text{},
		"Default":        scalarShape{},
		"AllowedPattern": text{},
		"AllowedValues":  list{of: scalarShape{}},
	},
}

// scalarShape is text or a number.
type scalarShape struct{}

func (scalarShape) check(d *document, at place) {
	if _, ok := at.Number(); !ok {
		text{empty: true}.check(d, at)
	}
}

var samResource = variants{by: "Type", of: map[string]object{
	"AWS::Serverless::Function": samResourceOf(object{
		required: []string{"FunctionName", "CodeUri", "Timeout", "Role", "LoggingConfig"},
		keys: samFunctionKeys("FunctionName", "Description", "CodeUri", "Runtime", "Handler", "Architectures", "MemorySize", "Timeout", "Layers", "Environment",
			"Role", "ReservedConcurrentExecutions", "LoggingConfig", "EventInvokeConfig", "FunctionUrlConfig", "Events"),
	}),
	"AWS::SQS::Queue": samResourceOf(object{keys: map[string]shape{
		"SqsManagedSseEnabled":   boolean{},
		"VisibilityTimeout":      number{min: 0, max: 43200, step: 1},
		"MessageRetentionPeriod": number{min: 60, max: 1209600, step: 1},
		"RedrivePolicy": object{
			required: []string{"deadLetterTargetArn", "maxReceiveCount"},
			keys: map[string]shape{
				"deadLetterTargetArn": reference{"AWS::SQS::Queue", "Arn"},
				"maxReceiveCount":     number{min: 1, max: 1000, step: 1},
			},
		},
	}}),
	"AWS::SQS::QueuePolicy": samResourceOf(object{
		required: []string{"Queues", "PolicyDocument"},
		keys:     map[string]shape{"Queues": list{of: reference{"AWS::SQS::Queue", ""}}, "PolicyDocument": samPolicy("Principal", "Action", "Resource")},
	}),
	"AWS::Events::Rule": samResourceOf(object{
		required: []string{"EventPattern", "Targets"},
		keys: map[string]shape{
			"EventPattern": patternShape,
			"Targets": list{object{
				required: []string{"Id", "Arn"},
				keys:     map[string]shape{"Id": text{}, "Arn": reference{"AWS::SQS::Queue", "Arn"}, "RetryPolicy": samRetry, "DeadLetterConfig": samDeadLetter},
			}, 5},
		},
	}),
	"AWS::IAM::Role": samResourceOf(object{
		required: []string{"AssumeRolePolicyDocument", "Policies"},
		keys: map[string]shape{
			"AssumeRolePolicyDocument": samPolicy("Principal", "Action"),
			"Policies": list{of: object{
				required: []string{"PolicyName", "PolicyDocument"},
				keys:     map[string]shape{"PolicyName": text{}, "PolicyDocument": samPolicy("Action", "Resource")},
			}},
		},
	}),
	"AWS::Logs::LogGroup": samResourceOf(object{
		required: []string{"RetentionInDays"},
		keys: map[string]shape{"RetentionInDays": number{max: math.Inf(1), words: []float64{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400,
			545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}}},
	}),
	"AWS::SNS::Topic": samResourceOf(object{
		required: []string{"Subscription"},
		keys: map[string]shape{"Subscription": list{of: object{
			required: []string{"Protocol", "Endpoint"},
			keys:     map[string]shape{"Protocol": text{words: []string{"email", "https", "lambda", "sms", "sqs"}}, "Endpoint": text{}},
		}}},
	}),
	"AWS::Logs::MetricFilter": samResourceOf(object{
		required: []string{"LogGroupName", "FilterPattern", "MetricTransformations"},
		keys: map[string]shape{
			"LogGroupName": reference{"AWS::Logs::LogGroup", ""},
			"FilterPattern": text{match: regexp.MustCompile(`^\{ \$\.[a-z]+ = "[^"]+"( && \$\.[a-z]+ = "[^"]+")* \}$`),
				form: `a pattern of JSON, such as { $.msg = "notification" && $.kind = "stale" }`},
			"MetricTransformations": list{object{
				required: []string{"MetricNamespace", "MetricName", "MetricValue"},
				keys:     map[string]shape{"MetricNamespace": text{words: []string{ownNamespace}}, "MetricName": text{}, "MetricValue": text{words: []string{"1"}}},
			}, 1},
		},
	}),
	"AWS::CloudWatch::Alarm": samResourceOf(object{
		required: []string{"Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold",
			"ComparisonOperator", "TreatMissingData", "AlarmActions"},
		keys: map[string]shape{
			"AlarmDescription": text{},
			"Namespace":        text{words: []string{"AWS/Lambda", "AWS/SQS", ownNamespace}},
			"MetricName":       text{},
			"Dimensions": list{of: variants{by: "Name", of: map[string]object{
				"FunctionName": dimension(reference{"AWS::Serverless::Function", ""}),
				"QueueName":    dimension(reference{"AWS::SQS::Queue", "QueueName"}),
			}}},
			"Statistic":         text{words: []string{"Average", "Maximum", "Minimum", "SampleCount", "Sum"}},
			"Period":            number{min: 60, max: 86400, step: 60},
			"EvaluationPeriods": number{min: 1, max: 100, step: 1},
			"Threshold":         number{min: 0, max: math.Inf(1)},
			"ComparisonOperator": text{words: []string{"GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanOrEqualToThreshold",
				"LessThanThreshold"}},
			"TreatMissingData": text{words: []string{"breaching", "ignore", "missing", "notBreaching"}},
			"AlarmActions":     list{of: reference{"AWS::SNS::Topic", ""}},
		},
	}),
}}

// ownNamespace is that of the metrics that filters make of log lines.
const ownNamespace = "swas-snapshot"

func dimension(value shape) object {
	return object{required: []string{"Name", "Value"}, keys: map[string]shape{"Name": text{}, "Value": value}}
}

func samResourceOf(properties object) object {
	return object{
		required: []string{"Type", "Properties"},
		keys:     map[string]shape{"Type": text{}, "Properties": properties, "DependsOn": some{text{}}},
	}
}

// samPolicy is an IAM policy whose statements have the keys and grant no whole service and no whole account.
func samPolicy(keys ...string) shape {
	statement := object{
		required: append([]string{"Effect"}, keys...),
		keys: map[string]shape{
			"Effect":    text{words: []string{"Allow"}},
			"Action":    some{text{match: regexp.MustCompile(`^[a-z0-9-]+:[A-Z][A-Za-z]+$`), form: "single actions, such as sqs:SendMessage"}},
			"Resource":  some{text{match: regexp.MustCompile(`^arn:`), form: "the ARN of what is meant, never *"}},
			"Principal": object{required: []string{"Service"}, keys: map[string]shape{"Service": text{match: regexp.MustCompile(`^[a-z.]+\.amazonaws\.com$`), form: "a service, such as lambda.amazonaws.com"}}},
			"Condition": free{},
		},
	}
	return object{
		required: []string{"Version", "Statement"},
		keys:     map[string]shape{"Version": text{words: []string{"2012-10-17"}}, "Statement": list{of: statement}},
	}
}

// samFunctionKeys returns the shapes of some properties of a function, which may stand under Globals too.
func samFunctionKeys(names ...string) map[string]shape {
	keys := make(map[string]shape, len(names))
	for _, name := range names {
		keys[name] = samFunction[name]
	}
	return keys
}

var samFunction = map[string]shape{
	"FunctionName":  text{match: regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`), form: "1 to 64 letters, digits, - and _"},
	"Description":   text{},
	"CodeUri":       text{match: regexp.MustCompile(`^dist/[a-z]+/$`), form: "dist/<function>/, where build puts it"},
	"Runtime":       text{words: []string{"provided.al2023"}},
	"Handler":       text{words: []string{"bootstrap"}},
	"Architectures": list{text{words: []string{"arm64", "x86_64"}}, 1},
	"MemorySize":    number{min: 128, max: 10240, step: 1},
	"Timeout":       number{min: 1, max: 900, step: 1},
	"Layers":        list{text{}, 5},
	"Environment": object{required: []string{"Variables"}, keys: map[string]shape{
		"Variables": dictionary{variableName, "capitals, digits and _", text{}},
	}},
	"Role":                         reference{"AWS::IAM::Role", "Arn"},
	"ReservedConcurrentExecutions": number{min: 1, max: 1000, step: 1},
	"LoggingConfig":                object{required: []string{"LogGroup"}, keys: map[string]shape{"LogGroup": reference{"AWS::Logs::LogGroup", ""}}},
	"FunctionUrlConfig":            object{required: []string{"AuthType"}, keys: map[string]shape{"AuthType": text{words: []string{"AWS_IAM", "NONE"}}}},
	"EventInvokeConfig": object{
		required: []string{"MaximumEventAgeInSeconds", "MaximumRetryAttempts", "DestinationConfig"},
		keys: map[string]shape{
			"MaximumEventAgeInSeconds": number{min: 60, max: 21600, step: 1},
			"MaximumRetryAttempts":     number{min: 0, max: 2, step: 1},
			"DestinationConfig": object{required: []string{"OnFailure"}, keys: map[string]shape{"OnFailure": object{
				required: []string{"Type", "Destination"},
				keys:     map[string]shape{"Type": text{words: []string{"SQS"}}, "Destination": reference{"AWS::SQS::Queue", "Arn"}},
			}}},
		},
	},
	"Events": dictionary{logicalID, "letters and digits", variants{by: "Type", of: map[string]object{
		"ScheduleV2": samEventOf(object{
			required: []string{"ScheduleExpression", "Input"},
			keys: map[string]shape{
				"ScheduleExpression": text{}, "ScheduleExpressionTimezone": text{}, "Input": text{},
				"State": text{words: []string{"DISABLED", "ENABLED"}}, "RetryPolicy": samRetry, "DeadLetterConfig": samDeadLetter,
			},
		}),
		"SQS": samEventOf(object{
			required: []string{"Queue", "BatchSize", "FunctionResponseTypes"},
			keys: map[string]shape{
				"Queue":                 reference{"AWS::SQS::Queue", "Arn"},
				"BatchSize":             number{min: 1, max: 10, step: 1},
				"FunctionResponseTypes": list{text{words: []string{"ReportBatchItemFailures"}}, 1},
			},
		}),
	}}},
}

func samEventOf(properties object) object {
	return object{required: []string{"Type", "Properties"}, keys: map[string]shape{"Type": text{}, "Properties": properties}}
}

var samRetry = object{keys: map[string]shape{
	"MaximumEventAgeInSeconds": number{min: 60, max: 86400, step: 1},
	"MaximumRetryAttempts":     number{min: 0, max: 185, step: 1},
}}

var samDeadLetter = object{required: []string{"Arn"}, keys: map[string]shape{"Arn": reference{"AWS::SQS::Queue", "Arn"}}}
