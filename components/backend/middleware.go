package backend

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/usher-go/usher/kernel"
)

// Middleware gives each HTTP request a scope: ConnFrom is the connection, BeginIn
// begins a transaction on it, and what the request has left uncommitted when its
// handler returns or panics is rolled back (B18). It does not wait for that.
func Middleware(conn *Conn) func(http.Handler) http.Handler {
	return scoped(func() (*Conn, error) {
		if conn == nil {
			return nil, fmt.Errorf("%w: Middleware has a nil Conn", ErrNoConn)
		}
		return conn, nil
	})
}

// MiddlewareAlias is Middleware for the connection that a kernel has under an
// alias at the time ("" is "backend"), such as one of ConnectOnInit. Without one
// ConnFrom is nil and BeginIn returns ErrNoConn.
func MiddlewareAlias(k *kernel.Kernel, alias string) func(http.Handler) http.Handler {
	if alias == "" {
		alias = "backend"
	}
	return scoped(func() (*Conn, error) {
		c, err := connOf(k, alias, visit{})
		if c == nil && err == nil {
			err = fmt.Errorf("%w: %q", ErrNoConn, alias)
		}
		return c, err
	})
}

func scoped(conn func() (*Conn, error)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := &scope{}
			s.conn, s.err = conn()
			defer s.end()
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), scopeKey{}, s)))
		})
	}
}

// scope is one request's.
type scope struct {
	conn *Conn
	err  error // why there is none

	mu    sync.Mutex
	txs   []*Tx
	ended bool
}

type scopeKey struct{}

// ConnFrom returns the connection of a request's context, nil without Middleware.
func ConnFrom(ctx context.Context) *Conn {
	if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
		return s.conn
	}
	return nil
}

// BeginIn begins a transaction in a request's scope. Errors are those of
// Conn.Begin; ErrNoConn without a connection or Middleware; ErrEnded when the
// request is over.
func BeginIn(ctx context.Context) (*Tx, error) {
	s, ok := ctx.Value(scopeKey{}).(*scope)
	if !ok {
		return nil, fmt.Errorf("%w: the context is of no request behind backend.Middleware", ErrNoConn)
	}
	if s.err != nil {
		return nil, s.err
	}
	tx, err := s.conn.Begin(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		tx.discard()
		return nil, ErrEnded
	}
	s.txs = append(slices.DeleteFunc(s.txs, (*Tx).isOver), tx) // a request may go on for days
	return tx, nil
}

func (s *scope) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, tx := range s.txs {
		tx.discard()
	}
}

// isOver reports whether somebody has ended it.
func (tx *Tx) isOver() bool {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.state != txOpen
}

// discard rolls a transaction back that nobody ends, and does not wait.
func (tx *Tx) discard() {
	if tx.ending(false) != nil {
		return
	}
	tx.abandon()
	_ = tx.finish(Reply{})
}
