package cluster

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"

	"github.com/usher-go/usher/components/cluster/wire"
)

// Packets arrive in order, all of them, in both directions at a time.
func TestRemote_InOrder(t *testing.T) {
	const packets = remotePackets
	var nodes [2]*remoteNode
	done := make(chan int, 2)
	for i := range nodes {
		var last uint64
		nodes[i] = startRemote(t, remoteConfig{}, func(p *wire.Packet) {
			if last++; p.First != last {
				t.Errorf("packet %d, want %d", p.First, last)
			}
			if last == packets {
				done <- i
			}
		})
	}
	for i, n := range nodes {
		go func() {
			for first := range uint64(packets) {
				n.Send(nodes[1-i].address, &wire.Packet{First: first + 1, Frames: []byte("frame")})
			}
		}()
	}
	late := time.After(2 * remotePatience)
	for range nodes {
		select {
		case <-done:
		case <-late:
			t.Fatal("not all packets arrive")
		}
	}
	for i, n := range nodes {
		if at := n.next("connected").who; at != nodes[1-i].address {
			t.Errorf("connected to %s", at)
		}
		n.silent()
	}
}

// What is fetched goes in order with what is handed over, and each source is asked until
// it has nothing more.
func TestRemote_Pull(t *testing.T) {
	const packets = 100
	done := make(chan struct{})
	var last uint64
	b := startRemote(t, remoteConfig{}, func(p *wire.Packet) {
		if last++; p.First != last {
			t.Errorf("packet %d, want %d", p.First, last)
		}
		if last == 2*packets {
			close(done)
		}
	})
	a := startRemote(t, remoteConfig{})
	for first := uint64(1); first <= packets; first++ {
		number := 2*first - 1
		given := false
		a.Pull(b.address, func() *wire.Packet {
			if given = !given; given {
				return &wire.Packet{First: number, Count: uint32(number % 3)}
			}
			return nil
		})
		a.Send(b.address, &wire.Packet{First: number + 1})
	}
	select {
	case <-done:
	case <-time.After(remotePatience):
		t.Fatalf("not all packets arrive\n%s", remoteStacks())
	}
	if at := a.next("connected").who; at != b.address {
		t.Errorf("connected to %s", at)
	}
	a.silent()
}

// A source that is forgotten is told as a loss, like a packet.
func TestRemote_PullInARest(t *testing.T) {
	a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{})
	b.stop()
	for range 2 { // the second one falls into the rest
		a.Pull(b.address, func() *wire.Packet { return nil })
		a.next("broken")
	}
}

// Wake ends a rest, and whatever else there is it leaves alone.
func TestRemote_WakeInARest(t *testing.T) {
	a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{})
	a.Wake(b.address)
	reach(t, a, b)
	a.Wake(b.address)
	a.silent()
	b.stop()
	a.until("broken")
	for range 4 { // rests grow
		a.Send(b.address, hello("a"))
		a.until("broken")
	}
	b = startRemote(t, remoteConfig{Listen: b.address})
	a.Wake(b.address)
	a.Send(b.address, hello("a"))
	a.next("connected")
	b.next("received")
}

// Pitfall: after a peer's end packets are lost in silence. Each end is told, and the
// peer is found again at the same address.
func TestRemote_PeerEndsAndIsBack(t *testing.T) {
	a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{})
	reach(t, a, b)
	for range 3 {
		b.stop()
		if n := a.until("broken"); n.who != b.address {
			t.Errorf("broken: %s", n.who)
		}
		b = startRemote(t, remoteConfig{Listen: b.address})
		reach(t, a, b)
	}
}

// Every packet that a broken link has lost is followed by Broken.
func TestRemote_SilentLoss(t *testing.T) {
	var got atomic.Uint64
	a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{}, func(p *wire.Packet) { got.Store(p.First) })
	var sent uint64
	for broken := false; !broken; {
		sent++
		a.Send(b.address, &wire.Packet{First: sent, Frames: make([]byte, 1000)})
		if sent == 2000 {
			go b.stop()
		}
		select {
		case n := <-a.news:
			broken = n.what == "broken"
		default:
		}
	}
	if sent < 2000 || got.Load() > sent {
		t.Errorf("broken after %d packets, of which %d arrived", sent, got.Load())
	}
	// What is lost while the path rests is told of when it has rested, and a later
	// attempt's failure by itself.
	for range 3 {
		a.Send(b.address, hello("a"))
		a.next("broken")
	}
}

// Pitfall: Proto.Actor sleeps for two seconds after each try, ten in all, and leaks a
// ClientConn each time.
func TestRemote_NobodyThere_NoSleepNoLeak(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	a := startRemote(t, remoteConfig{})
	begun := time.Now()
	a.Send(nobody, hello("a"))
	if n := a.next("broken"); n.who != nobody {
		t.Errorf("broken: %s", n.who)
	}
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("told after %v", took)
	}
	rests := []time.Duration{}
	for range 5 {
		a.Send(nobody, hello("a")) // while it rests
		a.next("broken")           // when it has rested
		rests = append(rests, time.Since(begun))
		begun = time.Now()
		a.Send(nobody, hello("a"))
		a.next("broken")
	}
	if rests[0] > 10*time.Second || rests[4] < 800*time.Millisecond {
		t.Errorf("rests of %v, want growing ones from 100 ms to 2 s", rests)
	}
	noConnections(t)
	a.stop()
	noGoroutines(t)
}

// noConnections waits until there is no goroutine of a gRPC client.
func noConnections(t *testing.T) {
	t.Helper()
	gone(t, "grpc.(*addrConn)", "newHTTP2Client", "grpc/internal/grpcsync.(*CallbackSerializer)")
}

// Pitfall: a peer that accepts and says nothing keeps the writer for ever.
func TestRemote_BlackHole(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := startRemote(t, remoteConfig{})
	a.Send(l.Addr().String(), hello("a"))
	a.next("broken")
	a.stop()
	noGoroutines(t)
}

// silentServer is a peer that takes streams and says nothing.
type silentServer struct {
	remote.UnimplementedRemotingServer
	say []*remote.RemoteMessage
}

func (s silentServer) Receive(stream remote.Remoting_ReceiveServer) error {
	for _, m := range s.say {
		_ = stream.Send(m)
	}
	<-stream.Context().Done()
	return nil
}

// Pitfall: a peer that does not answer the greeting, or says anything else, or that it
// blocks this one, is waited for or taken for connected.
func TestRemote_StrangeAnswer(t *testing.T) {
	a := startRemote(t, remoteConfig{})
	answer := func(r *remote.ConnectResponse) *remote.RemoteMessage {
		return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: r}}
	}
	good := answer(&remote.ConnectResponse{})
	for name, c := range map[string]struct {
		say  []*remote.RemoteMessage
		want error
		met  bool
	}{
		"none":     {nil, errNoAnswer, false},
		"greeting": {[]*remote.RemoteMessage{greeting("x")}, ErrRefused, false},
		"blocked":  {[]*remote.RemoteMessage{answer(&remote.ConnectResponse{Blocked: true})}, ErrRefused, false},
		"leaves":   {[]*remote.RemoteMessage{good, {MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}}}, errLeaving, true},
		"twice":    {[]*remote.RemoteMessage{good, good}, errLeaving, true},
		"much":     {[]*remote.RemoteMessage{good, batch(t, "x", func(b *remote.MessageBatch) { b.Envelopes[0].MessageData = make([]byte, 1<<20) })}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := grpc.NewServer()
			remote.RegisterRemotingServer(s, silentServer{say: c.say})
			go func() { _ = s.Serve(l) }()
			defer s.Stop()
			a.Send(l.Addr().String(), hello("a"))
			if c.met {
				a.next("connected")
			}
			if n := a.next("broken"); c.want != nil && !errors.Is(n.err, c.want) {
				t.Errorf("broken: %v, want %v", n.err, c.want)
			}
			a.Drop(l.Addr().String())
		})
	}
	noConnections(t)
}

// What was sent before Close arrives, if the peer is connected and takes it.
func TestRemote_CloseSendsWhatIsQueued(t *testing.T) {
	const packets = 1000
	a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{})
	reach(t, a, b)
	for range packets {
		a.Send(b.address, hello("last words"))
	}
	a.stop()
	for range packets {
		b.next("received")
	}
	b.silent()
}

// Drop ends a connection at once, and the next packet makes another.
func TestRemote_Drop(t *testing.T) {
	a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{})
	for range 20 {
		a.Send(b.address, hello("a"))
		a.next("connected")
		b.next("received")
		a.Drop(b.address)
	}
	for range 200 { // before it is connected, too
		a.Send(b.address, hello("lost, maybe"))
		a.Drop(b.address)
	}
	a.Send(b.address, hello("last"))
	for b.until("received").who != "last" {
	}
	a.Drop(b.address)
	noConnections(t)
	if a.path(b.address, false) != nil {
		t.Error("the address is still remembered")
	}
}

// A connection can be dropped while it is full, or being made.
func TestRemote_DropWhileBlocked(t *testing.T) {
	block := make(chan struct{})
	a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{}, func(*wire.Packet) { <-block })
	t.Cleanup(func() { close(block) })
	for range 100 {
		a.Send(b.address, &wire.Packet{Frames: make([]byte, 1<<20)})
	}
	a.next("connected")
	a.Drop(b.address)
	noConnections(t)
}

// Pitfall: Shutdown(true) races with senders. Close does not, and leaves nothing.
func TestRemote_CloseWhileSending(t *testing.T) {
	for range 10 {
		a, b := startRemote(t, remoteConfig{}), startRemote(t, remoteConfig{})
		stop, ended := make(chan struct{}), make(chan struct{}, 4)
		for i := range 4 {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			go func() {
				defer func() { ended <- struct{}{} }()
				pace := time.NewTicker(100 * time.Microsecond)
				defer pace.Stop()
				for n := 1; ; n++ {
					select {
					case <-stop:
						return
					case <-pace.C:
						from.Send(to.address, hello("x"))
					}
					if i == 3 && n%10 == 0 {
						from.Drop(to.address)
					}
				}
			}()
		}
		b.until("received")
		a.stop()
		a.stop()
		left := len(a.news)
		b.until("broken")
		b.stop()
		if len(a.news) != left {
			t.Error("the Carrier is called after Close")
		}
		close(stop)
		for range 4 {
			<-ended
		}
	}
	noGoroutines(t)
}
