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

// names are the functions, each a folder under functions.
var names = []string{"timer", "http", "event"}

// function is one of ours, as a deployment file has it.
type function struct {
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
func (d *Deployment) function(name string) *function {
	i := slices.IndexFunc(d.functions, func(f function) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &d.functions[i]
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
func (d *Deployment) checkFunctions(runtime string) {
	for _, name := range names {
		f := d.function(name)
		if f == nil {
			d.fail(0, "has no function %s: restore it", name)
			continue
		}
		if f.runtime.line == 0 || f.runtime.known() && !strings.HasPrefix(f.runtime.text, runtime) {
			d.fail(cmp.Or(f.runtime.line, f.line), "the runtime is %q: use one that begins with %s",
				f.runtime.text, runtime)
		}
		if f.handler.line == 0 || f.handler.known() && f.handler.text != "bootstrap" {
			d.fail(cmp.Or(f.handler.line, f.line), "the handler is %q: use bootstrap", f.handler.text)
		}
		if folder := path.Base(f.code.text); folder != name && !strings.ContainsAny(folder, "${}") {
			d.fail(cmp.Or(f.code.line, f.line), "function %s has the code %q: use dist/%s, where build puts it",
				name, f.code.text, name)
		}
		least := float64(timeoutMin)
		if name == "http" {
			least = httpTimeoutMin
		}
		if seconds, ok := f.timeout.number(timeoutDefault); ok && seconds < least {
			d.fail(cmp.Or(f.timeout.line, f.line), "function %s has a timeout of %v seconds: use at least %v",
				name, seconds, least)
		}
		if f.deployed.known() && f.deployed.text != "swas-snapshot-"+name {
			d.warn(f.deployed.line, "function %s is named %q, but the commands of README.md name swas-snapshot-%s",
				name, f.deployed.text, name)
		}
		d.checkCredentials(f)
		d.checkEnvironment(f)
	}
	if !d.sweeps {
		d.fail(0, `has no timer with the payload {"sweep":true}: nothing that is due would be taken, nothing surplus deleted`)
	}
}

// credentialName finds for what credentials are, in the name of a role or of a secret.
var credentialName = regexp.MustCompile(`(?:^|[^A-Za-z])([Ss]weep|[Tt]ake)`)

// checkCredentials reports a function that has the wrong credentials: only the timer may have those that delete.
func (d *Deployment) checkCredentials(f *function) {
	const rule = "give the timer function those of docs/ram/sweep-policy.json and the others those of docs/ram/take-policy.json"
	line := cmp.Or(f.key.line, f.line)
	purpose := "take"
	if f.name == "timer" {
		purpose = "sweep"
	}
	timer := d.function("timer")
	found := credentialName.FindStringSubmatch(f.key.text)
	switch {
	case f.key.text == "":
		d.fail(line, "function %s has no credentials for the API: %s", f.name, rule)
	case found != nil && !strings.EqualFold(found[1], purpose):
		d.fail(line, "function %s has the credentials %q: %s", f.name, f.key.text, rule)
	case f.name == "timer" || timer == nil:
	case found == nil && f.key.text == timer.key.text:
		d.fail(line, "function %s has the credentials of the timer function, which may delete snapshots: %s", f.name, rule)
	case f.role != f.key && f.role.text != "" && f.role.text == timer.role.text:
		d.fail(f.role.line, "function %s has the role of the timer function: %s", f.name, rule)
	}
}

// checkEnvironment reports variables that the platform refuses.
func (d *Deployment) checkEnvironment(f *function) {
	size := 0
	for name, v := range f.env {
		size += len(name) + len(placeholder.ReplaceAllString(v.text, ""))
		if d.File == FCFile && strings.HasPrefix(name, "FC_") {
			d.fail(v.line, "variable %s begins with FC_, which Function Compute keeps for itself: choose another name", name)
		}
	}
	if size > environmentMax {
		d.fail(f.line, "function %s has %d bytes of names and values of variables: at most %d are allowed",
			f.name, size, environmentMax)
	}
}

// general are the variables that are not the secret of a sender.
var general = []string{"SNAPSHOTS_FILE", "SWAS_ENDPOINT", "SNAPSHOT_CALLS_PER_MINUTE", "SNAPSHOT_LOG_LEVEL",
	"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
	"ALIBABA_CLOUD_SECRET_ID", "ALIBABA_CLOUD_REGION_ID"}

// senders returns the variables of each sender, by the name that it has under allow.
func senders() map[string][]string {
	all := map[string][]string{"api": {"API_TOKEN"}}
	for _, one := range webhook.States(nil) {
		all[one.Sender] = one.Variables
	}
	return all
}

// compareVariables reports variables that the policy needs and a function lacks, and those that nothing reads. used are
// those that the policy names itself.
func (d *Deployment) compareVariables(p policy.Policy, used []string) {
	bySender := senders()
	read := slices.Concat(slices.Collect(maps.Values(bySender))...)
	read = append(append(read, general...), used...)
	for _, f := range d.functions {
		for _, name := range used {
			if f.env[name].line == 0 {
				d.warn(f.line, "function %s has no variable %s, which %s uses: add it", f.name, name, policy.FileName)
			}
		}
		for name, v := range f.env {
			if !slices.Contains(read, name) {
				d.warn(v.line, "variable %s is one that nothing reads: use a name of the table in README.md", name)
			}
		}
	}
	http := d.function("http")
	for _, rule := range p.Allow {
		variables := bySender[rule.From]
		has := func(name string) bool { return http.env[name].line > 0 }
		if http != nil && variables != nil && !slices.ContainsFunc(variables, has) {
			d.warn(http.line, "function http has no variable %s, and %s allows %s: without its secret the sender is off",
				strings.Join(variables, " or "), policy.FileName, rule.From)
		}
	}
}
