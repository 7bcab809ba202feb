package snapshot

import (
	"cmp"
	"errors"
)

// Kind is the class of an error, by which a caller acts: package httpapi turns it into an HTTP status.
type Kind int

// The kinds of errors.
const (
	KindInternal    Kind = iota // a defect of this program, or an answer that it does not know
	KindMalformed               // the input cannot be read
	KindInvalid                 // a parameter breaks a rule, or a key was used with other parameters
	KindUnknown                 // the named thing does not exist
	KindDenied                  // the caller may not do this
	KindConflict                // name taken, in flight, slots full
	KindConfig                  // policy, environment, credentials or permissions of the deployment are wrong
	KindThrottled               // the API refuses more calls for now
	KindPaced                   // our own pace allows no more calls for now
	KindUpstream                // the API failed
	KindUnavailable             // the API is not available, or no slot is free now
	KindTimeout                 // no answer, or no time left
)

// Codes of this project, beside those of the API.
const (
	CodeNoAnswer      = "NoAnswer"         // the API did not answer
	CodeEmptyAnswer   = "EmptyAnswer"      // the API answered success without the element that proves it
	CodeUnknownAnswer = "UnknownAnswer"    // neither a success nor an error of the API's form: a redirect, or another server's page
	CodeMalformed     = "MalformedEvent"   // an event, body or payload cannot be read
	CodeInvalidOrder  = "InvalidOrder"     // a field of an order breaks a rule
	CodeUnknownTarget = "UnknownTarget"    // the policy has no such target
	CodeUnknownRole   = "UnknownRole"      // the target, or no target, keeps this role; or an order must name one
	CodeNoSuchID      = "UnknownSnapshot"  // no configured target has this snapshot
	CodeTooOld        = "EventTooOld"      // older than maxEventAge
	CodeNoTime        = "DeadlineExceeded" // no time left before the first call
	CodeBlocked       = "SlotsFull"        // no slot is free: of an order that is blocked or deferred
	CodeDelayed       = "DeletionDelayed"  // no list was fresh enough for a deletion
	CodeStuck         = "SnapshotStuck"    // a snapshot has been in progress for more than two hours
	CodeSharedDisk    = "SharedDisk"       // two targets name the same disk
	CodeForeign       = "ForeignSnapshot"  // not ours: no swas-snapshot tags
	CodeDiskGone      = "DiskGone"         // the disk of a target is gone, or its server was released
	CodeBadPolicy     = "InvalidPolicy"    // snapshots.yaml is missing or wrong
	CodeBadConfig     = "InvalidConfig"    // an environment variable is missing or wrong
	CodeNoCredentials = "NoCredentials"    // neither the platform nor the environment has credentials
	CodeNoRule        = "NoRule"           // a bus event that no rule of the policy names
	CodeInternal      = "Internal"         // a defect of this program
	CodeNotAllowed    = "NotAllowed"       // no rule of allow grants this
	codePaced         = "TooManyCalls"     // SNAPSHOT_CALLS_PER_MINUTE allows no more calls now
)

// Error is a failure as callers and users get it: a code to act on, a message that says what is wrong and what to do, and
// whether the same order may succeed later. It carries no secret. What the API answered is an [APIError] beneath it.
type Error struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	Retryable bool   `json:"retryable"`

	Kind      Kind   `json:"-"`
	RequestID string `json:"-"` // the API's request ID, where it answered
	Advice    string `json:"-"` // Message without text that the API wrote; empty: Message has no such text
	cause     error
}

// Public returns what an unknown caller may read: the message without text that the API wrote.
func (e *Error) Public() string { return cmp.Or(e.Advice, e.Message) }

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the error that caused this one, or nil.
func (e *Error) Unwrap() error { return e.cause }

// AsError returns err as an [*Error]; nil stays nil. An [*APIError] and [Violations] keep their codes; any other error
// becomes CodeInternal, whose message does not show it: the log does.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	var answer *APIError
	if errors.As(err, &answer) {
		return fromAPI(answer)
	}
	var wrong Violations
	if errors.As(err, &wrong) {
		return invalid(wrong)
	}
	return &Error{Code: CodeInternal, Kind: KindInternal, Message: "an unforeseen failure; the log has it whole", cause: err}
}

// invalid makes one error of violations. Its code is that of the violation when there is one, so that a caller
// sees what the API would have said.
func invalid(v Violations) *Error {
	code := v[0].Code
	for _, one := range v {
		if one.Code != code {
			code = CodeInvalidOrder
			break
		}
	}
	return &Error{Code: code, Kind: KindInvalid, Message: v.Error(), cause: v}
}
