package manifest

import (
	"math"
	"regexp"
)

// fcShape is the part of s.yaml (Serverless Devs 3, component fc3) that this project uses. Ranges and words are those of
// the component's schema, github.com/devsapp/fc3, and of Function Compute's quotas.
var fcShape = object{
	required: []string{"edition", "name", "access", "vars", "actions", "resources"},
	keys: map[string]shape{
		"edition": text{words: []string{"3.0.0"}},
		"name":    text{match: regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`), form: "small letters, digits and -"},
		"access":  text{},
		"vars":    dictionary{regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`), "letters, digits and _", free{}},
		"actions": object{
			required: []string{"pre-deploy"},
			keys: map[string]shape{"pre-deploy": list{of: object{
				required: []string{"run", "path"},
				keys:     map[string]shape{"run": text{}, "path": text{}},
			}}},
		},
		"resources": dictionary{regexp.MustCompile(`^[a-z][a-z0-9_-]*$`), "small letters, digits, - and _", fcResource},
	},
}

var fcResource = object{
	required: []string{"component", "props"},
	keys: map[string]shape{
		"component": text{words: []string{"fc3"}},
		"props":     fcProps,
	},
}

var fcProps = object{
	required: []string{"region", "functionName", "runtime", "handler", "code", "cpu", "memorySize", "diskSize", "timeout", "role",
		"environmentVariables", "logConfig", "asyncInvokeConfig", "triggers"},
	keys: map[string]shape{
		"region":       text{words: fcRegions},
		"functionName": text{match: regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`), form: "1 to 64 letters, digits, - and _"},
		"description":  text{},
		"runtime":      text{words: []string{"go1"}},
		"handler":      text{words: []string{"bootstrap"}},
		"code":         text{match: regexp.MustCompile(`^\./dist/[a-z]+$`), form: "./dist/<function>, where build puts it"},
		"cpu":          number{min: 0.05, max: 16, step: 0.05},
		"memorySize":   number{min: 128, max: 32768, step: 64},
		"diskSize":     number{max: math.Inf(1), words: []float64{512, 10240}},
		"timeout":      number{min: 1, max: 86400, step: 1},
		"role":         text{match: regexp.MustCompile(`^acs:ram::([0-9]{16}|` + unknown + `):role/[A-Za-z0-9.-]{1,64}$`), form: "acs:ram::<account>:role/<name>"},
		"concurrencyConfig": object{
			required: []string{"reservedConcurrency"},
			keys:     map[string]shape{"reservedConcurrency": number{min: 1, max: 1000, step: 1}},
		},
		"environmentVariables": dictionary{variableName, "capitals, digits and _, none of them the first but a capital",
			text{empty: true}},
		"logConfig": either{text{words: []string{"auto"}}, object{
			required: []string{"project", "logstore"},
			keys: map[string]shape{
				"project": text{}, "logstore": text{}, "enableInstanceMetrics": boolean{}, "enableRequestMetrics": boolean{},
				"logBeginRule": text{words: []string{"DefaultRegex", "None"}},
			},
		}},
		"asyncInvokeConfig": object{
			required: []string{"maxAsyncEventAgeInSeconds", "maxAsyncRetryAttempts"},
			keys: map[string]shape{
				"maxAsyncEventAgeInSeconds": number{min: 1, max: 604800, step: 1},
				"maxAsyncRetryAttempts":     number{min: 0, max: 8, step: 1},
				"destinationConfig": object{
					required: []string{"onFailure"},
					keys: map[string]shape{"onFailure": object{
						required: []string{"destination"},
						keys:     map[string]shape{"destination": fcDestination},
					}},
				},
			},
		},
		"triggers": list{fcTrigger, 10},
	},
}

var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// fcDestination is where a failed asynchronous invocation goes: a queue, a topic or a function.
var fcDestination = text{
	match: regexp.MustCompile(`^acs:(mns:[a-z0-9-]+:([0-9]{16}|` + unknown + `):/(queues|topics)/[A-Za-z0-9-]{1,120}/messages|fc:[a-z0-9-]+:([0-9]{16}|` + unknown + `):functions/[A-Za-z0-9_-]{1,64})$`),
	form:  "acs:mns:<region>:<account>:/queues/<name>/messages",
}

var triggerName = text{match: regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,127}$`), form: "1 to 128 letters, digits, - and _, the first a letter"}

// fcTrigger has the configuration of its type; the component's own schema takes any.
var fcTrigger = variants{by: "triggerType", of: map[string]object{
	"timer": fcTriggerOf(object{
		required: []string{"cronExpression", "enable", "payload"},
		keys:     map[string]shape{"cronExpression": text{}, "enable": boolean{}, "payload": text{}},
	}),
	"http": fcTriggerOf(object{
		required: []string{"authType", "disableURLInternet", "methods"},
		keys: map[string]shape{
			"authType":           text{words: []string{"anonymous", "function"}},
			"disableURLInternet": boolean{},
			"methods":            list{of: text{words: []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}}},
		},
	}),
	"eventbridge": fcTriggerOf(object{
		required: []string{"triggerEnable", "asyncInvocationType", "eventRuleFilterPattern", "eventSourceConfig"},
		keys: map[string]shape{
			"triggerEnable":          boolean{},
			"asyncInvocationType":    boolean{},
			"eventRuleFilterPattern": text{},
			"eventSourceConfig": object{
				required: []string{"eventSourceType"},
				keys:     map[string]shape{"eventSourceType": text{words: []string{"Default"}}},
			},
		},
	}),
}}

func fcTriggerOf(config object) object {
	return object{
		required: []string{"triggerName", "triggerType", "triggerConfig"},
		keys:     map[string]shape{"triggerName": triggerName, "triggerType": text{}, "triggerConfig": config},
	}
}

// fcRegions are where Function Compute 3.0 is, by the component's schema.
var fcRegions = []string{
	"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
	"ap-southeast-7", "cn-beijing", "cn-chengdu", "cn-hangzhou", "cn-heyuan-acdr-1", "cn-hongkong", "cn-huhehaote", "cn-qingdao",
	"cn-shanghai", "cn-shanghai-cloudspe", "cn-shanghai-finance-1", "cn-shenzhen", "cn-wulanchabu", "cn-zhangjiakou",
	"eu-central-1", "eu-west-1", "me-central-1", "us-east-1", "us-west-1",
}
