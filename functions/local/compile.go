package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// functionNames are the functions of this project, each a folder under functions.
var functionNames = []string{"timer", "http", "event"}

// buildFlags make small binaries that are the same each time: no paths, no symbols, no build ID, no version control,
// and without the part of the Lambda SDK that the managed Go runtime of old needed.
var buildFlags = []string{"-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid="}

// prebuilt is a folder with the functions built for this machine; empty: each run builds what it needs. The tests of
// this command build once for all of its runs.
var prebuilt string

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
			return "", errors.New("the source of swas-snapshot is not here: run the command in its folder, the one with README.md")
		}
	}
}

// compile builds a function for a machine. An empty arch is this machine.
func compile(ctx context.Context, root, function, output, arch string) error {
	args := append([]string{"build"}, buildFlags...)
	args = append(args, "-o", output, "./functions/"+function)
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		command.Env = append(command.Env, "GOOS=linux", "GOARCH="+arch)
	}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Run(); err != nil {
		return fmt.Errorf("failed to build function %s: %w\n%s", function, err, strings.TrimSpace(said.String()))
	}
	return nil
}
