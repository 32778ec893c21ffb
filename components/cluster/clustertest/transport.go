package clustertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// transport carries packets over streams of the world's network, one for each
// direction, which the sender dials. What the network tells it becomes a job; jobs are
// done, one at a time, in the machine's turns, so that nothing happens while that is
// paused, and nothing inside its handlers but while they wait.
type transport struct {
	life     *life
	host     wheeltest.Host
	carrier  cluster.Carrier
	listener *wheeltest.Listener
	senders  map[string]*sender
	streams  map[*receiver]struct{}
	accepted int
	jobs     []func()
	closed   bool
}

var _ cluster.Driver = (*transport)(nil)

func newTransport(l *life) *transport {
	return &transport{
		life: l, host: l.m.w.net.On(l.m.name),
		senders: make(map[string]*sender), streams: make(map[*receiver]struct{}),
		closed: l.over.Load(),
	}
}

// Start is part of cluster.Transport. The address is Machine.Address.
func (t *transport) Start(ctx context.Context, c cluster.Carrier) (string, error) {
	at := t.life.m.Address()
	if t.closed || t.carrier != nil {
		return "", fmt.Errorf("clustertest: start at %s: %w", at, ErrStarted)
	}
	l, err := t.host.Listen(ctx, "tcp", at)
	if err != nil {
		return "", err
	}
	t.carrier, t.listener = c, l.(*wheeltest.Listener)
	t.listener.Notify(func() { t.later(t.accept) })
	return at, nil
}

// Send is part of cluster.Transport; in simulated time it is for the goroutine of the
// world.
func (t *transport) Send(address string, p *wire.Packet) {
	if t.closed || t.carrier == nil {
		return
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	if err != nil || len(data) > maxPacket {
		panic(fmt.Sprintf("clustertest: a packet of %d bytes to %s: %v; want what can be encoded, up to %d bytes", len(data), address, err, maxPacket))
	}
	s := t.senders[address]
	if s == nil {
		s = &sender{t: t, to: address}
		t.senders[address] = s
	}
	s.send(frame(data))
}

// Drop is part of cluster.Transport. Broken is not called for it. What is on its way
// already may arrive late, even behind what is sent anew.
func (t *transport) Drop(address string) {
	if s := t.senders[address]; s != nil {
		delete(t.senders, address)
		s.close(true)
	}
}

// Wake has the next packet dial, as the default Transport does when the other node is
// heard of.
func (t *transport) Wake(address string) {
	if s := t.senders[address]; s != nil {
		s.rest = 0
	}
}

// Close is part of cluster.Transport. What the connections take is still sent.
func (t *transport) Close() error {
	if t.closed {
		return nil
	}
	t.closed, t.jobs = true, nil
	if t.listener != nil {
		_ = t.listener.Close()
	}
	for _, to := range slices.Sorted(maps.Keys(t.senders)) {
		t.senders[to].close(false)
	}
	for _, r := range t.open() {
		r.close()
	}
	return nil
}

// vanish is the end of the process: the network ends what was open.
func (t *transport) vanish() {
	t.closed, t.jobs = true, nil
	for _, to := range slices.Sorted(maps.Keys(t.senders)) {
		t.senders[to].gone = true
		t.senders[to].stopTimer()
	}
}

// Drive is part of cluster.Driver.
func (t *transport) Drive(done func() bool) error { return t.life.m.w.wait(t.life, done) }

// later adds a job.
func (t *transport) later(job func()) {
	if !t.closed {
		t.jobs = append(t.jobs, job)
	}
}

// turn does one job, and reports whether there was one.
func (t *transport) turn() bool {
	if len(t.jobs) == 0 {
		return false
	}
	job := t.jobs[0]
	t.jobs = slices.Delete(t.jobs, 0, 1)
	job()
	return true
}

// accept takes who has come, and lets no stranger in.
func (t *transport) accept() {
	c, err := t.listener.TryAccept()
	if errors.Is(err, wheel.ErrAgain) {
		return
	}
	t.later(t.accept)
	if err != nil {
		return // for want of something that may be there next time
	}
	conn := c.(*wheeltest.Conn)
	if m := t.life.m.w.machineAt(conn.RemoteAddr()); m != nil {
		t.receive(conn, m)
		return
	}
	t.refuse(conn, ErrStranger)
}

// refuse throws a peer out.
func (t *transport) refuse(conn *wheeltest.Conn, err error) {
	peer := conn.RemoteAddr()
	discard(conn)
	t.carrier.Refused(peer.String(), fmt.Errorf("clustertest: %v at %s: %w", peer, t.life.m.name, err))
}

// discard resets a connection.
func discard(c net.Conn) {
	_ = c.(*wheeltest.Conn).SetLinger(0)
	_ = c.Close()
}
