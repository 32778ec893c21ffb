package httpclient

import (
	"errors"
	"fmt"
)

// ErrArgument is a Transport, a Config or a request with a field that cannot work.
var ErrArgument = errors.New("httpclient: bad argument")

// ErrConnectionLost is what every *LostError matches.
var ErrConnectionLost = errors.New("httpclient: connection lost before an answer")

// LostError says that the connection ended before the first byte of an answer, and
// that the request was not sent again. Whether the server has acted on it is not
// known, unless Sent is 0 at the first try.
type LostError struct {
	Tries  int   // how often it was sent, or begun to be
	Sent   int64 // bytes of the last try, or of the TLS around it, that went out
	Reused bool  // it was a kept connection, not one opened for the request
	Err    error // what ended it: io.EOF, a syscall.Errno
}

var _ error = (*LostError)(nil)

// Error says what happened and what can be done.
func (e *LostError) Error() string {
	sent := "nothing of the request was sent"
	if e.Sent > 0 {
		sent = fmt.Sprintf("%d bytes of the request were sent, and the server may have acted on them", e.Sent)
	}
	remedy := "the connection was new: see why the server hangs up"
	if e.Reused {
		remedy = "lower the pool's Config.KeepAlive below the time the server keeps idle connections, or make the request repeatable: with an Idempotency-Key, and a GetBody for its body"
	}
	return fmt.Sprintf("%v: %v (try %d; %s); %s", ErrConnectionLost, e.Err, e.Tries, sent, remedy)
}

// Is matches ErrConnectionLost.
func (e *LostError) Is(target error) bool { return target == ErrConnectionLost }

// Unwrap returns what ended the connection.
func (e *LostError) Unwrap() error { return e.Err }
