package simulator

import (
	"net/http"
	"strings"
)

// apiError is a refusal as the API words it.
type apiError struct {
	Status  int
	Code    string
	Message string
}

// documented holds the status and the message of every code with a fixed text.
var documented = map[string]apiError{
	// Of CreateSnapshot, word for word as its page has them.
	"InvalidRemark.ValueNotSupported": {400, "", "The specified parameter Remark is invalid."},
	"InvalidRemark.Duplicate":         {400, "", "The specified Remark already exists."},
	"IncorrectStatus": {400, "", "The state of the disk or instance does not currently " +
		"support snapshot creation."},
	"InvalidSnapshotName.ValueNotSupported": {400, "", "The specified SnapshotName is invalid."},
	"InvalidSnapshotName.Duplicate":         {400, "", "The specified SnapshotName already exists."},
	"InternalError":                         {500, "", "An error occurred while processing your request."},
	"SnapshotLimitExceed":                   {403, "", "The maximum number of snapshots in an instance is exceeded."},
	"IncorrectDiskStatus.CreatingSnapshot": {403, "", "A snapshot is being created in the specified disk. Please " +
		"try again later."},
	"InvalidDiskId.NotFound": {404, "", "The specified DiskId does not exist."},
	// Of the other actions.
	"InvalidSnapshotId.NotFound": {404, "", "The specified SnapshotId does not exist."},
	"InvalidResourceId.NotFound": {404, "", "The specified ResourceId does not exist."},
	"InvalidRegionId.NotFound":   {404, "", "The specified RegionId does not exist."},
	"RegionIdNotMatchHost":       {400, "", "The parameter regionId does not match the endpoint host."},
	"InvalidParam":               {403, "", "The specified parameter is invalid."},
	"IncorrectSnapshotStatus":    {400, "", "The current status of the snapshot does not support this operation."},
	"IncorrectInstanceStatus":    {400, "", "The current status of the instance does not support this operation."},
	"SnapshotCreatedImage": {400, "", "The snapshot has been used to create a custom image. Delete " +
		"the image first."},
	"NumberExceed.Tags": {400, "", "The maximum number of tags of a resource is exceeded."},
	"IdempotentParameterMismatch": {400, "", "The request uses the same client token as a previous, but " +
		"non-identical request."},
	// Of the gateway: who calls.
	"InvalidAction.NotFound":       {404, "", "Specified api is not found, please check your url and method."},
	"UnsupportedHTTPMethod":        {400, "", "The HTTP method is not supported."},
	"InvalidParameter":             {400, "", "The request cannot be read."},
	"IncompleteSignature":          {400, "", "The request signature does not conform to Aliyun standards."},
	"InvalidAccessKeyId.NotFound":  {404, "", "Specified access key is not found."},
	"InvalidAccessKeyId.Inactive":  {400, "", "Specified access key is disabled."},
	"SignatureDoesNotMatch":        {400, "", "Specified signature is not matched with our calculation."},
	"SignatureNonceUsed":           {400, "", "Specified signature nonce was used already."},
	"InvalidTimeStamp.Format":      {400, "", "Specified time stamp or date value is not well formatted."},
	"InvalidTimeStamp.Expired":     {400, "", "Specified time stamp or date value is expired."},
	"InvalidSecurityToken.Expired": {400, "", "Specified SecurityToken is expired."},
	"InvalidSecurityToken.MismatchWithAccessKey": {400, "", "Specified SecurityToken mismatch with the " +
		"AccessKey."},
	// Of the gateway: what and how often.
	"Forbidden.RAM": {403, "", "User not authorized to operate on the specified resource, " +
		"or this API doesn't support RAM."},
	"NoPermission":       {403, "", "You are not authorized to do this action."},
	"Throttling":         {400, "", "Request was denied due to request throttling."},
	"Throttling.User":    {400, "", "Request was denied due to user flow control."},
	"Throttling.Api":     {400, "", "Request was denied due to api flow control."},
	"ServiceUnavailable": {503, "", "The request has failed due to a temporary failure of the server."},
}

// refuse returns the refusal with a code. One that is not documented gets status 400 and a plain message.
func refuse(code string) *apiError {
	e, known := documented[code]
	if !known {
		e = apiError{Status: http.StatusBadRequest, Message: "The request was refused."}
	}
	e.Code = code
	return &e
}

// missing refuses a request without a required parameter.
func missing(param string) *apiError {
	return &apiError{http.StatusBadRequest, "Missing" + param, param + " is mandatory for this action."}
}

// invalid refuses a malformed parameter. The code names the parameter without its index: InvalidTag for Tag.1.Key.
func invalid(param string) *apiError {
	name, _, _ := strings.Cut(param, ".")
	return &apiError{http.StatusBadRequest, "Invalid" + name, "Specified parameter " + param + " is not valid."}
}
