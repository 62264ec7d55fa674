package control

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/headwater-live/headwater/actors"
	"github.com/headwater-live/headwater/actors/settings"
)

// Problem is the answer to a request that fails (RFC 9457).
type Problem struct {
	// Type is about:blank: the status says what kind of problem it is.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what is wrong with this request, and where.
	Detail string `json:"detail"`
}

// fault is an error that has a status.
type fault struct {
	status int
	error
}

func (f *fault) Unwrap() error { return f.error }

// faulty gives an error a status.
func faulty(status int, err error) error { return &fault{status, err} }

// statusOf is the status that an error stands for. Of what the node cannot do now, nobody knows
// better than that it may be able to in a while.
func statusOf(err error) int {
	var known *fault
	var refused *settings.Refused
	switch {
	case errors.As(err, &known):
		return known.status
	case errors.As(err, &refused):
		return http.StatusUnprocessableEntity
	case errors.Is(err, actors.ErrNotFound):
		return http.StatusNotFound
	}
	if status := statusOfWire(err); status != 0 {
		return status
	}
	return http.StatusServiceUnavailable
}

// fail answers with a problem.
func (o *Options) fail(w http.ResponseWriter, err error) {
	status := statusOf(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	o.write(w, status, "application/problem+json", &Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: err.Error(),
	})
}

// answer answers with a value.
func (o *Options) answer(w http.ResponseWriter, value any) {
	o.write(w, http.StatusOK, "application/json", value)
}

func (o *Options) write(w http.ResponseWriter, status int, content string, value any) {
	w.Header().Set("Content-Type", content)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		o.Log.Debug("an answer is not delivered", slog.Any("error", err))
	}
}

// notAllowed answers a request whose method is none of those allowed.
func (o *Options) notAllowed(w http.ResponseWriter, r *http.Request, allowed ...string) {
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	o.fail(w, faulty(http.StatusMethodNotAllowed,
		errors.New(r.Method+" is not allowed here; want "+strings.Join(allowed, " or "))))
}
