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
	ErrTimeout = errors.New("backend: no answer in time; raise Config.Timeout, or for a pong Config.PingWait, or look at the server")

	// ErrFull: as much waits for the connection as Config.MaxQueued and
	// Config.MaxQueuedBytes allow, or it takes no more output.
	ErrFull = errors.New("backend: too much waits for the connection; send less, or raise Config.MaxQueued or MaxQueuedBytes")

	// ErrDown: the server is not there, by Config.FailFast. Nothing was sent.
	ErrDown = errors.New("backend: the server is down; try again later, or wait for it with Config.FailFast 0")

	// ErrRefused: the two ends could not agree in their hellos, or the one did not
	// accept who the other is. The text says which of them and why.
	ErrRefused = errors.New("backend: refused")

	// ErrDenied: ServerConfig.Allow says no.
	ErrDenied = errors.New("backend: not permitted; ask for another name, or change ServerConfig.Allow")

	// ErrLimit: a limit of the server's is reached.
	ErrLimit = errors.New("backend: a limit of the server is reached; use less at a time, or raise it")

	// ErrRolledBack: the transaction has ended, and none of its messages was or
	// will be delivered.
	ErrRolledBack = errors.New("backend: transaction rolled back; begin another")

	// ErrUnknownOutcome: the connection broke, or the time ran out, after the
	// commit was sent and before its answer came.
	ErrUnknownOutcome = errors.New("backend: commit without an answer; ask Conn.Outcome within a minute")

	// ErrEnded: the transaction was committed or rolled back before.
	ErrEnded = errors.New("backend: transaction has ended; begin another")

	// ErrAnswered: the Request has its answer, and this one is not sent.
	ErrAnswered = errors.New("backend: request answered before; answer each once")

	// ErrNoConn: the kernel has no connection of that alias.
	ErrNoConn = errors.New("backend: no connection of that alias; open it first")
)

// RemoteError is a request's failure as the server tells it. It matches
// ErrDenied, ErrLimit or ErrRolledBack where the server says so by Code.
type RemoteError struct {
	Text string
	Code string // "denied", "limit", "rolled back", or empty
}

var _ error = (*RemoteError)(nil)

// What a refusal's Code may be.
const (
	codeDenied     = "denied"
	codeLimit      = "limit"
	codeRolledBack = "rolled back"
)

func (e *RemoteError) Error() string { return "backend: server: " + e.Text }

// Is tells by the code.
func (e *RemoteError) Is(target error) bool {
	switch e.Code {
	case codeDenied:
		return target == ErrDenied
	case codeLimit:
		return target == ErrLimit
	case codeRolledBack:
		return target == ErrRolledBack
	}
	return false
}

// ended says in this package's words that a session is no more.
func ended(err error) error {
	if errors.Is(err, kernel.ErrNoSession) || errors.Is(err, kernel.ErrStopped) {
		return ErrClosed
	}
	return err
}
