//go:build unix

package prefork

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// guardedPair returns a guarded connection, its other end and a count of how
// often it said that it was closed.
func guardedPair(t *testing.T, timeout time.Duration) (*guarded, net.Conn, *int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	near, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = far.SetDeadline(time.Now().Add(patience))
	closed := 0
	g := &guarded{Conn: near, timeout: timeout, closed: func() { closed++ }}
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	return g, far, &closed
}

func read(g *guarded) error { _, err := g.Read(make([]byte, 1)); return err }

func TestH_SilenceEndsARead(t *testing.T) {
	g, far, _ := guardedPair(t, quick)
	if err := read(g); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent connection: %v", err)
	}
	if _, err := far.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := read(g); err != nil {
		t.Errorf("after that: %v", err)
	}
	if g.IdleTimeout() != quick {
		t.Errorf("a wheel is told %v", g.IdleTimeout())
	}
}

// An owner may end a read that waits with a deadline in the past, perhaps just
// before the read begins; ReadTimeout must not undo that.
func TestH_OwnersDeadlineStands(t *testing.T) {
	g, far, _ := guardedPair(t, time.Hour)
	if err := g.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if err := read(g); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("with a deadline in the past: %v", err)
	}
	if err := g.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := read(g); err != nil {
		t.Errorf("without it: %v", err)
	}
}

// Without an owner's deadline, and after one was taken back, silence counts.
func TestH_TakenBackDeadlineLeavesTheTimeout(t *testing.T) {
	g, _, _ := guardedPair(t, quick)
	ended := make(chan error, 1)
	_ = g.SetReadDeadline(time.Now().Add(time.Hour))
	_ = g.SetReadDeadline(time.Time{})
	go func() { ended <- read(g) }()
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("the read waits for ever")
	}
}

func TestH_NoTimeoutWithoutOne(t *testing.T) {
	g, far, _ := guardedPair(t, 0)
	if _, err := g.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := read(g); err != nil {
		t.Error(err)
	}
}

func TestP65_ClosingIsToldOnce(t *testing.T) {
	g, far, closed := guardedPair(t, time.Hour)
	if err := g.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after CloseWrite the peer reads %v", err)
	}
	if *closed != 0 {
		t.Error("a half-closed connection counts as closed")
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	_ = g.Close()
	if *closed != 1 {
		t.Errorf("told %d times", *closed)
	}
	near, _ := net.Pipe()
	odd := &guarded{Conn: near, closed: func() {}}
	if err := odd.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite of a pipe: %v", err)
	}
	if _, err := odd.DescriptorConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("descriptor of a pipe: %v", err)
	}
}

func TestP86_LifelineIsCutOnce(t *testing.T) {
	for _, c := range []struct {
		end  func(near, far net.Conn)
		want int
	}{
		{func(_, far net.Conn) { _ = far.Close() }, 1},
		{func(near, _ net.Conn) { _ = near.Close() }, 0}, // the kernel's end, not the master's
	} {
		ours, theirs, err := socketpair()
		if err != nil {
			t.Fatal(err)
		}
		far, err := net.FileConn(theirs)
		if err != nil {
			t.Fatal(err)
		}
		_ = theirs.Close()
		cuts := 0
		l := &lifeline{Conn: ours, cut: func() { cuts++ }}
		if _, err := far.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Read(make([]byte, 8)); err != nil || cuts != 0 {
			t.Errorf("read: %v, cut %d times", err, cuts)
		}
		c.end(ours, far)
		for range 2 {
			if _, err := l.Read(make([]byte, 8)); err == nil {
				t.Error("the control socket has not ended")
			}
		}
		if cuts != c.want {
			t.Errorf("cut %d times, want %d", cuts, c.want)
		}
		_, _ = ours.Close(), far.Close()
	}
}
