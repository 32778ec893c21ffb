package gate_test

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/usher-go/usher/components/internal/gate"
)

// Accept waits for who is admitted, takes all of them in their order, and ends.
func TestShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := &net.TCPAddr{Port: 80}
		g := gate.New(at)
		if g.Addr() != at {
			t.Errorf("Addr is %v", g.Addr())
		}
		var got []net.Conn
		ended := make(chan error, 2)
		for range 2 {
			go func() {
				for {
					nc, err := g.Accept()
					if err != nil {
						ended <- err
						return
					}
					got = append(got, nc)
				}
			}()
			synctest.Wait()
		}
		a, b := net.Pipe()
		for _, nc := range []net.Conn{a, b} {
			g.Admit(nc)
			synctest.Wait()
		}
		if len(got) != 2 || got[0] != a || got[1] != b {
			t.Errorf("accepted %v", got)
		}
		g.Shut()
		for range 2 {
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
	})
}

// Each that comes is taken by one who waits, also if all of them come at once.
func TestEachHasAnAcceptor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, _ := net.Pipe()
		for range 500 {
			const all = 3
			g := gate.New(nil)
			var taken atomic.Int32
			for range all {
				go func() {
					if _, err := g.Accept(); err == nil {
						taken.Add(1)
					}
				}()
				go g.Admit(nc)
			}
			synctest.Wait()
			if n := taken.Load(); n != all {
				t.Fatalf("%d of %d were accepted", n, all)
			}
		}
	})
}

func TestShutLeavesNobodyBehind(t *testing.T) {
	g := gate.New(nil)
	a, _ := net.Pipe()
	g.Admit(a)
	g.Shut()
	if nc, err := g.Accept(); nc != a || err != nil {
		t.Errorf("%v, %v", nc, err)
	}
	if _, err := g.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// Who waits when a Gate is closed, or comes afterwards, is not left hanging.
func TestCloseHangsUp(t *testing.T) {
	g := gate.New(nil)
	before, peer := net.Pipe()
	g.Admit(before)
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	after, other := net.Pipe()
	g.Admit(after)
	for _, p := range []net.Conn{peer, other} {
		if _, err := p.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read: %v", err)
		}
	}
	if _, err := g.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
