package snapshot_test

import (
	"testing"
	"time"

	"swas-snapshot/shared/simulator"
	"swas-snapshot/shared/snapshot"
)

// old is a snapshot with the name and the tags that commit 32d28b1 gave it: literal values of that commit, for the disk
// d-1 of cn-hangzhou.
func old(role, trigger, name, token, fingerprint string, made time.Time) simulator.Snapshot {
	return simulator.Snapshot{ID: "s-" + name, Name: name, DiskID: "d-1", CreationTime: made, Tags: []simulator.Tag{
		{Key: "team", Value: "web"},
		{Key: "swas-snapshot/token", Value: token},
		{Key: "swas-snapshot/meta", Value: role + "/" + trigger + "/" + fingerprint},
		{Key: "swas-snapshot/done", Value: "yes"},
	}}
}

// TestUpgrade: snapshots of commit 32d28b1 stay managed: they count, are deleted, replayed and shown.
func TestUpgrade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		at := time.Date(2026, 1, 30, 19, 0, 0, 0, time.UTC)
		time.Sleep(time.Until(at.Add(30 * time.Minute)))
		a := newAccount(t, web(slots("daily", 1, every{day, 19 * time.Hour}), slots("deploy", 1)))
		a.AddSnapshot(old("daily", "timer", "daily-web-1-20260129T1900-aaaaaaaa", "sn1-a", "aaaaaaaaaaaa", at.Add(-day)))
		a.AddSnapshot(old("daily", "timer", "daily-web-1-20260130T1900-f3psapb3",
			"sn1-f3psapb3bhblnue4bfu7c2a7lwovmtmxxans6o3xxebq3cednswa",
			"qetwleh3bzb2", at.Add(5*time.Minute)))
		a.AddSnapshot(old("deploy", "api", "deploy-web-1-57dsj5rg",
			"sn1-57dsj5rgs7infucdrj2rubjcycp6yzbwovql2ije2f3fusycs5nq", "alge52lct7cu", at))
		// An order of then is the same order now.
		again := snapshot.Order{Target: "web-1", Role: "deploy", Sender: "api", Key: "deploy-42", ExplicitKey: true, Time: at}
		if got := a.take(again); got.Outcome != snapshot.OutcomeReplayed || got.SnapshotID != "s-deploy-web-1-57dsj5rg" {
			t.Errorf("got %q %s %v", got.Outcome, got.SnapshotID, got.Error)
		}
		a.calls()
		got := a.sweep()
		wantBrief(t, got, "web-1") // the slot of 19:00 is taken: its name, its token and its role are known
		a.wantCalls(list, disks, list, remove)
		a.wantIDs("s-daily-web-1-20260130T1900-f3psapb3", "s-deploy-web-1-57dsj5rg")
		if got[0].Warning != "" || len(a.sent) != 1 || a.sent[0].Kind != snapshot.NotifyDeleted {
			t.Errorf("warning %q, notified %+v", got[0].Warning, a.sent)
		}
		listing, err := a.service().List(t.Context(), "web-1")
		if err != nil || listing.Listed[0].Role != "daily" || listing.Listed[1].Role != "deploy" {
			t.Errorf("got %+v %v", listing, err)
		}
	})
}

// TestUpgradeInFlight: an attempt of the same minute that commit 32d28b1 began is not begun again: the token is the same.
func TestUpgradeInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		at := time.Date(2026, 1, 30, 19, 0, 0, 0, time.UTC)
		time.Sleep(time.Until(at.Add(time.Minute)))
		a := newAccount(t, web(slots("daily", 1, every{day, 19 * time.Hour})))
		a.SetLag(simulator.Lag{Created: 5 * time.Minute}) // the list does not show it yet
		a.AddSnapshot(old("daily", "timer", "daily-web-1-20260130T1900-f3psapb3",
			"sn1-f3psapb3bhblnue4bfu7c2a7lwovmtmxxans6o3xxebq3cednswa",
			"qetwleh3bzb2", at))
		got := a.sweep()
		wantBrief(t, got, "web-1 daily deferred")
		if n := len(a.ids()); n != 1 {
			t.Errorf("%d snapshots", n)
		}
		time.Sleep(10 * time.Minute)
		wantBrief(t, a.sweep(), "web-1")
	})
}
