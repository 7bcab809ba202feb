module swas-snapshot

go 1.26

require (
	github.com/aliyun/alibaba-cloud-sdk-go v1.63.107 // the API's client, chosen; shared/swas alone
	github.com/aliyun/fc-runtime-go-sdk v0.3.1 // the runtime of Function Compute, chosen; shared/platform alone
	github.com/aws/aws-lambda-go v1.55.1 // the runtime of Lambda, chosen; shared/platform alone
	github.com/netresearch/go-cron v0.9.1 // cron: the schedules of the policy, and the timers of s.yaml and template.yml
	go.yaml.in/yaml/v3 v3.0.6 // snapshots.yaml with the line of every node; maintained, no dependencies
)

require (
	github.com/jmespath/go-jmespath v0.4.0 // indirect
	github.com/json-iterator/go v1.1.12 // indirect
	github.com/modern-go/concurrent v0.0.0-20180306012644-bacd9c7ef1dd // indirect
	github.com/modern-go/reflect2 v1.0.2 // indirect
	github.com/opentracing/opentracing-go v1.2.1-0.20220228012449-10b1cf09e00b // indirect
	gopkg.in/ini.v1 v1.67.0 // indirect
)
