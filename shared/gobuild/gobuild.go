// Package gobuild compiles the functions, for a deployment, a local run and the tests alike: what is tested is what is
// deployed.
package gobuild

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// flags make small binaries that are the same each time: no paths, no symbols, no build ID, no version control, and
// without the part of the Lambda SDK that the managed Go runtime of old needed.
var flags = []string{"-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid="}

// Packages compiles packages, as the go command names them in folder, into output: a file, or a folder that ends in a
// separator. arch is amd64 or arm64 of Linux; empty, it is this machine's. The error holds what the go command said.
func Packages(ctx context.Context, folder, output, arch string, packages ...string) error {
	args := append([]string{"build"}, flags...)
	args = append(append(args, "-o", output), packages...)
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		command.Env = append(command.Env, "GOOS=linux", "GOARCH="+arch)
	}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("failed to build %s: %w\n%s", strings.Join(packages, ", "), err, strings.TrimSpace(said.String()))
	}
	return nil
}
