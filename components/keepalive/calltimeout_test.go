package keepalive

import (
	"errors"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// TestA104_CallTimeout: where the pool's turn does not come in time, what needs an answer
// says so, and what must happen happens later.
func TestA104_CallTimeout(t *testing.T) {
	k := runningWith(t, kernel.Config{Mode: kernel.Serial, CallTimeout: 10 * time.Millisecond})
	server := newEcho(t)
	p := startPool(t, k, Config{})
	u := newUser(t, k, p)
	var conn *Conn
	until(t, "a connection", func() (ok bool) { // on a busy machine others have the turn for as long
		var err error
		conn, err = p.Get(deadline(t), "test", "127.0.0.1", server.port())
		return err == nil
	})
	busy, free := make(chan struct{}), make(chan struct{})
	if err := evRun.PostFrom(k, u.lease.Address(), func(*kernel.Context) error {
		close(busy)
		<-free
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	<-busy
	if _, err := p.Stats(); !errors.Is(err, kernel.ErrTimeout) {
		t.Errorf("Stats: %v", err)
	}
	if _, err := p.Get(deadline(t), "other", "127.0.0.1", server.port()); !errors.Is(err, kernel.ErrTimeout) {
		t.Errorf("Get: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	p.Shutdown()
	close(free)
	u.ended()
	until(t, "the server has no connection", func() bool { open, _ := server.counts(); return open == 0 })
}
