package snapshot

import "strings"

// Codes of the API: the nine of the CreateSnapshot page, that of DeleteSnapshot, and the gateway's.
const (
	CodeRemarkUnsupported = "InvalidRemark.ValueNotSupported"
	CodeRemarkDuplicate   = "InvalidRemark.Duplicate"
	CodeIncorrectStatus   = "IncorrectStatus"
	CodeNameUnsupported   = "InvalidSnapshotName.ValueNotSupported"
	CodeNameDuplicate     = "InvalidSnapshotName.Duplicate"
	CodeInternalError     = "InternalError"
	CodeLimitExceed       = "SnapshotLimitExceed"
	CodeCreatingSnapshot  = "IncorrectDiskStatus.CreatingSnapshot"
	CodeDiskNotFound      = "InvalidDiskId.NotFound"

	CodeSnapshotNotFound = "InvalidSnapshotId.NotFound"

	CodeMismatch       = "IdempotentParameterMismatch"
	CodeUnavailable    = "ServiceUnavailable"
	CodeThrottling     = "Throttling"
	CodeForbiddenRAM   = "Forbidden.RAM"
	codeNoPermission   = "NoPermission"
	codeKeyUnknown     = "InvalidAccessKeyId"
	CodeBadSignature   = "SignatureDoesNotMatch"
	codeTokenExpired   = "InvalidSecurityToken.Expired"
	codeTimeExpired    = "InvalidTimeStamp.Expired"
	codeNonceUsed      = "SignatureNonceUsed"
	codeTokenMalformed = "InvalidSecurityToken"
	codeHostMismatch   = "RegionIdNotMatchHost"
	codeInvalidParam   = "InvalidParam"
)

// reaction is what the core does about an answer of the API.
type reaction int

const (
	reactFinal    reaction = iota // nothing that we could repeat will help
	reactRetry                    // the same token again, exponential back-off with full jitter
	reactThrottle                 // wait until the API allows calls again
	reactWait                     // the disk is busy: long back-off
	reactLookup                   // the state of the region decides
)

// behaviour is what one code means: how the core reacts, of which kind the error is, and what to do about it.
type behaviour struct {
	reaction reaction
	kind     Kind
	advice   string // %ACTION% stands for the API action
}

// behaviours is the one table from codes to behaviour. A code that ends in a star is a prefix. The HTTP
// status of a code differs between products, so it has no say.
var behaviours = []struct {
	code string
	behaviour
}{
	{CodeNoAnswer, behaviour{reactRetry, KindTimeout, "the API did not answer: check SWAS_ENDPOINT, the region and the function's network; the same order is harmless to repeat"}},
	{CodeEmptyAnswer, behaviour{reactRetry, KindUpstream, "the API answered without proof of success: repeat the same order"}},
	{CodeInternalError, behaviour{reactRetry, KindUpstream, "the API failed: repeat the same order"}},
	{CodeUnavailable, behaviour{reactRetry, KindUnavailable, "the API is not available: repeat the same order"}},
	{CodeThrottling + "*", behaviour{reactThrottle, KindThrottled, "the account makes too many API calls: repeat the same order after a minute, or spread the timers"}},
	{CodeIncorrectStatus + "*", behaviour{reactWait, KindConflict, "the state of the disk or server forbids a snapshot now: wait until the server runs or has stopped, then repeat the same order"}},
	{CodeCreatingSnapshot, behaviour{reactLookup, KindConflict, "another snapshot of this disk is being taken: repeat the same order when it is done, in 10 to 30 minutes"}},
	{CodeNameDuplicate, behaviour{reactLookup, KindConflict, "another snapshot has this name: choose another"}},
	{CodeLimitExceed, behaviour{reactLookup, KindConflict, "no slot is free: repeat the same order after the next sweep, or delete or unpin a snapshot"}},
	{CodeDiskNotFound, behaviour{reactFinal, KindUnknown, "the region has no such disk: correct the disk or its region in snapshots.yaml or in the order"}},
	{CodeSnapshotNotFound, behaviour{reactFinal, KindUnknown, "there is no such snapshot: list the target's snapshots for their IDs"}},
	{CodeNameUnsupported, behaviour{reactFinal, KindInvalid, "give the snapshot a name of 2 to 50 characters that begins with a letter"}},
	{"InvalidRemark.*", behaviour{reactFinal, KindInvalid, "the API refuses the remark: leave it out"}},
	{CodeMismatch, behaviour{reactLookup, KindInvalid, "this key was used with other parameters: use a new key for a new order"}},
	{CodeForbiddenRAM, behaviour{reactFinal, KindConfig, "allow swas-open:%ACTION% in the RAM policy of the function's role"}},
	{codeNoPermission, behaviour{reactFinal, KindConfig, "allow swas-open:%ACTION% in the RAM policy of the function's role"}},
	{codeKeyUnknown + "*", behaviour{reactFinal, KindConfig, "the access key does not exist or is disabled: set ALIBABA_CLOUD_ACCESS_KEY_ID, or the function's role"}},
	{CodeBadSignature, behaviour{reactFinal, KindConfig, "the access key secret is wrong: set ALIBABA_CLOUD_ACCESS_KEY_SECRET to the secret of this access key"}},
	{codeTokenExpired, behaviour{reactFinal, KindConfig, "the security token has expired: renew ALIBABA_CLOUD_SECURITY_TOKEN, or let the function's role supply it"}},
	{codeTokenMalformed + "*", behaviour{reactFinal, KindConfig, "the security token is wrong: set ALIBABA_CLOUD_SECURITY_TOKEN to that of the access key, or unset it"}},
	{codeTimeExpired, behaviour{reactFinal, KindConfig, "the clock of this machine is wrong: set it"}},
	{codeHostMismatch, behaviour{reactFinal, KindConfig, "the region is not that of the endpoint: correct SWAS_ENDPOINT, or the region in snapshots.yaml"}},
	{codeInvalidParam, behaviour{reactFinal, KindInvalid, "the API refuses a parameter: correct the region and the disk in snapshots.yaml or in the order"}},
	{codeNonceUsed, behaviour{reactRetry, KindUpstream, "the API has seen this call before: repeat the same order"}},
	{CodeNoCredentials, behaviour{reactFinal, KindConfig, "set a role for the function, or ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"}},
	{"Missing*", behaviour{reactFinal, KindInvalid, "name the missing parameter"}},
	{"Invalid*", behaviour{reactFinal, KindInvalid, "correct the parameter"}},
}

// behaviourOf returns the behaviour of a code. An unknown one is final: nothing unknown counts as a success or is
// worth a guess.
func behaviourOf(code string) behaviour {
	for _, row := range behaviours {
		if prefix, open := strings.CutSuffix(row.code, "*"); row.code == code || open && strings.HasPrefix(code, prefix) {
			return row.behaviour
		}
	}
	return behaviour{reactFinal, KindUpstream, "an answer that this program does not know: look the code up in the API's list of error codes"}
}

// fromAPI returns the error that callers get for an answer of the API.
func fromAPI(answer *APIError) *Error {
	b := behaviourOf(answer.Code)
	advice := strings.ReplaceAll(b.advice, "%ACTION%", answer.Action)
	message := advice
	switch {
	case answer.Code == CodeNoCredentials && answer.Message != "": // the message is ours, not the API's
		message = answer.Action + ": " + answer.Message
	case answer.Message != "":
		message = answer.Action + ": " + strings.TrimRight(answer.Message, ". ") + ": " + advice
	}
	return &Error{
		Code:      answer.Code,
		Message:   message,
		Advice:    advice,
		Retryable: b.reaction == reactRetry || b.reaction == reactThrottle || b.reaction == reactWait || answer.Code == CodeCreatingSnapshot,
		Kind:      b.kind,
		RequestID: answer.RequestID,
		cause:     answer,
	}
}
