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
	"time"

	"swas-snapshot/shared/snapshot"
)

const usage = `Usage: go run ./functions/local [COMMAND] [FLAGS] [ARGUMENTS]

  demo                          each kind of trigger once, through the real functions; also without a command
  serve                         keep the simulator and the HTTP function up, and fire the timers of s.yaml
  invoke timer|http|event FILE  send one event through the real function
  build                         make dist/<function>/bootstrap and snapshots.yaml, ready to deploy
  plan [TARGET]                 what the next sweep does and why, what is due next, what will be blocked
  list [TARGET]                 the snapshots on the servers, with their ages
  pin ID [DAY]                  keep a snapshot until a day, or for ever
  unpin ID                      keep a snapshot no longer than its role's count does
  doctor                        check credentials, permissions, policy, disks, slots and next ticks

Flags, behind the command; each command explains its own with -h:

  -live                         use the real API; all but demo, serve and build
  -json                         print JSON; all commands
  -platform fc|lambda           demo, serve, invoke
  -addr HOST:PORT               serve
  -takes DURATION               serve
  -now                          invoke
  -arch amd64|arm64             build

The policy is snapshots.yaml, or the file that SNAPSHOTS_FILE names. Try:

  go run ./functions/local invoke -now timer events/timer-sweep-fc.json
`

// command is one command of the command line.
type command struct {
	name  string
	args  string // as the usage shows them; those in brackets may be left out
	usage string
	flags func(*session, *flag.FlagSet) // defines its flags besides -json
	run   func(context.Context, *session) error
}

// commands are all commands; the first one runs if none is named.
var commands = []command{
	{"demo", "", demoUsage, (*session).platformFlag, demo},
	{"serve", "", serveUsage, (*session).serveFlags, serve},
	{"invoke", "timer|http|event FILE", invokeUsage, (*session).invokeFlags, invoke},
	{"build", "", buildUsage, (*session).buildFlags, build},
	{"plan", "[TARGET]", planUsage, (*session).liveFlag, plan},
	{"list", "[TARGET]", listUsage, (*session).liveFlag, list},
	{"pin", "ID [DAY]", pinUsage, (*session).liveFlag, pin},
	{"unpin", "ID", unpinUsage, (*session).liveFlag, unpin},
	{"doctor", "", doctorUsage, (*session).liveFlag, doctor},
}

// session is one run of a command: its arguments and flags, its environment and its streams.
type session struct {
	args     []string
	live     bool
	json     bool
	platform string // fc or lambda
	addr     string
	takes    time.Duration
	now      bool
	arch     string // amd64 or arm64

	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Without a channel for SIGPIPE, a write to a closed stdout ends the process before it removes its files.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	status := exitStatus(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr), os.Stderr)
	stop()
	os.Exit(status)
}

// errFailed is the error of a command that has already printed what went wrong.
var errFailed = errors.New("the command failed")

// usageError is a mistake on the command line; it says what would be right.
type usageError string

func (e usageError) Error() string { return string(e) }

// exitStatus prints an error and returns the exit status: 0, 1, or 2 for a mistake on the command line.
func exitStatus(err error, stderr io.Writer) int {
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "swas-snapshot: %v\nrun it with -h for its usage\n", err)
		return 2
	case !errors.Is(err, errFailed):
		fmt.Fprintf(stderr, "swas-snapshot: %v\n", err)
	}
	return 1
}

// run runs the command that args name. If stdout fails, it cancels the command and returns that error.
func run(
	ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := &output{w: stdout, cancel: cancel}
	s := &session{getenv: getenv, stdin: stdin, stdout: out, stderr: &output{w: stderr}}
	if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help", "help"}, args[0]) {
		fmt.Fprint(out, usage)
		return out.err
	}
	args = commandFirst(args)
	c, err := findCommand(args)
	if err != nil {
		return err
	}
	if len(args) > 0 && args[0] == c.name {
		args = args[1:]
	}
	switch err := s.parse(c, args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, c.usage)
	case err != nil:
		return usageError(err.Error())
	default:
		if err := c.run(ctx, s); err != nil && out.err == nil {
			return err
		}
	}
	return out.err
}

// commandFirst moves the name of a command before the flags that stand before it: -json plan is plan -json.
func commandFirst(args []string) []string {
	if len(args) == 0 || !strings.HasPrefix(args[0], "-") {
		return args
	}
	at := slices.IndexFunc(args, func(arg string) bool {
		return slices.ContainsFunc(commands, func(c command) bool { return c.name == arg })
	})
	if at < 0 {
		return args
	}
	return append([]string{args[at]}, slices.Delete(slices.Clone(args), at, at+1)...)
}

// findCommand returns the command that the first argument names: the first one, if that is a flag or missing.
func findCommand(args []string) (command, error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return commands[0], nil
	}
	var all []string
	for _, c := range commands {
		if c.name == args[0] {
			return c, nil
		}
		all = append(all, c.name)
	}
	advice := "use " + strings.Join(all, ", ")
	if near := snapshot.Nearest(args[0], all); near != "" {
		advice = "did you mean " + near + "?"
	}
	return command{}, usageError(fmt.Sprintf("there is no command %q: %s", args[0], advice))
}

// parse reads the flags of a command, which may stand before and behind its arguments, and the arguments.
func (s *session) parse(c command, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.BoolVar(&s.json, "json", false, "")
	c.flags(s, flags)
	for {
		if err := flags.Parse(args); err != nil {
			return explain(err, flags)
		}
		if flags.NArg() == 0 {
			break
		}
		s.args, args = append(s.args, flags.Arg(0)), flags.Args()[1:]
	}
	wanted := strings.Fields(c.args)
	switch needed := len(wanted) - strings.Count(c.args, "["); {
	case len(wanted) == 0 && len(s.args) > 0:
		return fmt.Errorf("%s takes no arguments", c.name)
	case len(s.args) < needed || len(s.args) > len(wanted):
		return fmt.Errorf("%s takes other arguments: %s %s", c.name, c.name, c.args)
	}
	return nil
}

// explain returns the error of a flag set, and for an unknown flag the one that was probably meant.
func explain(err error, flags *flag.FlagSet) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err
	}
	var all []string
	flags.VisitAll(func(f *flag.Flag) { all = append(all, f.Name) })
	advice := "leave it out; flags stand behind their command"
	if near := snapshot.Nearest(name, all); near != "" {
		advice = "did you mean -" + near + "?"
	}
	return fmt.Errorf("%s has no flag -%s: %s", flags.Name(), name, advice)
}

// liveFlag defines -live.
func (s *session) liveFlag(flags *flag.FlagSet) { flags.BoolVar(&s.live, "live", false, "") }

// platformFlag defines -platform.
func (s *session) platformFlag(flags *flag.FlagSet) {
	choice(flags, &s.platform, "platform", "fc", "lambda")
}

// choice defines a flag that is one of two words, by default the first.
func choice(flags *flag.FlagSet, value *string, name, first, second string) {
	*value = first
	flags.Func(name, "", func(text string) error {
		if text != first && text != second {
			return fmt.Errorf("use %s or %s", first, second)
		}
		*value = text
		return nil
	})
}
