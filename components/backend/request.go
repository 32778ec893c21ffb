package backend

import (
	"fmt"
	"sync/atomic"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Request is a command that a client sent. Whoever gets it answers once, from
// any goroutine; a request without an answer leaves its client to its timeout.
// Its arguments are what a foreign process chose: check them.
type Request struct {
	Message
	Identity Identity // of the client

	srv     *Server
	dialect dialect
	conn    kernel.Address
	id      uint64
	over    atomic.Bool // it was answered
}

// Wanted reports whether the client waits for an answer.
func (r *Request) Wanted() bool { return r.id != 0 }

// Reply answers with values. ErrClosed says that the client is gone; ErrAnswered, that
// it has its answer; an error that matches kernel.ErrNotEncodable or filter.ErrTooLong,
// that these values cannot be sent, and the client still waits.
func (r *Request) Reply(args ...any) error {
	return r.answer(filter.Frame{Name: evReply, Args: args})
}

// Fail answers with an error, which reaches the client as a *RemoteError. Errors
// as with Reply.
func (r *Request) Fail(text string) error {
	return r.answer(filter.Frame{Name: evError, Args: []any{text}})
}

func (r *Request) answer(f filter.Frame) error {
	if r.id == 0 {
		return nil
	}
	f.ReplyTo = r.id
	b, err := r.dialect.encode(f)
	if err != nil {
		return err
	}
	if r.over.Swap(true) {
		return fmt.Errorf("%w: %.64q of %q", ErrAnswered, r.Name, r.From)
	}
	return ended(evAnswered.PostFrom(r.srv.k, r.conn, b))
}
