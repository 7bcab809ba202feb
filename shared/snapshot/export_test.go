package snapshot

// For the tests of package snapshot_test.

// Disable switches off one row of the tables in rules.go.
func Disable(s *Service, row string) { s.disabled = row }

// Rows returns the names of all rows that can be switched off.
func Rows() []string {
	var names []string
	for _, row := range deletionReasons {
		names = append(names, row.name)
	}
	for _, row := range protections {
		names = append(names, row.name)
	}
	return append(names, "others")
}

// Identity returns what an order gets on a disk: the request, and the value of TagMeta.
func Identity(p Policy, o Order, target Target) (Request, string) {
	request, _ := (&run{Service: &Service{Policy: p}}).requestOf(o, target)
	text, _ := request.tag(TagMeta)
	return request, text
}

// JoinedTag is the key of the tag that an order leaves on the snapshot that it joined.
func JoinedTag(token string) string { return joinedTag(token) }
