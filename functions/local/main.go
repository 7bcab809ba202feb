// Command local runs the three functions on your own machine: as real processes, against a simulator of the API and
// of the platform, or with -live against the real API.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"swas-snapshot/shared/snapshot"
)

// usage is the whole command line.
const usage = `Usage: go run ./functions/local [command] [flags]

  (none)                        the demo: each kind of trigger once, through the real functions
  serve                         keep the simulator and the HTTP function up, and fire the timers of s.yaml
  invoke timer|http|event FILE  one event through the real function; FILE may be - for standard input
  build                         dist/<function>/bootstrap and snapshots.yaml, ready to deploy
  plan [TARGET]                 what the next sweep does and why, what is due next, what will be blocked
  list [TARGET]                 what is there, with ages
  pin ID [DAY]                  keep a snapshot until a day (2026-12-01), or for ever
  unpin ID                      keep it no longer than its role's count does
  doctor                        check credentials, permissions, policy, disks, slots and next ticks

Flags, before or behind the command:
  -live                         use the real API and the default credentials; without it: the simulator
  -json                         answers for machines
  -platform fc|lambda           whose runtime the functions run on (default fc)
  -addr HOST:PORT               serve: where the HTTP function listens (default 127.0.0.1:9000)
  -takes DURATION               serve: how long the simulator takes for a snapshot (default 5s)
  -now                          invoke: as if the event happened now; the examples in events are old
  -arch amd64|arm64             build: of the machine that will run the functions (default amd64)

The policy is snapshots.yaml, or the file that SNAPSHOTS_FILE names. Try:

  go run ./functions/local invoke -now timer events/timer-fc.json
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr), os.Stderr))
}

// errFailed is the error of a command that has said already what went wrong.
var errFailed = errors.New("the command failed")

// exit prints an error and returns the exit status: 0, 1, or 2 for a command line that is wrong.
func exit(err error, stderr io.Writer) int {
	var wrong usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "swas-snapshot: %v\nrun it with -h for the whole command line\n", err)
		return 2
	case !errors.Is(err, errFailed):
		fmt.Fprintf(stderr, "swas-snapshot: %v\n", err)
	}
	return 1
}

// usageError is a mistake on the command line; it says what would be right.
type usageError string

func (e usageError) Error() string { return string(e) }

// options is the command line.
type options struct {
	command  string
	args     []string
	live     bool
	json     bool
	platform string
	addr     string
	takes    durationFlag
	now      bool
	arch     string
}

// command is one command: how many arguments it takes, and what it does.
type command struct {
	min, max int
	wants    string // said when the number of arguments is wrong
	flags    []string
	do       func(context.Context, *session) error
}

var commands = map[string]command{
	"":      {0, 0, "", []string{"platform", "json"}, demo},
	"serve": {0, 0, "serve takes no arguments", []string{"addr", "json", "platform", "takes"}, serve},
	"invoke": {2, 2, "invoke takes a function (timer, http or event) and a file: invoke -now timer events/timer-fc.json",
		[]string{"live", "json", "now", "platform"}, invoke},
	"build":  {0, 0, "build takes no arguments: it builds all three functions", []string{"arch", "json"}, build},
	"plan":   {0, 1, "plan takes at most one target: plan web-1", []string{"live", "json"}, plan},
	"list":   {0, 1, "list takes at most one target: list web-1", []string{"live", "json"}, list},
	"pin":    {1, 2, "pin takes a snapshot ID and maybe a day: pin s-bp1... 2026-12-01", []string{"live", "json"}, pin},
	"unpin":  {1, 1, "unpin takes a snapshot ID: unpin s-bp1...", []string{"live", "json"}, unpin},
	"doctor": {0, 0, "doctor takes no arguments", []string{"live", "json"}, doctor},
}

// session is one run of the command.
type session struct {
	options
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run reads the command line and does what it says.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer,
) error {
	s := &session{getenv: getenv, stdin: stdin, stdout: stdout, stderr: &shared{w: stderr}}
	given, err := s.parse(args)
	if errors.Is(err, flag.ErrHelp) {
		_, _ = io.WriteString(stdout, usage)
		return err
	}
	if err != nil {
		return usageError(flagMistake(err.Error()))
	}
	if s.command == "help" {
		_, _ = io.WriteString(stdout, usage)
		return flag.ErrHelp
	}
	if s.command == "demo" {
		s.command = ""
	}
	c, ok := commands[s.command]
	switch {
	case !ok:
		return usageError(unknownCommand(s.command))
	case len(s.args) < c.min || len(s.args) > c.max:
		return usageError(c.wants)
	case s.platform != "fc" && s.platform != "lambda":
		return usageError("-platform: is fc or lambda, not " + quoted(s.platform))
	case s.arch != "amd64" && s.arch != "arm64":
		return usageError("-arch: is amd64 or arm64, not " + quoted(s.arch))
	}
	for _, name := range given {
		if !slices.Contains(c.flags, name) {
			return usageError(fmt.Sprintf("-%s has no meaning for %s: leave it out", name, orDemo(s.command)))
		}
	}
	return c.do(ctx, s)
}

// parse reads flags before and behind the command, and returns the names of those that were given.
func (s *session) parse(args []string) (given []string, err error) {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&s.live, "live", false, "")
	flags.BoolVar(&s.json, "json", false, "")
	flags.StringVar(&s.platform, "platform", "fc", "")
	flags.StringVar(&s.addr, "addr", "127.0.0.1:9000", "")
	flags.Var(&s.takes, "takes", "")
	flags.BoolVar(&s.now, "now", false, "")
	flags.StringVar(&s.arch, "arch", "amd64", "")
	var words []string
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		rest := flags.Args()
		if len(rest) == 0 {
			break
		}
		words, args = append(words, rest[0]), rest[1:]
	}
	if len(words) > 0 {
		s.command, s.args = words[0], words[1:]
	}
	flags.Visit(func(f *flag.Flag) { given = append(given, f.Name) })
	return given, nil
}

// flagMistake says what the flag package says, with the flag that was probably meant.
func flagMistake(text string) string {
	name, unknown := strings.CutPrefix(text, "flag provided but not defined: -")
	if !unknown {
		return text
	}
	if near := snapshot.Nearest(name, []string{"live", "json", "platform", "addr", "takes", "now", "arch"}); near != "" {
		return fmt.Sprintf("there is no flag -%s: did you mean -%s?", name, near)
	}
	return fmt.Sprintf("there is no flag -%s", name)
}

func unknownCommand(name string) string {
	known := []string{"serve", "invoke", "build", "plan", "list", "pin", "unpin", "doctor"}
	for _, one := range known {
		if strings.HasPrefix(one, name) || strings.HasPrefix(name, one) || sameLetters(one, name) {
			return fmt.Sprintf("there is no command %s: did you mean %s?", quoted(name), one)
		}
	}
	return fmt.Sprintf("there is no command %s: use %s, or none for the demo", quoted(name), strings.Join(known, ", "))
}

// sameLetters reports whether two words differ in the order of their letters only: a typing error.
func sameLetters(a, b string) bool {
	first, second := []byte(a), []byte(b)
	slices.Sort(first)
	slices.Sort(second)
	return string(first) == string(second)
}

func orDemo(command string) string {
	if command == "" {
		return "the demo"
	}
	return command
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }
