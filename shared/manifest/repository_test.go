package manifest_test

import (
	"testing"

	"swas-snapshot/shared/manifest"
)

// The files of this repository, with everything that they have to agree with.
func TestCheck(t *testing.T) {
	t.Parallel()
	if err := manifest.Check("../.."); err != nil {
		t.Fatal(err)
	}
}
