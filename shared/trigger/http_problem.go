package trigger

import (
	"net/http"

	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/snapshot"
)

func refuse(status int, code, detail string) *problem.Document {
	document := problem.New(status, code, detail)
	return &document
}

func tooLarge() *problem.Document {
	return refuse(http.StatusRequestEntityTooLarge, problem.CodeTooLarge, "the body is larger than 1 MiB: send less")
}

func badRequest(detail string) *problem.Document {
	return refuse(http.StatusBadRequest, snapshot.CodeMalformed, detail)
}
