package trigger_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"swas-snapshot/shared/problem"
	"swas-snapshot/shared/trigger"
)

// Every problem document carries a request ID: that of the API, else that of the platform.
func TestProblemsHaveRequestID(t *testing.T) {
	t.Parallel()
	event := `{"version":"v1","rawPath":"/x","headers":{},"requestContext":{"requestId":"platform-1","http":{"method":"GET","path":"/x"}}}`
	for id, handler := range map[string]http.HandlerFunc{
		"platform-1": func(w http.ResponseWriter, _ *http.Request) { problem.WriteStatus(w, 404, "NotFound", "nothing") },
		"api-1": func(w http.ResponseWriter, _ *http.Request) {
			document := problem.New(502, "InternalError", "failed")
			document.RequestID = "api-1"
			problem.Send(w, document)
		},
	} {
		answer, err := trigger.ServeHTTP(context.Background(), []byte(event), handler)
		if err != nil || !strings.Contains(string(answer), `\"requestId\":\"`+id+`\"`) {
			t.Errorf("%s: %s, %v", id, answer, err)
		}
	}
}
