package trigger

import (
	"encoding/json"
	"net/http"

	"swas-snapshot/shared/snapshot"
)

// codeTooLarge and codeEncoded are the codes of the problems that this package alone answers.
const (
	codeTooLarge = "BodyTooLarge"
	codeEncoded  = "UnsupportedContentEncoding"
)

// problem is a problem document of RFC 9457, with the extensions of this project.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Code      string `json:"code"`
	Retryable bool   `json:"retryable"`
	RequestID string `json:"requestId,omitempty"`
}

func refuse(status int, code, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

func (p *problem) write(w http.ResponseWriter) {
	data, err := json.Marshal(p)
	if err != nil {
		panic(err) // text and numbers always have a JSON form
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(data) // into memory
}

func tooLarge() *problem {
	return refuse(http.StatusRequestEntityTooLarge, codeTooLarge, "the body is larger than 1 MiB: send less")
}

func badRequest(detail string) *problem {
	return refuse(http.StatusBadRequest, snapshot.CodeMalformed, detail)
}
