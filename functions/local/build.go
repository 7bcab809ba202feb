package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"swas-snapshot/shared/deploy"
	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/simulator/runtimeapi"
)

const buildUsage = `Usage: go run ./functions/local build [-arch amd64|arm64] [-json]

Make dist/<function>/bootstrap, and snapshots.yaml beside it, for all three functions. A wrong policy is not packed.

  -arch  of the machines that will run the functions: amd64 (default) or arm64
  -json  print JSON

  go run ./functions/local build -arch arm64
`

// functionNames are the functions of this project, each a folder under functions.
var functionNames = []string{"timer", "http", "event"}

// builtFunction is what build made of one function.
type builtFunction struct {
	Function string `json:"function"`
	Binary   string `json:"binary"` // its path in the project's folder
	Bytes    int64  `json:"bytes"`
}

// buildFlags defines the flags of build.
func (s *session) buildFlags(flags *flag.FlagSet) { choice(flags, &s.arch, "arch", "amd64", "arm64") }

// build makes dist/<function>/bootstrap and the policy beside it, for all functions.
func build(ctx context.Context, s *session) error {
	root, err := sourceRoot()
	if err != nil {
		return err
	}
	return buildInto(ctx, s, root, filepath.Join(root, "dist"))
}

func buildInto(ctx context.Context, s *session, root, dist string) error {
	file := policyPath(s.getenv)
	if _, err := policy.Load(file, deployed(s.getenv)); err != nil {
		return fmt.Errorf("nothing was built, the policy is wrong:\n%w", err)
	}
	for _, one := range deploy.Check(root, file) { // the file of the other platform may be the wrong one
		fmt.Fprintf(s.stderr, "swas-snapshot: warning: %v\n", one)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("failed to read the policy: %w", err)
	}
	var all []builtFunction
	for _, name := range functionNames {
		folder := filepath.Join(dist, name)
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("failed to clear dist: %w", err)
		}
		binary := filepath.Join(folder, "bootstrap")
		if err := compile(ctx, root, binary, s.arch, name); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, policy.FileName), content, 0o644); err != nil {
			return fmt.Errorf("failed to pack the policy: %w", err)
		}
		info, err := os.Stat(binary)
		if err != nil {
			return fmt.Errorf("failed to read the size of the binary: %w", err)
		}
		one := builtFunction{name, filepath.Join("dist", name, "bootstrap"), info.Size()}
		all = append(all, one)
		s.say("%-6s %s  %.1f MB\n", name, one.Binary, float64(one.Bytes)/1e6)
	}
	return s.encode(map[string]any{"arch": s.arch, "functions": all})
}

// compile builds functions for a machine into output: a file, or for several functions a folder that ends in a
// separator. An empty arch is this machine's.
func compile(ctx context.Context, root, output, arch string, functions ...string) error {
	packages := make([]string, 0, len(functions))
	for _, name := range functions {
		packages = append(packages, "./functions/"+name)
	}
	return runtimeapi.Build(ctx, root, output, arch, packages...)
}

// deployed returns getenv with a value for each variable that is not set: it may be set where the function is deployed,
// so its absence here does not make the policy wrong.
func deployed(getenv func(string) string) func(string) string {
	return func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return "https://example.com/" + name
	}
}

// sourceRoot returns the folder of go.mod, upward from the working directory.
func sourceRoot() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("failed to find the working directory: %w", err)
	}
	for folder := here; ; folder = filepath.Dir(folder) {
		mod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module swas-snapshot\n") {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", errors.New("the source of swas-snapshot is not here: " +
				"run the command in its folder, the one with README.md")
		}
	}
}

// policyPath returns the absolute path of the policy, for functions whose working directory is another.
func policyPath(getenv func(string) string) string {
	path := policy.Path(getenv)
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}
