package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"swas-snapshot/shared/simulator/runtimeapi"
)

// functionNames are the functions of this project, each a folder under functions.
var functionNames = []string{"timer", "http", "event"}

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
	return runtimeapi.Build(ctx, root, output, arch, "./functions/"+function)
}
