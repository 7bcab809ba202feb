package simulator

import (
	"maps"
	"time"
)

// tokenMemory remembers the successful calls with a ClientToken. Tokens are compared byte by byte and belong to one
// action of the account. Failed calls are not remembered: the same token may succeed later.
type tokenMemory struct {
	calls  map[tokenKey]remembered
	pruned time.Time // when calls was last cleared of old ones
}

type tokenKey struct{ action, token string }

type remembered struct {
	params map[string]string
	answer answer
	at     time.Time
}

// once runs an effect unless the token is known: the same parameters then get the same answer and no new effect,
// others IdempotentParameterMismatch.
func (m *tokenMemory) once(key tokenKey, params map[string]string, now time.Time, lifetime time.Duration, run effect) (answer, *apiError) {
	if now.Sub(m.pruned) >= lifetime {
		maps.DeleteFunc(m.calls, func(_ tokenKey, old remembered) bool { return now.Sub(old.at) >= lifetime })
		m.pruned = now
	}
	if known, found := m.calls[key]; found && now.Sub(known.at) < lifetime {
		if !maps.Equal(known.params, params) {
			return nil, refuse("IdempotentParameterMismatch")
		}
		return known.answer, nil
	}
	result, refusal := run(now)
	if refusal == nil {
		m.calls[key] = remembered{params, result, now}
	}
	return result, refusal
}
