package runtimeapi

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Memory is what one process holds in physical memory, in bytes.
type Memory struct {
	PID      int
	Resident int64 // now
	Peak     int64 // the most there has been
}

// Memory measures the running instances, in the order of their process IDs. It reads /proc, which only Linux has:
// elsewhere, and if a process ends meanwhile, it returns an error.
func (f *Function) Memory() ([]Memory, error) {
	var list []Memory
	for _, in := range f.instances() {
		m, err := readMemory(in.cmd.Process.Pid)
		if err != nil {
			return nil, fmt.Errorf("failed to measure memory: %w", err)
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Memory) int { return cmp.Compare(a.PID, b.PID) })
	return list, nil
}

func readMemory(pid int) (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	m, err := parseStatus(status)
	m.PID = pid
	return m, err
}

// parseStatus reads the lines VmRSS and VmHWM of /proc/<pid>/status (proc_pid_status(5)). A process that has ended
// and was not waited for has neither: that is an error, not zero bytes.
func parseStatus(status []byte) (Memory, error) {
	var m Memory
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		var field *int64
		switch name {
		case "VmRSS":
			field = &m.Resident
		case "VmHWM":
			field = &m.Peak
		default:
			continue
		}
		number, found := strings.CutSuffix(strings.TrimSpace(value), " kB")
		kilobytes, err := strconv.ParseUint(number, 10, 40)
		if !found || err != nil {
			return Memory{}, fmt.Errorf("line %s is not a number of kB", name)
		}
		*field = int64(kilobytes) << 10
	}
	if m.Resident == 0 || m.Peak == 0 {
		return Memory{}, fmt.Errorf("VmRSS or VmHWM is missing; has the process ended")
	}
	return m, nil
}
