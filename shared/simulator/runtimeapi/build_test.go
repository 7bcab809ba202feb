package runtimeapi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module made-up\n\ngo 1.26\n",
		"good/main.go": "package main\n\nfunc main() {}\n",
		"bad/main.go":  "package main\n\nfunc main() { x }\n",
	} {
		path := filepath.Join(source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder := t.TempDir()
	read := func(name string) string {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	build := func(output, arch, name string) error {
		return Build(t.Context(), source, filepath.Join(folder, output), arch, name)
	}
	if err := Build(t.Context(), source, folder+string(filepath.Separator), "", "./good"); err != nil {
		t.Fatal(err)
	}
	if err := build("again", "", "./good"); err != nil {
		t.Fatal(err)
	}
	if binary := read("good"); binary != read("again") || strings.Contains(binary, source) {
		t.Error("two builds differ, or hold the path of the source")
	}
	if err := build("arm", "arm64", "./good"); err != nil || read("arm")[18] != 0xb7 { // e_machine of ELF
		t.Errorf("for arm64: %v", err)
	}
	if err := build("bad", "", "./bad"); err == nil || !strings.Contains(err.Error(), "undefined: x") {
		t.Errorf("got %v, want what the compiler said", err)
	}
}
