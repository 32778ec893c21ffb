package httpd

import (
	"context"
	"maps"
	"slices"
	"time"
)

// stage is how far a server is with its end.
type stage uint32

const (
	isOpen stage = iota
	isDraining
	isCut
	isOver
)

// advance reports whether a stage was reached by this call. From the first on
// nobody is accepted any more.
func (s *Server) advance(to stage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now() >= to {
		return false
	}
	s.stage.Store(uint32(to))
	for _, d := range s.doors {
		d.close()
	}
	return true
}

func (s *Server) now() stage { return stage(s.stage.Load()) }

// Shutdown ends the server gracefully and returns when that is done: it stops
// listening, has answers say "Connection: close", closes connections that ask for
// nothing within a quarter of a second, and waits for the others at most
// Config.ShutdownTimeout (H88, H89). When ctx ends first, everything is closed at once,
// and its error is returned; when somebody asks for a graceful end once more, here or by
// the event, everything is closed at once, too. In a handler use the event Shutdown:
// requests may need the session that waits here. The kernel has to run.
func (s *Server) Shutdown(ctx context.Context) error {
	_ = Shutdown.PostFrom(s.k, s.self, true) // an error: it has ended
	select {
	case <-s.over.Done():
		return nil
	case <-ctx.Done():
		_ = Shutdown.PostFrom(s.k, s.self, false)
		return ctx.Err()
	}
}

// drain begins the graceful end (H88); a second one forces it.
func (s *Server) drain() {
	if !s.advance(isDraining) {
		s.cut()
		return
	}
	if s.herd != nil {
		s.herd.stop(false, true)
		return
	}
	if s.post != nil {
		s.post.gate.Shut()
	}
	// From now on answers say that they are the last. What is idle may be about to ask,
	// and hears it with its answer.
	s.unlessOver(lull, func() { go s.http.SetKeepAlivesEnabled(false) }) // TLS may wait for its clients
	// What has said nothing yet gets five seconds (H90). Not sooner: once net/http
	// shuts down, it drops also what it has just read. It closes what is silent by
	// then, and looks now and then; settle sees the end at once.
	s.unlessOver(silence, func() { go func() { _ = s.http.Shutdown(s.over) }() })
	if d := s.cfg.ShutdownTimeout; d > 0 {
		s.unlessOver(d, s.cut)
	}
	s.settle()
}

// lull is how long a connection must not have asked for anything to be closed by a
// graceful end without an answer that says so: a busy client would take that for a
// failure.
const lull = 250 * time.Millisecond

// silence is what net/http, too, allows a new connection until it counts as idle.
const silence = 5 * time.Second

// cutGrace is how long a forced end waits for handlers that run.
const cutGrace = time.Second

// cut closes everything (H87).
func (s *Server) cut() {
	if !s.advance(isCut) {
		return
	}
	if s.herd != nil {
		s.herd.stop(true, true)
		return
	}
	s.mu.Lock()
	all := slices.Collect(maps.Values(s.conns))
	s.mu.Unlock()
	for _, c := range all { // below TLS: none of them can hold the others up
		c.Close()
	}
	s.http.Close()
	s.unlessOver(cutGrace, s.finish)
	s.settle()
}

func (s *Server) unlessOver(d time.Duration, f func()) {
	stop := s.k.AfterFunc(d, f)
	context.AfterFunc(s.over, func() { stop() })
}

// settle ends a server that was shut down when nothing is left to wait for.
func (s *Server) settle() {
	s.mu.Lock()
	rest := s.now() == isOpen || len(s.conns) > 0 || s.requests.Load() > 0
	s.mu.Unlock()
	if !rest {
		s.finish()
	}
}

func (s *Server) finish() {
	if s.advance(isOver) {
		s.k.Describe(s.name(), nil)
		s.end()
		s.lease.Release()
	}
}
