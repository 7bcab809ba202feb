package simulator

import "testing"

// The error table of the CreateSnapshot page, and the statuses of the gateway's codes, as a client sees them.
func TestDocumentedCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct {
		status  int
		message string // empty: not documented
	}{
		"InvalidRemark.ValueNotSupported": {400, "The specified parameter Remark is invalid."},
		"InvalidRemark.Duplicate":         {400, "The specified Remark already exists."},
		"IncorrectStatus": {400,
			"The state of the disk or instance does not currently support snapshot creation."},
		"InvalidSnapshotName.ValueNotSupported": {400, "The specified SnapshotName is invalid."},
		"InvalidSnapshotName.Duplicate":         {400, "The specified SnapshotName already exists."},
		"InternalError":                         {500, "An error occurred while processing your request."},
		"SnapshotLimitExceed":                   {403, "The maximum number of snapshots in an instance is exceeded."},
		"IncorrectDiskStatus.CreatingSnapshot": {403,
			"A snapshot is being created in the specified disk. Please try again later."},
		"InvalidDiskId.NotFound":     {404, "The specified DiskId does not exist."},
		"InvalidSnapshotId.NotFound": {404, "The specified SnapshotId does not exist."},
		"ServiceUnavailable":         {503, ""},
		"Throttling":                 {400, ""},
		"Throttling.Api":             {400, ""},
		"Throttling.User":            {400, ""},
		"RegionIdNotMatchHost":       {400, "The parameter regionId does not match the endpoint host."},
		"InvalidParam":               {403, ""},
		"Forbidden.RAM":              {403, ""},
		"NoPermission":               {403, ""},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			h.sim.Fault(Fault{Answer: AnswerError, Code: code})
			r := h.want(h.call("CreateSnapshot", "DiskId", "d-web", "SnapshotName", "one"), code)
			if r.status != want.status || want.message != "" && r.text("Message") != want.message || r.text("Message") == "" {
				t.Errorf("%d %q, want %d %q", r.status, r.text("Message"), want.status, want.message)
			}
		})
	}
}
