package etcd

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// place is where something can go wrong for a while.
type place int

const (
	atRegistry place = iota // registering and renewing
	atWatch
	atShards
)

// troubles is what goes wrong now, as it was told. A cause is told once, and again
// only after something else, or nothing, was wrong in the same place; what is wrong
// in several places, such as an etcd that is down, is told once for all.
type troubles map[place]string

// note takes the outcome of a try, and reports whether the host is to know of it.
func (t troubles) note(at place, err error) bool {
	if err == nil {
		delete(t, at)
		return false
	}
	cause := err.Error()
	if errors.Is(err, ErrUnreachable) {
		cause = ErrUnreachable.Error() // whatever was being done
	}
	known := false
	for _, c := range t {
		known = known || c == cause
	}
	t[at] = cause
	return !known
}

// quiet marks what is no trouble, and to be waited for.
type quiet struct{ error }

// trouble is for any goroutine.
func (m *membership) trouble(at place, err error) {
	if m.ctx.Err() != nil {
		return
	}
	if errors.As(err, new(quiet)) {
		err = nil
	}
	m.inbox.put(func() {
		if m.troubles.note(at, err) {
			m.host.Failed(fmt.Errorf("etcd: node %q: %w", m.self.Name, err))
		}
	})
}

// trouble is membership's, but for what fails because the session is over.
func (s *session) trouble(at place, err error) {
	if s.ctx.Err() == nil {
		s.m.trouble(at, err)
	}
}

// understand says what an error of etcd's client means.
func understand(doing string, err error) error {
	if err == nil {
		return nil
	}
	code := status.Code(err)
	if e, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		code = e.Code()
	}
	if ended(err) || code == codes.DeadlineExceeded || code == codes.Canceled || code == codes.Unavailable {
		return fmt.Errorf("%s: %w (%w); see whether the endpoints are right and etcd runs", doing, ErrUnreachable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// ended reports whether the caller's context ended before etcd had answered.
func ended(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}
