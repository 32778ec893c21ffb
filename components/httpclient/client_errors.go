package httpclient

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// What goes wrong with a request is one of these, in the Err of its Response.
// Each has the status that POE::Component::Client::HTTP gives it (A117).
var (
	// ErrTimeout: the request's time ran out, or connecting took too long (408).
	ErrTimeout = errors.New("no answer in time; raise Timeout, or look at the server")

	// ErrCancelled: it was cancelled (408).
	ErrCancelled = errors.New("cancelled")

	// ErrShutDown: the client was shut down (408).
	ErrShutDown = errors.New("the client was shut down; ask another")

	// ErrConnect: there is no connection, TLS included (500).
	ErrConnect = errors.New("cannot connect; look at the address, and whether its server runs")

	// ErrNoAnswer: the request could not be sent, or its connection ended or
	// failed before the answer was complete (400).
	ErrNoAnswer = errors.New("no complete answer; the server may have acted on the request: ask again if that does no harm")

	// ErrScheme: the URL, or the one that a redirect leads to, has another scheme
	// than http and https, no host, or a port that is none (400).
	ErrScheme = errors.New(`unusable URL; want one of "http" or "https", with a host`)

	// ErrParse: what the server sent is not HTTP (406).
	ErrParse = errors.New("the answer cannot be understood; look whether the server speaks HTTP")

	// ErrTooLarge: the body is longer than Config.MaxSize (406).
	ErrTooLarge = errors.New("the answer is too large; raise MaxSize, stream it, or ask for a range")
)

// ErrNoRequest refuses to cancel a request that is unknown or was answered.
var ErrNoRequest = errors.New("no such request is pending; cancel a request once, before its answer")

// outcomes are all the ways in which a request can end: the status of the
// response that is made up for it, and the word in Stats.
var outcomes = []struct {
	err    error
	status int
	word   string
}{
	{nil, 0, "answered"},
	{ErrTimeout, http.StatusRequestTimeout, "timeout"},
	{ErrCancelled, http.StatusRequestTimeout, "cancelled"},
	{ErrShutDown, http.StatusRequestTimeout, "shutdown"},
	{ErrConnect, http.StatusInternalServerError, "connect"},
	{ErrNoAnswer, http.StatusBadRequest, "no answer"},
	{ErrScheme, http.StatusBadRequest, "scheme"},
	{ErrParse, http.StatusNotAcceptable, "parse"},
	{ErrTooLarge, http.StatusNotAcceptable, "too large"},
}

// outcomeOf returns the status and the word of an Error's Kind, or of nil.
func outcomeOf(kind error) (status int, word string) {
	for _, o := range outcomes {
		if o.err == kind {
			return o.status, o.word
		}
	}
	panic(fmt.Sprintf("httpclient: bug: no outcome for %v", kind))
}

// Error is why a request has no answer of its server's.
type Error struct {
	Method string
	URL    string // without a password
	Kind   error  // ErrTimeout, ErrConnect, …
	Err    error  // what was reported; nil when Kind says all
}

var _ error = (*Error)(nil)

func newError(req *http.Request, kind, cause error) *Error {
	if e := (*url.Error)(nil); errors.As(cause, &e) {
		cause = e.Err // it names the URL, too
	}
	if cause == kind {
		cause = nil
	}
	return &Error{cmp.Or(req.Method, http.MethodGet), req.URL.Redacted(), kind, cause}
}

// Error names the request, the kind and the cause.
func (e *Error) Error() string {
	why := e.Kind.Error()
	switch {
	case e.Err != nil && errors.Is(e.Err, e.Kind):
		why = e.Err.Error()
	case e.Err != nil:
		why += ": " + e.Err.Error()
	}
	return fmt.Sprintf("httpclient: %s %s: %s", e.Method, e.URL, why)
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
