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
	tests := map[string]struct {
		text string
		want string // the error; empty: the policy fits
	}{
		"NoKeep":        {"targets: {a: {disk: d-1}}", ""},
		"EmptyKeep":     {"targets: {a: {disk: d-1, keep: {}}}", ""},
		"ThreeOfTarget": {"targets: {a: {disk: d-1, keep: {daily: 2, deploy: 1}}}", ""},
		"FourOfTarget": {"targets:\n  a:\n    disk: d-1\n    keep:\n      daily: 2\n      weekly: 1\n      deploy: 1\n",
			"snapshots.yaml:4: targets.a.keep: daily 2 + weekly 1 + deploy 1 = 4 slots, a server has 3: keep fewer"},
		"ThreeOfServer": {"targets: {a: {instance: i1, keep: {daily: 2}}, b: {instance: i1, keep: {deploy: 1}}}", ""},
		"FourOfServer": {"targets:\n  a: {instance: i1, keep: {daily: 2}}\n  b: {instance: i1, keep: {deploy: 1, manual: 1}}\n",
			"snapshots.yaml:3: targets.b.keep: a 2 + b 2 = 4 slots on one server, a server has 3: keep fewer"},
		"ThirdOfServer": {"targets:\n  a: {instance: i1, keep: {daily: 2}}\n  b: {instance: i1}\n  c: {instance: i1, keep: {daily: 2}}\n",
			"snapshots.yaml:4: targets.c.keep: a 2 + c 2 = 4 slots on one server, a server has 3: keep fewer"},
		"OtherServers": {"targets: {a: {instance: i1, keep: {daily: 3}}, b: {instance: i2, keep: {daily: 3}}}", ""},
		"SameDisk": {"targets:\n  a: {disk: d-1, keep: {daily: 2}}\n  b: {disk: d-1, keep: {daily: 2}}\n",
			"snapshots.yaml:3: targets.b.disk: is the disk of a already: make one target of the two, with the roles of both\n" +
				"snapshots.yaml:3: targets.b.keep: a 2 + b 2 = 4 slots on one server, a server has 3: keep fewer"},
		"FifteenOfAccount": {servers(5, "daily: 3"), ""},
		"ManyServersFit":   {servers(15, "daily: 1"), ""},
		"SixteenOfAccount": {servers(16, "daily: 1"),
			"snapshots.yaml:1: targets: web-1 1 + web-2 1 + web-3 1 + web-4 1 + web-5 1 + web-6 1 + web-7 1 + web-8 1 + web-9 1 + web-10 1 + " +
				"web-11 1 + web-12 1 + web-13 1 + web-14 1 + web-15 1 + web-16 1 = 16 slots, an account has min(3 x 16 servers, 15) = 15: keep fewer"},
		"EighteenOfAccount": {servers(6, "daily: 2, deploy: 1"),
			"snapshots.yaml:1: targets: web-1 3 + web-2 3 + web-3 3 + web-4 3 + web-5 3 + web-6 3 = 18 slots, an account has min(3 x 6 servers, 15) = 15: keep fewer"},
		"WrongCountsDoNotAdd": {"targets:\n  a: {disk: d-1, keep: {daily: 9, weekly: 2}}\n",
			"snapshots.yaml:2: targets.a.keep.daily: 9 slots do not fit, a server has 3: write a number from 1 to 3"},
	}
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
