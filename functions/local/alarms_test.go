package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
)

// The queries of the README's alarms find lines that the functions really write. The SDK's chain reads this process's
// environment, so this test runs alone.
func TestReadmeAlarms(t *testing.T) {
	lines := troubled(t)
	text, _ := readme(t)
	_, section, _ := strings.Cut(text, "\n## Watch it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| ([^|]+) \\| `(#[^|]+)` \\| `(\\{[^|]+\\})` \\|$").FindAllStringSubmatch(section,
		-1)
	if len(rows) < 5 {
		t.Fatalf("%d alarms were found: the README has more", len(rows))
	}
	for _, row := range rows {
		var byPhrase, byFilter []string
		for _, line := range lines {
			if phrases(row[2], line) {
				byPhrase = append(byPhrase, line)
			}
			if filtered(t, row[3], line) {
				byFilter = append(byFilter, line)
			}
		}
		if len(byPhrase) == 0 || len(byPhrase) == len(lines) || strings.Join(byPhrase, "") != strings.Join(byFilter, "") {
			t.Errorf("%s: the phrases find %d lines of %d, the filter %d, want the same ones\n%s", row[1], len(byPhrase),
				len(lines), len(byFilter), strings.Join(lines, "\n"))
		}
	}
}

// troubled returns what the functions log of a full server, a stale target, a sweep and a refused caller.
func troubled(t *testing.T) []string {
	t.Helper()
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "made-up-id")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "made-up-secret")
	api := simulator.New(simulator.Config{
		Credentials: []simulator.Credential{{AccessKeyID: "made-up-id", AccessKeySecret: "made-up-secret"}},
		Instances:   []simulator.Instance{{ID: "i-web", RegionID: "cn-hangzhou", Disks: []simulator.Disk{{ID: firstDisk}}}},
	})
	for n := range 3 { // they are not ours, so they stay; none is accomplished, so the target is stale
		api.AddSnapshot(simulator.Snapshot{DiskID: firstDisk, Status: simulator.Failed,
			CreationTime: time.Now().Add(-time.Duration(n+2) * 24 * time.Hour)})
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "snapshots.yaml")
	text := fmt.Sprintf(`region: cn-hangzhou
schedule: {daily: 0 3 * * *}
targets:
  web-1: {disk: %s, keep: {daily: 1, deploy: 1}, maxAge: 26h}
allow:
  - {from: api, targets: [web-1], actions: [take]}
`, firstDisk)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	request := `{"version":"v1","rawPath":"/plan","headers":{"Authorization":"Bearer unknown"},
		"requestContext":{"requestId":"r","http":{"method":"GET","path":"/plan"}}}`
	var lines []string
	for _, one := range []struct{ function, event string }{
		{"event", `{"target":"web-1","role":"deploy","key":"k"}`}, {"timer", `{"sweep":true}`}, {"http", request}, {"event",
			`{"target":"web-1","dryRun":true}`},
	} {
		_, _, stderr := typed(t, environment("SNAPSHOTS_FILE="+file, "SWAS_ENDPOINT="+server.URL, "API_TOKEN="+testToken),
			strings.NewReader(one.event), "invoke", "-live", one.function, "-")
		for line := range strings.Lines(stderr) {
			if strings.HasPrefix(line, "{") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// phrases reports whether a phrase search of Log Service finds a line.
func phrases(search, line string) bool {
	for one := range strings.SplitSeq(search, " and ") {
		if !strings.Contains(line, strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(one, `#"`), `"`), `\"`, `"`)) {
			return false
		}
	}
	return true
}

// condition is one of a metric filter of CloudWatch.
var condition = regexp.MustCompile(`^\$\.(\w+) (?:= "([^"]+)"|IS (TRUE))$`)

// filtered reports whether a metric filter of CloudWatch finds a line.
func filtered(t *testing.T, filter, line string) bool {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatal(err)
	}
	for one := range strings.SplitSeq(strings.Trim(filter, "{ }"), " && ") {
		parts := condition.FindStringSubmatch(one)
		if parts == nil {
			t.Fatalf("%q is no condition of a metric filter", one)
		}
		if value := fields[parts[1]]; parts[3] != "" && value != true || parts[3] == "" && value != parts[2] {
			return false
		}
	}
	return true
}
