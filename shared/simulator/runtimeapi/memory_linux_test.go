package runtimeapi

import "testing"

func TestMemory(t *testing.T) {
	t.Parallel()
	bothPlatforms(t, func(t *testing.T, p Platform) {
		f := start(t, Config{Platform: p})
		if list, err := f.Memory(); err != nil || len(list) != 0 {
			t.Errorf("memory without a process: %v, %v", list, err)
		}
		process := pid(t, f)
		list, err := f.Memory()
		if err != nil || len(list) != 1 || list[0].PID != int(process) {
			t.Fatalf("memory %v, %v", list, err)
		}
		if m := list[0]; m.Resident < 1<<20 || m.Peak < m.Resident {
			t.Errorf("memory %+v", m)
		}
	})
}
