package policy

import (
	"cmp"
	"fmt"
	"strings"

	"swas-snapshot/shared/snapshot"
)

// checkSlots reports a policy that cannot fit into the slots of the API: 3 snapshots a server, and for an account 3 for
// each server, but never more than 15. Each is refused with the sum written out.
func (r *reader) checkSlots(at place, entries []entry, targets []snapshot.Target) {
	var account sum
	servers := make(map[string]*sum)
	for i, target := range targets {
		var roles sum
		for _, slots := range target.Keep {
			roles.add(slots.Role, slots.Count)
		}
		keep := entries[i].Get("keep")
		if roles.total > snapshot.SlotsPerServer {
			r.fail(keep, "%s slots, a server has %d: keep fewer", roles, snapshot.SlotsPerServer)
		}
		account.add(target.Name, roles.total)

		server := servers[serverOf(target)]
		if server == nil {
			server = &sum{}
			servers[serverOf(target)] = server
		}
		server.add(target.Name, roles.total)
		if before := server.total - roles.total; before > 0 && roles.total > 0 && server.total > snapshot.SlotsPerServer {
			r.fail(keep, "%s slots on one server, a server has %d: keep fewer", server, snapshot.SlotsPerServer)
		}
	}
	// Below the cap of 15, an account is over only if one of its servers is, and that is reported above.
	if account.total > snapshot.SlotsPerAccount {
		most := min(snapshot.SlotsPerServer*len(servers), snapshot.SlotsPerAccount)
		r.fail(at, "%s slots, an account has min(%d x %d servers, %d) = %d: keep fewer",
			account, snapshot.SlotsPerServer, len(servers), snapshot.SlotsPerAccount, most)
	}
}

// serverOf names the server of a target. A disk does not tell its server, so it counts as one of its own.
func serverOf(target snapshot.Target) string {
	return cmp.Or(target.InstanceID, "disk "+target.DiskID)
}

// sum is an addition as people write it down: daily 2 + weekly 1 = 3.
type sum struct {
	terms []string
	total int
}

func (s *sum) add(name string, count int) {
	if count > 0 {
		s.terms = append(s.terms, fmt.Sprintf("%s %d", name, count))
		s.total += count
	}
}

func (s sum) String() string { return fmt.Sprintf("%s = %d", strings.Join(s.terms, " + "), s.total) }
