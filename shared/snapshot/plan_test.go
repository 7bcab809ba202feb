package snapshot

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files of the plans anew")

// bench is a situation under construction: one server with the disks d-web and d-webdata, the target web-1 on d-web.
type bench struct{ situation }

func newBench(keep ...Slots) *bench {
	b := &bench{situation{now: epoch, disksKnown: true, fresh: map[string]bool{}, deleted: map[string]bool{}}}
	b.target = Target{Name: "web-1", DiskID: diskID, RegionID: home, Keep: keep, MaxAge: 26 * time.Hour}
	b.targets = []Target{b.target}
	b.disks = []Disk{{ID: diskID, InstanceID: "i-web", System: true}, {ID: "d-webdata", InstanceID: "i-web"}, {ID: "d-db", InstanceID: "i-db", System: true}}
	return b
}

// put adds a snapshot of d-web, age hours old, whose ID says its role and age; role "" makes a foreign one.
func (b *bench) put(role string, age int, status string, more ...Tag) *Snapshot {
	one := Snapshot{
		ID: fmt.Sprintf("s-%s-%dh", role, age), DiskID: diskID, InstanceID: "i-web", RegionID: home,
		Status: ParseStatus(status), CreationTime: epoch.Add(-time.Duration(age) * time.Hour),
	}
	if role != "" {
		one.Tags = append([]Tag{{TagToken, "sn1-" + one.ID}, {TagMeta, role + "/timer/abcdefghijkl"}}, more...)
	} else {
		one.ID, one.Tags = fmt.Sprintf("s-foreign-%dh", age), more
	}
	one.Name = "n" + one.ID[1:]
	b.snapshots = append(b.snapshots, one)
	return &b.snapshots[len(b.snapshots)-1]
}

func (b *bench) onData(one *Snapshot) { one.DiskID, one.InstanceID = "d-webdata", "" }

func (b *bench) asked(role string) *bench {
	b.role = role
	return b
}

// plans is the table of the golden files.
var plans = map[string]func() *bench{
	"empty": func() *bench { return newBench(Slots{"daily", 2}).asked("daily") },
	"one": func() *bench {
		b := newBench(Slots{"daily", 2})
		b.put("daily", 24, "accomplished")
		return b.asked("daily")
	},
	"two": func() *bench {
		b := newBench(Slots{"daily", 2})
		b.put("daily", 48, "accomplished")
		b.put("daily", 24, "accomplished")
		return b.asked("daily")
	},
	"over the count with a free slot": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 48, "accomplished")
		b.put("daily", 24, "accomplished")
		return b.asked("daily")
	},
	"full rotates":   func() *bench { return fullBench().asked("daily") },
	"full in sweep":  func() *bench { return fullBench() },
	"full other":     func() *bench { return fullBench().asked("weekly") },
	"role unknown":   func() *bench { return fullBench().asked("manual") },
	"several roles":  func() *bench { return rolesBench().asked("deploy") },
	"roles in sweep": rolesBench,
	"no keep": func() *bench {
		b := newBench()
		b.put("daily", 72, "accomplished")
		b.put("daily", 48, "failed")
		b.put("daily", 24, "accomplished")
		return b.asked("daily")
	},
	"foreign": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("", 72, "accomplished")
		b.put("", 48, "failed").Name = "daily-web-1-20260227T0200-abcdefgh" // our name without our tags
		b.put("", 24, "accomplished", Tag{TagToken, "sn1-x"})
		return b.asked("daily")
	},
	"failed": func() *bench {
		b := newBench(Slots{"daily", 2})
		b.put("daily", 72, "accomplished")
		b.put("daily", 24, "Failed")
		b.put("daily", 48, "accomplished")
		return b.asked("daily")
	},
	"in progress": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 48, "accomplished")
		b.put("daily", 24, "accomplished")
		b.put("daily", 0, "Progressing").Progress = "42%"
		return b
	},
	"unknown status": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 72, "archived")
		b.put("daily", 48, "")
		b.put("daily", 24, "accomplished")
		return b
	},
	"status in capitals": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 72, "Accomplished")
		b.put("daily", 48, "ACCOMPLISHED")
		b.put("daily", 24, " accomplished ")
		return b
	},
	"meta unreadable": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 48, "accomplished").Tags[1].Value = "daily"
		b.put("daily", 24, "accomplished")
		return b
	},
	"undated": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 48, "accomplished").CreationTime = time.Time{}
		b.put("daily", 24, "accomplished")
		return b
	},
	"two disks": func() *bench {
		b := dataBench()
		return b.asked("daily")
	},
	"two disks, list of disks missing": func() *bench {
		b := dataBench()
		b.disksKnown, b.disks = false, nil
		return b.asked("daily")
	},
	"data disk beside the policy": func() *bench {
		b := dataBench()
		b.targets = b.targets[:1]
		return b.asked("daily")
	},
	"disk gone": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 48, "accomplished")
		b.put("daily", 24, "accomplished")
		b.disks = b.disks[2:]
		return b
	},
	"account at its cap": func() *bench {
		b := newBench(Slots{"daily", 2})
		b.put("daily", 48, "accomplished")
		b.put("daily", 24, "accomplished")
		b.full = true
		return b.asked("daily")
	},
	"account at its cap, nothing to give": func() *bench {
		b := newBench(Slots{"daily", 2})
		b.put("daily", 24, "accomplished")
		b.full = true
		return b.asked("daily")
	},
	"equal times": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 24, "accomplished").ID = "s-b"
		b.put("daily", 24, "accomplished").ID = "s-c"
		b.put("daily", 24, "accomplished").ID = "s-a"
		return b
	},
	"clock jumps back": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 48, "accomplished")
		b.put("daily", 24, "accomplished", Tag{TagKeep, "2026-02-20"})
		b.put("daily", 12, "accomplished")
		b.now = epoch.Add(-10 * 24 * time.Hour)
		return b
	},
	"policy shrank": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 72, "accomplished")
		b.put("weekly", 48, "accomplished")
		b.put("daily", 24, "accomplished")
		return b
	},
	"pins": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 96, "accomplished", Tag{TagKeep, "forever"})
		b.put("daily", 72, "accomplished", Tag{TagKeep, "2026-03-01"})
		b.put("daily", 48, "accomplished", Tag{TagKeep, "2026-02-28"})
		return b
	},
	"pins that cannot be read": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 96, "accomplished", Tag{TagKeep, "2026-13-01"})
		b.put("daily", 72, "accomplished", Tag{TagKeep, "no"})
		b.put("daily", 48, "accomplished", Tag{TagKeep, ""})
		return b
	},
	"two pinned, one rotates": func() *bench {
		b := newBench(Slots{"daily", 3})
		b.put("daily", 96, "accomplished", Tag{TagKeep, "forever"})
		b.put("daily", 48, "accomplished")
		b.put("daily", 24, "accomplished", Tag{TagKeep, "forever"})
		return b.asked("daily")
	},
	"pinned and failed": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.put("daily", 48, "failed", Tag{TagKeep, "forever"})
		b.put("daily", 24, "accomplished")
		return b
	},
	"newest good of its role alone": func() *bench {
		b := newBench(Slots{"daily", 1}, Slots{"weekly", 1}, Slots{"deploy", 1})
		b.put("weekly", 72, "accomplished")
		b.put("deploy", 48, "accomplished")
		b.put("daily", 24, "accomplished")
		return b.asked("daily")
	},
	"server lost one in this run": func() *bench {
		b := fullBench()
		b.deleted["i-web"] = true
		return b.asked("daily")
	},
	"taken in this run": func() *bench {
		b := newBench(Slots{"daily", 1})
		b.fresh[b.put("daily", 48, "accomplished").ID] = true
		b.put("daily", 24, "accomplished")
		return b
	},
	"of another server": func() *bench {
		b := newBench(Slots{"daily", 1})
		one := b.put("daily", 48, "accomplished")
		one.DiskID, one.InstanceID = "d-db", "i-db"
		b.put("daily", 24, "accomplished")
		return b.asked("daily")
	},
}

// fullBench has daily 3, 2 and 1 days old at 2 slots.
func fullBench() *bench {
	b := newBench(Slots{"daily", 2}, Slots{"weekly", 1})
	b.put("daily", 72, "accomplished")
	b.put("daily", 48, "accomplished")
	b.put("daily", 24, "accomplished")
	return b
}

func rolesBench() *bench {
	b := newBench(Slots{"daily", 2}, Slots{"deploy", 1})
	b.put("daily", 72, "accomplished")
	b.put("deploy", 48, "accomplished")
	b.put("daily", 24, "accomplished")
	return b
}

// dataBench has a system disk and a data disk with a target each, and a full server.
func dataBench() *bench {
	b := newBench(Slots{"daily", 1})
	b.targets = append(b.targets, Target{Name: "data", DiskID: "d-webdata", RegionID: home, Keep: []Slots{{"daily", 1}}})
	b.put("daily", 72, "accomplished")
	b.onData(b.put("daily", 48, "accomplished"))
	b.onData(b.put("daily", 24, "accomplished"))
	return b
}

func TestPlanGolden(t *testing.T) {
	t.Parallel()
	for name, build := range plans {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := build()
			got := render(makePlan(&b.situation, "new"))
			if twice := render(makePlan(&build().situation, "new")); twice != got {
				t.Fatalf("two plans of one situation differ:\n%s\n%s", got, twice)
			}
			file := filepath.Join("testdata", "plan", strings.NewReplacer(" ", "-", ",", "").Replace(name)+".golden")
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestPlanGoldenNone: each golden file has its case.
func TestPlanGoldenNone(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/plan/*.golden")
	if err != nil || len(files) != len(plans) {
		t.Errorf("%d golden files for %d plans, %v", len(files), len(plans), err)
	}
}

func render(p Plan) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %d of %d slots used, %d pinned\n", p.Target, p.Used, p.Of, p.Pinned)
	for _, item := range p.Items {
		fmt.Fprintf(&text, "%-8s%-16s%s\n", item.Action, item.SnapshotID, item.Reason)
	}
	if p.Blocked != "" {
		fmt.Fprintf(&text, "blocked: %s\n", p.Blocked)
	}
	if p.needsDisks {
		text.WriteString("needs the list of disks\n")
	}
	return text.String()
}

// TestPlanDeletesOne: whatever goes, at most one goes, and never the newest good one.
func TestPlanDeletesOne(t *testing.T) {
	t.Parallel()
	for name, build := range plans {
		b := build()
		deletions := 0
		for _, item := range makePlan(&b.situation, "").Items {
			if item.Action == ActionDelete {
				deletions++
			}
			if newest, ok := b.newestGood(diskID); ok && item.SnapshotID == newest.ID && item.Action == ActionDelete {
				t.Errorf("%s: the newest good snapshot goes", name)
			}
		}
		if deletions > 1 {
			t.Errorf("%s: %d go", name, deletions)
		}
	}
}
