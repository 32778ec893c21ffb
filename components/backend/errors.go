package backend

import (
	"errors"

	"github.com/usher-go/usher/kernel"
)

var (
	// ErrArgument is a Config or call with a field that cannot work.
	ErrArgument = errors.New("backend: bad argument")

	// ErrClosed: the connection or the server was closed, or its kernel ended.
	ErrClosed = errors.New("backend: closed; open another")

	// ErrLost: the connection broke after the request was sent and before its
	// answer came. Whether it was carried out is unknown.
	ErrLost = errors.New("backend: connection lost before the answer; the outcome is unknown: ask again if that does no harm")

	// ErrTimeout: no answer came within the request's time.
	ErrTimeout = errors.New("backend: no answer in time; raise Config.Timeout, or look at the server")

	// ErrFull: as many messages wait for the connection as Config.MaxQueued
	// allows, or it takes no more output.
	ErrFull = errors.New("backend: too much waits for the connection; send less, or raise Config.MaxQueued")
)

// RemoteError is a request's failure as the server tells it.
type RemoteError struct{ Text string }

var _ error = (*RemoteError)(nil)

func (e *RemoteError) Error() string { return "backend: server: " + e.Text }

// ended says in this package's words that a session is no more.
func ended(err error) error {
	if errors.Is(err, kernel.ErrNoSession) || errors.Is(err, kernel.ErrStopped) {
		return ErrClosed
	}
	return err
}
