package platform

// What the tests outside the package look at directly: the platforms' own way in costs a process.
var (
	EnvCredentials   = envCredentials
	ErrNoCredentials = errNoCredentials
)
