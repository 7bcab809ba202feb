package policy_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"swas-snapshot/shared/policy"
	"swas-snapshot/shared/snapshot"
)

// FuzzParse checks that no input makes Parse panic, that a refusal is one of Errors in the order of the lines, and that
// whatever is taken keeps every rule on which the rest of the program relies.
func FuzzParse(f *testing.F) {
	contract, err := os.ReadFile("testdata/contract.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(contract)
	for _, text := range []string{
		"", "---\n---\n", callers, pipelines, servers(16, "daily: 1"), inTarget("keep: {daily: 2, weekly: 2}"),
		"timeZone: Europe/Berlin\nschedule:\n  daily: 30 2 * * *\ntargets: {a: {disk: d-1, keep: {daily: 3}}, " +
			"b: {disk: d-2, keep: {daily: 1}, schedule: {daily: 0 3 29 2 *}}}",
		"deployment: x\n" + withSchedule("{daily: 0 3 * * 1,5, deploy: '0 */6 1-15/3 JAN-MAR MON,5'}"),
		withSchedule("{daily: '@daily'}"),
		"targets: {a: {instance: i1, keep: {x: 2}}, b: {instance: i1, keep: {x: 2}}}",
		"a: &a [*a]", "x: !!binary aGk=", "? {a: b}\n: c", "targets: {a: {disk: '${SET}', tags: {k: '${SET}'}}}",
		withRule("notify", "{url: 'https://h/${SET}', form: feishu, secret: '${SET}', on: [done]}"),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<12 {
			return // the search for a broken line tries each of them
		}
		p, err := policy.Parse(data, env("SET", "d-1"))
		if err != nil {
			var wrong policy.Errors
			if !errors.As(err, &wrong) || len(wrong) == 0 || err.Error() == "" {
				t.Fatalf("got %#v", err)
			}
			if !slices.IsSortedFunc(wrong, func(a, b policy.Defect) int { return a.Line - b.Line }) {
				t.Errorf("not sorted: %v", err)
			}
			// YAML ends lines by \n, \r, NEL, LS and PS.
			lines := 1 + len(regexp.MustCompile("[\n\r\u0085\u2028\u2029]").FindAll(data, -1))
			for _, one := range wrong {
				if one.Line < 0 || one.Line > lines || one.Text == "" {
					t.Errorf("%+v in a file of %d lines", one, lines)
				}
			}
			return
		}
		checkTargets(t, p)
		checkRules(t, p)
	})
}

// checkTargets checks the rules of targets and of slots, counted anew.
func checkTargets(t *testing.T, p policy.Policy) {
	if len(p.Targets) == 0 {
		t.Error("no targets")
	}
	names, disks := map[string]bool{}, map[string]bool{}
	total, most := 0, 15
	now := time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)
	for _, target := range p.Targets {
		folded := strings.ToLower(target.Name)
		if !snapshot.ValidTarget(target.Name) || names[folded] {
			t.Errorf("name %q", target.Name)
		}
		names[folded] = true
		if (target.DiskID == "") == (target.InstanceID == "") || disks[target.DiskID+"/"+target.InstanceID] {
			t.Errorf("disk %q, instance %q", target.DiskID, target.InstanceID)
		}
		disks[target.DiskID+"/"+target.InstanceID] = true
		request := snapshot.Request{RegionID: "cn-hangzhou", DiskID: "d-1", SnapshotName: "name", Tags: target.Tags,
			ResourceGroupID: target.ResourceGroupID}
		if target.RegionID != "" {
			request.RegionID = target.RegionID
		}
		if target.DiskID != "" {
			request.DiskID = target.DiskID
		}
		if err := request.Validate(); err != nil || len(target.Tags) > 10 {
			t.Errorf("%d tags: %v", len(target.Tags), err)
		}
		if target.MaxAge < 0 || target.MinInterval < 0 || p.MaxEventAge < 0 {
			t.Errorf("negative duration in %+v", target)
		}
		slotsOf, unscheduled := 0, 0
		for _, slots := range target.Keep {
			if !snapshot.ValidRole(slots.Role) || slots.Count < 1 || slots.Count > 3 {
				t.Errorf("slots %+v", slots)
			}
			slotsOf += slots.Count
			if slots.Schedule == nil {
				unscheduled++
				continue
			}
			latest, next := slots.Schedule.Latest(now), slots.Schedule.Next(now)
			if latest.IsZero() || latest.After(now) || !next.After(now) || !slots.Schedule.Latest(next).Equal(next) ||
				!slots.Schedule.Next(latest).Equal(next) {
				t.Errorf("role %s of %s: %s and %s", slots.Role, target.Name, latest, next)
			}
		}
		if slotsOf > 3 || slotsOf == 3 && (unscheduled > 0 || !p.ScheduleOnly(target.Name)) {
			t.Errorf("%d slots of %s", slotsOf, target.Name)
		}
		total += slotsOf
		if !p.ScheduleOnly(target.Name) {
			most = 14
		}
	}
	if total > most && len(p.Targets) > 5 {
		t.Errorf("%d slots", total)
	}
}

// checkRules checks what permission and notification rely on.
func checkRules(t *testing.T, p policy.Policy) {
	known := func(targets []string) bool {
		return len(targets) > 0 && !slices.ContainsFunc(targets, func(name string) bool {
			_, ok := p.Target(name)
			return !ok
		})
	}
	role := func(role string, targets []string, takes bool) bool {
		for _, name := range targets {
			target, _ := p.Target(name)
			kept, free := 0, 0
			for _, slots := range target.Keep {
				if slots.Role == role {
					kept++
				}
				if slots.Schedule == nil {
					free++
				}
			}
			if len(target.Keep) > 0 && (role != "" && kept == 0 || role == "" && takes && free != 1) {
				return false
			}
		}
		return role == "" || snapshot.ValidRole(role)
	}
	for _, rule := range p.Allow {
		chat := slices.Contains([]string{"slack", "dingtalk", "feishu", "wecom", "teams"}, rule.From)
		pipeline := slices.Contains([]string{"github", "gitlab", "gitee"}, rule.From)
		switch {
		case rule.From == "" || !known(rule.Targets) || len(rule.Actions) == 0,
			!role(rule.Role, rule.Targets, slices.Contains(rule.Actions, policy.ActionTake)),
			chat && rule.Tenant == "",
			pipeline != (rule.Repository != ""), pipeline != (rule.On != ""),
			pipeline && len(rule.Environments)+len(rule.Refs) == 0:
			t.Errorf("rule %+v", rule)
		}
	}
	for _, rule := range p.Events {
		if rule.Source == "" || !known(rule.Targets) || !role(rule.Role, rule.Targets, true) {
			t.Errorf("rule %+v", rule)
		}
	}
	for _, rule := range p.Notify {
		if !strings.Contains(strings.ToLower(rule.URL), "://") || rule.Form == "" || len(rule.On) == 0 {
			t.Errorf("rule %+v", rule)
		}
	}
}
