package httpclient

import (
	"errors"
	"net/http"
)

// errAgain asks for another try.
var errAgain = errors.New("httpclient: bug: not repeated")

// verdict says what err, with which a try has failed, means for the request:
// errAgain, or the error to return. try counts from 1.
func (x *exchange) verdict(req *http.Request, err error, try int) error {
	lost := x.lostError(try)
	switch {
	case lost == nil || req.Context().Err() != nil:
		return err
	case lost.Reused && try < maxTries && (lost.Sent == 0 && rewindable(req) || repeatable(req)):
		return errAgain
	}
	return lost
}

// lostError is nil when something was answered, or something else went wrong.
func (x *exchange) lostError(try int) *LostError {
	x.wire.mu.Lock()
	defer x.wire.mu.Unlock()
	if x.lost == nil || x.received > 0 {
		return nil
	}
	return &LostError{Tries: try, Sent: x.sent, Reused: x.reused, Err: x.lost}
}

func bodyless(req *http.Request) bool { return req.Body == nil || req.Body == http.NoBody }

func rewindable(req *http.Request) bool { return bodyless(req) || req.GetBody != nil }

// repeatable is net/http's rule for a request that may have reached the server.
func repeatable(req *http.Request) bool {
	if !rewindable(req) {
		return false
	}
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	_, key := req.Header["Idempotency-Key"]
	_, xkey := req.Header["X-Idempotency-Key"]
	return key || xkey
}
