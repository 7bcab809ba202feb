package runtimeapi

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// buildFlags make small binaries that are the same each time: no paths, no symbols, no build ID, no version control,
// and without the part of the Lambda SDK that the managed Go runtime of old needed.
var buildFlags = []string{"build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags",
	"-s -w -buildid="}

// Build compiles packages, as the go command names them in folder, into output: a file, or a folder that ends in a
// separator. It serves deployments, local runs and tests alike: what is tested is what is deployed. arch is amd64 or
// arm64 of Linux; empty, it is this machine's. Further flags may stand before the packages. The error holds what the go
// command said.
func Build(ctx context.Context, folder, output, arch string, packages ...string) error {
	args := append([]string{"-o", output}, packages...)
	command := exec.CommandContext(ctx, "go", append(buildFlags[:len(buildFlags):len(buildFlags)], args...)...)
	command.Dir = folder
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		command.Env = append(command.Env, "GOOS=linux", "GOARCH="+arch)
	}
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("failed to build %s: %w\n%s", strings.Join(packages, ", "), err, strings.TrimSpace(string(said)))
	}
	return nil
}
