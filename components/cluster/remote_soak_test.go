package cluster

import (
	"io"
	"net"
	"os"
	"testing"
)

// Pitfall: nothing notices a peer that hangs. Between two nodes that say nothing a link
// freezes: the one that was connected to drops the connection in four seconds, the other
// in twelve, as gRPC's clients may not ask sooner.
func TestRemoteSoak_FrozenLink(t *testing.T) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes 12 s; set USHER_SOAK=1")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	frozen := make(chan struct{})
	go freezer(l, free.Addr().String(), frozen)
	b := startRemote(t, remoteConfig{Listen: free.Addr().String(), Advertise: l.Addr().String()})
	a := startRemote(t, remoteConfig{})
	a.Send(b.address, hello("a"))
	a.next("connected")
	close(frozen)
	a.next("broken")
	b.door.mu.Lock()
	defer b.door.mu.Unlock()
	if n := len(b.door.guests); n != 0 {
		t.Errorf("%d connections are left at the other end", n)
	}
}

// freezer passes one connection on, until it is frozen.
func freezer(l net.Listener, to string, frozen chan struct{}) {
	in, err := l.Accept()
	if err != nil {
		return
	}
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	pass := func(to io.Writer, from io.Reader) {
		for buf := make([]byte, 1000); ; {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			select {
			case <-frozen:
			default:
				_, _ = to.Write(buf[:n])
			}
		}
	}
	go pass(in, out)
	go pass(out, in)
}
