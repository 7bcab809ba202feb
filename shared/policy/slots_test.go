package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"swas-snapshot/shared/policy"
)

// servers is a policy of n disks that keep the same slots; each disk is a server of its own.
func servers(n int, keep string) string {
	var text strings.Builder
	text.WriteString("targets:\n")
	for i := range n {
		fmt.Fprintf(&text, "  web-%d: {disk: d-%d, keep: {%s}}\n", i+1, i+1, keep)
	}
	return text.String()
}

func TestSlots(t *testing.T) {
	t.Parallel()
	const (
		daily     = "schedule: {daily: 0 3 * * *}\n"
		all       = "schedule: {daily: 0 3 * * *, weekly: 0 4 * * 0, monthly: 0 5 1 * *}\n"
		orders    = "allow: [{from: api, targets: [a], role: daily, actions: [take]}]\n"
		events    = "events: [{source: x, targets: [a], role: daily}]\n"
		listing   = "allow: [{from: api, targets: [a], actions: [list, plan, keep]}]\n"
		noneFree  = " slots leave none of a server's 3 free for the next snapshot: keep 2"
		alone     = ", or let only the schedule take there: "
		ordersOf1 = "allow: [{from: api, targets: [web-1], role: daily, actions: [take]}]\n"
	)
	tests := map[string]struct {
		text string
		want string // the error; empty: the policy fits
	}{
		"NoKeep":            {"targets: {a: {disk: d-1}}", ""},
		"EmptyKeep":         {"targets: {a: {disk: d-1, keep: {}}}", ""},
		"Two":               {"targets: {a: {disk: d-1, keep: {daily: 1, deploy: 1}}}\n" + orders + events, ""},
		"ThreeScheduled":    {daily + "targets: {a: {disk: d-1, keep: {daily: 3}}}\n" + listing, ""},
		"ThreeRolesOfThree": {all + "targets: {a: {disk: d-1, keep: {daily: 1, weekly: 1, monthly: 1}}}", ""},
		"ThreeOwnSchedules": {"targets: {a: {disk: d-1, keep: {daily: 2, x: 1}, schedule: {daily: 0 3 * * *, x: 0 5 * * *}}}", ""},
		"Shipped": {"targets:\n  a:\n    disk: d-1\n    keep: {daily: 2, deploy: 1}\nallow:\n  - {from: api, targets: [a], actions: [take, list, plan]}\nevents:\n  - {source: acs.oss, targets: [a], role: deploy}\n",
			"snapshots.yaml:4: targets.a.keep: daily 2 + deploy 1 = 3" + noneFree + ", as in keep: {daily: 1, deploy: 1}" + alone + "remove a from allow[0], events[0], and give a schedule to daily, deploy"},
		"ThreeWithOrders": {daily + "targets: {a: {disk: d-1, keep: {daily: 3}}}\n" + orders,
			"snapshots.yaml:2: targets.a.keep: daily 3 = 3" + noneFree + ", as in keep: {daily: 2}" + alone + "remove a from allow[0]"},
		"ThreeWithEvents": {all + "targets: {a: {disk: d-1, keep: {daily: 1, weekly: 1, monthly: 1}}}\n" + events,
			"snapshots.yaml:2: targets.a.keep: daily 1 + weekly 1 + monthly 1 = 3" + noneFree + alone + "remove a from events[0]"},
		"ThreeWithPipeline": {daily + "targets: {a: {disk: d-1, keep: {daily: 3}}}\nallow: [{from: gitee, repository: a/b, on: push, refs: ['*'], targets: [a], role: daily}]\n",
			"snapshots.yaml:2: targets.a.keep: daily 3 = 3" + noneFree + ", as in keep: {daily: 2}" + alone + "remove a from allow[0]"},
		"ThreeNotScheduled": {daily + "targets: {a: {disk: d-1, keep: {daily: 1, x: 2}}}",
			"snapshots.yaml:2: targets.a.keep: daily 1 + x 2 = 3" + noneFree + ", as in keep: {daily: 1, x: 1}" + alone + "give a schedule to x"},
		"FourOfTarget": {"targets:\n  a:\n    disk: d-1\n    keep:\n      daily: 2\n      weekly: 1\n      deploy: 1\n",
			"snapshots.yaml:4: targets.a.keep: daily 2 + weekly 1 + deploy 1 = 4 slots, a server has 3: keep 2, or 3 if only the schedule takes there"},
		"OtherServers":  {daily + "targets: {a: {instance: i1, keep: {daily: 3}}, b: {instance: i2, keep: {daily: 3}}}", ""},
		"SameDisk":      {"targets:\n  a: {disk: d-1, keep: {daily: 2}}\n  b: {disk: d-1, keep: {daily: 2}}\n", "snapshots.yaml:3: targets.b.disk: is the disk of a already: make one target of the two, with the roles of both"},
		"SameServer":    {"targets:\n  a: {instance: i1, keep: {daily: 1}}\n  b: {instance: i1}\n", "snapshots.yaml:3: targets.b.instance: is the server of a already: make one target of the two, with the roles of both"},
		"FiveServers":   {daily + servers(5, "daily: 3"), ""},
		"ManyServers":   {servers(14, "daily: 1") + ordersOf1, ""},
		"ManyScheduled": {daily + servers(15, "daily: 1"), ""},
		"SixServers": {daily + servers(6, "daily: 2") + "  b: {instance: i1, keep: {daily: 3}}\n" + ordersOf1,
			"snapshots.yaml:2: targets: web-1 2 + web-2 2 + web-3 2 + web-4 2 + web-5 2 + web-6 2 + b 3 = 15 slots, an account has 15: keep 14, or 15 if only the schedule takes at every target"},
		"SixteenSlots": {daily + servers(8, "daily: 2"),
			"snapshots.yaml:2: targets: web-1 2 + web-2 2 + web-3 2 + web-4 2 + web-5 2 + web-6 2 + web-7 2 + web-8 2 = 16 slots, an account has 15: keep 14, or 15 if only the schedule takes at every target"},
		"WrongCountsDoNotAdd": {"targets:\n  a: {disk: d-1, keep: {daily: 9, weekly: 2}}\n",
			"snapshots.yaml:2: targets.a.keep.daily: \"9\" is not a number from 1 to 3, the slots of a server: correct it, or leave the role out"},
	}
	// Below six servers the account is no limit of its own.
	var five []string
	for n := range 5 {
		five = append(five, fmt.Sprintf("snapshots.yaml:%d: targets.web-%d.keep: x 3 = 3%s, as in keep: {x: 2}%sgive a schedule to x", n+2, n+1, noneFree, alone))
	}
	five[0] = strings.Replace(five[0], alone, alone+"remove web-1 from allow[0], and ", 1)
	tests["FiveTooLarge"] = struct{ text, want string }{servers(5, "x: 3") + strings.Replace(ordersOf1, "daily", "x", 1), strings.Join(five, "\n")}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Parse([]byte(test.text), env())
			if got := message(err); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// message is the text of an error, or nothing.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
