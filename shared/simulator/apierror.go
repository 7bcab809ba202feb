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

// Error tells the code and the message.
func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// catalogue holds the status and the message of every code with a fixed text: first the nine of the CreateSnapshot
// page, word for word, then those of the other actions, then the gateway's.
var catalogue = map[string]apiError{
	"InvalidRemark.ValueNotSupported":       {Status: 400, Message: "The specified parameter Remark is invalid."},
	"InvalidRemark.Duplicate":               {Status: 400, Message: "The specified Remark already exists."},
	"IncorrectStatus":                       {Status: 400, Message: "The state of the disk or instance does not currently support snapshot creation."},
	"InvalidSnapshotName.ValueNotSupported": {Status: 400, Message: "The specified SnapshotName is invalid."},
	"InvalidSnapshotName.Duplicate":         {Status: 400, Message: "The specified SnapshotName already exists."},
	"InternalError":                         {Status: 500, Message: "An error occurred while processing your request."},
	"SnapshotLimitExceed":                   {Status: 403, Message: "The maximum number of snapshots in an instance is exceeded."},
	"IncorrectDiskStatus.CreatingSnapshot":  {Status: 403, Message: "A snapshot is being created in the specified disk. Please try again later."},
	"InvalidDiskId.NotFound":                {Status: 404, Message: "The specified DiskId does not exist."},

	"InvalidSnapshotId.NotFound":  {Status: 404, Message: "The specified SnapshotId does not exist."},
	"InvalidResourceId.NotFound":  {Status: 404, Message: "The specified ResourceId does not exist."},
	"InvalidRegionId.NotFound":    {Status: 404, Message: "The specified RegionId does not exist."},
	"RegionIdNotMatchHost":        {Status: 400, Message: "The parameter regionId does not match the endpoint host."},
	"InvalidParam":                {Status: 403, Message: "The specified parameter is invalid."}, // of ListSnapshots
	"IncorrectSnapshotStatus":     {Status: 400, Message: "The current status of the snapshot does not support this operation."},
	"IncorrectInstanceStatus":     {Status: 400, Message: "The current status of the instance does not support this operation."},
	"SnapshotCreatedImage":        {Status: 400, Message: "The snapshot has been used to create a custom image. Delete the image first."},
	"NumberExceed.Tags":           {Status: 400, Message: "The maximum number of tags of a resource is exceeded."},
	"IdempotentParameterMismatch": {Status: 400, Message: "The request uses the same client token as a previous, but non-identical request."},

	"InvalidAction.NotFound":                     {Status: 404, Message: "Specified api is not found, please check your url and method."},
	"UnsupportedHTTPMethod":                      {Status: 400, Message: "The HTTP method is not supported."},
	"InvalidParameter":                           {Status: 400, Message: "The request cannot be read."},
	"IncompleteSignature":                        {Status: 400, Message: "The request signature does not conform to Aliyun standards."},
	"InvalidAccessKeyId.NotFound":                {Status: 404, Message: "Specified access key is not found."},
	"InvalidAccessKeyId.Inactive":                {Status: 400, Message: "Specified access key is disabled."},
	"SignatureDoesNotMatch":                      {Status: 400, Message: "Specified signature is not matched with our calculation."},
	"SignatureNonceUsed":                         {Status: 400, Message: "Specified signature nonce was used already."},
	"InvalidTimeStamp.Format":                    {Status: 400, Message: "Specified time stamp or date value is not well formatted."},
	"InvalidTimeStamp.Expired":                   {Status: 400, Message: "Specified time stamp or date value is expired."},
	"InvalidSecurityToken.Expired":               {Status: 400, Message: "Specified SecurityToken is expired."},
	"InvalidSecurityToken.MismatchWithAccessKey": {Status: 400, Message: "Specified SecurityToken mismatch with the AccessKey."},
	"Forbidden.RAM":                              {Status: 403, Message: "User not authorized to operate on the specified resource, or this API doesn't support RAM."},
	"NoPermission":                               {Status: 403, Message: "You are not authorized to do this action."},
	"Throttling":                                 {Status: 400, Message: "Request was denied due to request throttling."},
	"Throttling.User":                            {Status: 400, Message: "Request was denied due to user flow control."},
	"Throttling.Api":                             {Status: 400, Message: "Request was denied due to api flow control."},
	"ServiceUnavailable":                         {Status: 503, Message: "The request has failed due to a temporary failure of the server."},
}

// refuse returns the refusal with a code. A code outside the catalogue gets status 400 and a plain message.
func refuse(code string) *apiError {
	e, known := catalogue[code]
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
