package deploy

import (
	"cmp"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/webhook"
)

// functionNames are the functions, each a folder under functions.
var functionNames = []string{"timer", "http", "event"}

// functionEntry is one of ours, as a deployment file has it.
type functionEntry struct {
	name     string // timer, http or event
	line     int
	deployed value // name on the platform
	runtime  value
	handler  value
	code     value
	timeout  value // seconds
	role     value // on the platform
	key      value // what signs the calls of the API: the role, a secret, or an access key
	env      map[string]value
}

// function returns one of the functions; nil if the file does not have it.
func (f *File) function(name string) *functionEntry {
	i := slices.IndexFunc(f.functions, func(fn functionEntry) bool { return fn.name == name })
	if i < 0 {
		return nil
	}
	return &f.functions[i]
}

const (
	// environmentMax is how many bytes the names and values of a function's variables may have together.
	// Source: the limits of Function Compute and of Lambda, which are the same.
	environmentMax = 4096

	// timeoutDefault is the timeout of both platforms in seconds.
	timeoutDefault = 3

	// httpTimeoutMin leaves the 8 s that a webhook may take, and the 2 s before the deadline in which nothing begins.
	httpTimeoutMin = 10

	// timeoutMin lets an order wait out the API's limit of calls a minute.
	timeoutMin = 60
)

// checkFunctions reports what is wrong with the functions by themselves and to each other. runtime is how the name of a
// runtime begins that can run them.
func (f *File) checkFunctions(runtime string) {
	for _, name := range functionNames {
		fn := f.function(name)
		if fn == nil {
			f.fail(0, "has no function %s: restore it", name)
			continue
		}
		if fn.runtime.line == 0 || fn.runtime.known() && !strings.HasPrefix(fn.runtime.text, runtime) {
			f.fail(cmp.Or(fn.runtime.line, fn.line), "the runtime is %q: use one that begins with %s",
				fn.runtime.text, runtime)
		}
		if fn.handler.line == 0 || fn.handler.known() && fn.handler.text != "bootstrap" {
			f.fail(cmp.Or(fn.handler.line, fn.line), "the handler is %q: use bootstrap", fn.handler.text)
		}
		if folder := path.Base(fn.code.text); folder != name && !strings.ContainsAny(folder, "${}") {
			f.fail(cmp.Or(fn.code.line, fn.line), "function %s has the code %q: use dist/%s, where build puts it",
				name, fn.code.text, name)
		}
		least := float64(timeoutMin)
		if name == "http" {
			least = httpTimeoutMin
		}
		if seconds, ok := fn.timeout.number(timeoutDefault); ok && seconds < least {
			f.fail(cmp.Or(fn.timeout.line, fn.line), "function %s has a timeout of %v seconds: use at least %v",
				name, seconds, least)
		}
		if fn.deployed.known() && fn.deployed.text != "swas-snapshot-"+name {
			f.warn(fn.deployed.line, "function %s is named %q, but the commands of README.md name swas-snapshot-%s",
				name, fn.deployed.text, name)
		}
		f.checkCredentials(fn)
		f.checkEnvironment(fn)
	}
	if !f.sweeps {
		f.fail(0, `has no timer with the payload {"sweep":true}: nothing due would be taken, nothing surplus deleted`)
	}
}

// credentialName finds for what credentials are, in the name of a role or of a secret.
var credentialName = regexp.MustCompile(`(?:^|[^A-Za-z])([Ss]weep|[Tt]ake)`)

// checkCredentials reports a function that has the wrong credentials: only the timer may have those that delete.
func (f *File) checkCredentials(fn *functionEntry) {
	const rule = "give the timer function those of docs/ram/sweep-policy.json, " +
		"the others those of docs/ram/take-policy.json"
	line := cmp.Or(fn.key.line, fn.line)
	purpose := "take"
	if fn.name == "timer" {
		purpose = "sweep"
	}
	timer := f.function("timer")
	found := credentialName.FindStringSubmatch(fn.key.text)
	switch {
	case fn.key.text == "":
		f.fail(line, "function %s has no credentials for the API: %s", fn.name, rule)
	case found != nil && !strings.EqualFold(found[1], purpose):
		f.fail(line, "function %s has the credentials %q: %s", fn.name, fn.key.text, rule)
	case fn.name == "timer" || timer == nil:
	case found == nil && fn.key.text == timer.key.text:
		f.fail(line, "function %s has the credentials of the timer function, which may delete: %s", fn.name, rule)
	case fn.role != fn.key && fn.role.text != "" && fn.role.text == timer.role.text:
		f.fail(fn.role.line, "function %s has the role of the timer function: %s", fn.name, rule)
	}
}

// checkEnvironment reports variables that the platform refuses.
func (f *File) checkEnvironment(fn *functionEntry) {
	size := 0
	for name, v := range fn.env {
		size += len(name) + len(placeholder.ReplaceAllString(v.text, ""))
		if f.Name == FCFile && strings.HasPrefix(name, "FC_") {
			f.fail(v.line, "variable %s begins with FC_, which is for Function Compute: choose another name", name)
		}
	}
	if size > environmentMax {
		f.fail(fn.line, "function %s has %d bytes of names and values of variables: at most %d are allowed",
			fn.name, size, environmentMax)
	}
}

// generalVariables are the variables that are not the secret of a sender.
var generalVariables = []string{"SNAPSHOTS_FILE", "SWAS_ENDPOINT", "SNAPSHOT_CALLS_PER_MINUTE", "SNAPSHOT_LOG_LEVEL",
	"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
	"ALIBABA_CLOUD_SECRET_ID", "ALIBABA_CLOUD_REGION_ID"}

// senders returns the variables of each sender, by the name that it has under allow.
func senderVariables() map[string][]string {
	all := map[string][]string{"api": {"API_TOKEN"}}
	for _, one := range webhook.SenderStates(nil) {
		all[one.Sender] = one.Variables
	}
	return all
}

// compareVariables reports variables that the policy needs and a function lacks, and those that nothing reads. used are
// those that the policy names itself.
func (f *File) compareVariables(p policy.Policy, used []string) {
	bySender := senderVariables()
	known := slices.Concat(slices.Collect(maps.Values(bySender))...)
	known = slices.Concat(known, generalVariables, used)
	for _, fn := range f.functions {
		for _, name := range used {
			if fn.env[name].line == 0 {
				f.warn(fn.line, "function %s has no variable %s, which %s uses: add it", fn.name, name, policy.FileName)
			}
		}
		for name, v := range fn.env {
			if !slices.Contains(known, name) {
				f.warn(v.line, "variable %s is one that nothing reads: use a name of the table in README.md", name)
			}
		}
	}
	http := f.function("http")
	for _, rule := range p.Allow {
		variables := bySender[rule.From]
		has := func(name string) bool { return http.env[name].line > 0 }
		if http != nil && variables != nil && !slices.ContainsFunc(variables, has) {
			f.warn(http.line, "function http has no variable %s, and %s allows %s: without a secret it is off",
				strings.Join(variables, " or "), policy.FileName, rule.From)
		}
	}
}
