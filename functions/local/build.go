package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"swas-snapshot/shared/deploy"
	"swas-snapshot/shared/policy"
)

// built is what build made of one function.
type built struct {
	Function string `json:"function"`
	Binary   string `json:"binary"`
	Bytes    int64  `json:"bytes"`
}

// build makes dist/<function>/bootstrap and the policy beside it, for all functions. The policy is checked first: a
// wrong one is not packed.
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
	var all []built
	for _, name := range functionNames {
		one, err := buildOne(ctx, root, dist, name, s.arch, content)
		if err != nil {
			return err
		}
		all = append(all, one)
		s.say("%-6s %s  %.1f MB\n", name, one.Binary, float64(one.Bytes)/1e6)
	}
	if s.json {
		return json.NewEncoder(s.stdout).Encode(map[string]any{"arch": s.arch, "functions": all})
	}
	return nil
}

func buildOne(ctx context.Context, root, dist, name, arch string, policyFile []byte) (built, error) {
	folder := filepath.Join(dist, name)
	if err := os.RemoveAll(folder); err != nil {
		return built{}, fmt.Errorf("failed to clear dist: %w", err)
	}
	binary := filepath.Join(folder, "bootstrap")
	if err := compile(ctx, root, name, binary, arch); err != nil {
		return built{}, err
	}
	if err := os.WriteFile(filepath.Join(folder, policy.FileName), policyFile, 0o644); err != nil {
		return built{}, fmt.Errorf("failed to pack the policy: %w", err)
	}
	info, err := os.Stat(binary)
	if err != nil {
		return built{}, fmt.Errorf("failed to look at the binary: %w", err)
	}
	return built{name, filepath.Join("dist", name, "bootstrap"), info.Size()}, nil
}

// deployed looks up ${NAME} as the deployed function will: what is not set here may be set there, so it is not the
// policy's fault.
func deployed(getenv func(string) string) func(string) string {
	return func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return "https://example.com/" + name
	}
}
