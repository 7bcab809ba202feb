package manifest

// ReadSAM is what [Check] reads of template.yml, for the tests of its timers.
func ReadSAM(path string) (*Deployment, error) {
	d, deployment := readSAM(path)
	return deployment, d.errs.Err()
}
