package webhook

// State is whether a sender is switched on.
type State struct {
	Sender    string   // as the policy names it under from
	Variables []string // that hold its secrets; a sender may need only some of them
	Set       bool     // any of them is set
	Off       error    // why the sender is off; nil if it is on. It never tells a secret
}

// States tells of every sender what [New] would make of its secrets.
func States(secrets Secrets) []State {
	all := make([]State, 0, len(kinds))
	for _, kind := range kinds {
		_, err := kind.open(secrets)
		all = append(all, State{kind.name, kind.variables, kind.wanted(secrets), err})
	}
	return all
}
