package webhook

import (
	"strings"

	"swas-snapshot/shared/snapshot"
)

// nameMax is how many bytes the core gives the name of a snapshot, at most.
const nameMax = 50

// ownName is the form of our names: <role>-<target>, cut at the end if the name would be too long, the time of the event
// if it has one, and 8 characters of the token.
var ownName = lazily(`^(.+?)((?:-\d{8}T\d{4})?-[a-z2-7]{8})$`)

// targetsNamed returns the targets of which a snapshot of this name can be: several if the name can be read in more than
// one way, none if it is not one of our form.
func targetsNamed(name string, targets []snapshot.Target) []string {
	parts := ownName().FindStringSubmatch(name)
	if parts == nil {
		return nil
	}
	head, headMax := parts[1], nameMax-len(parts[2])
	var names []string
	for _, target := range targets {
		for i := range len(head) {
			if head[i] == '-' && cutHead(head[:i+1]+target.Name, headMax) == head {
				names = append(names, target.Name)
				break
			}
		}
	}
	return names
}

// cutHead cuts <role>-<target> as the core does.
func cutHead(head string, most int) string {
	if len(head) <= most {
		return head
	}
	return strings.TrimRight(head[:most], "-_")
}
