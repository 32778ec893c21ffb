package wheel

import (
	"net"

	"github.com/usher-go/usher/kernel"
)

const (
	defaultMaxSize         = 64 << 10
	mostMaxSize            = 1 << 30
	defaultMaxPacketOutput = 1 << 20
)

// Packet is one datagram. A handler may keep it; Addr it must not change, because
// packets of one sender share it.
type Packet struct {
	Data []byte
	// Addr is the sender, or to whom to send: a *net.UDPAddr or *net.UnixAddr. It
	// is nil where the socket is connected to its one peer, and of a sender that
	// has no address (a unixgram socket that was not bound).
	Addr net.Addr
}

// DatagramConfig configures a Datagram. The zero value works; an event that is left
// empty is not sent.
type DatagramConfig struct {
	// InputEvent carries one packet. Without it nothing is read.
	InputEvent kernel.Event[Packet]

	// FlushedEvent says that the output has drained to empty: once each time, in a
	// turn of its own, also when Put itself could send everything, and whether or
	// not an ErrorEvent came of it.
	FlushedEvent kernel.Event[struct{}]

	// ErrorEvent carries what went wrong, Op "read" or "write". A packet that could
	// not be sent, what a network says of an earlier one (syscall.ECONNREFUSED from
	// a connected socket), and a packet over MaxSize (filter.ErrTooLong) are lost,
	// and the wheel goes on; a few errors end it.
	ErrorEvent kernel.Event[*Error]

	// CloseEvent is the wheel's last event: nil after CloseFlushed, else the *Error
	// that ended it. It does not follow the owner's Close.
	CloseEvent kernel.Event[error]

	// MaxSize is the length of the longest packet that is accepted, in bytes. A
	// longer one is an ErrorEvent and not a part of itself. Default 64 KiB, which
	// no UDP packet exceeds; 1 GiB at most, because reading takes a buffer of it.
	MaxSize int

	// MaxOutput bounds unsent output, in bytes; there are at most MaxOutput/64
	// packets in it. Default 1 MiB.
	MaxOutput int
}

func (cfg *DatagramConfig) fill() error {
	if err := fillLimit("DatagramConfig.MaxSize", &cfg.MaxSize, defaultMaxSize); err != nil {
		return err
	}
	if cfg.MaxSize > mostMaxSize {
		return misconfigured("DatagramConfig.MaxSize", "is %d; want 0 for the default of %d, or at most %d", cfg.MaxSize, defaultMaxSize, mostMaxSize)
	}
	return fillLimit("DatagramConfig.MaxOutput", &cfg.MaxOutput, defaultMaxPacketOutput)
}

// Datagram does the input and output of a socket for datagrams, which POE leaves
// to its user (W52). It reads and sends in its owner's turns, at most 64 packets
// in one. What has no room in the system's buffer for what came is lost, as ever
// with UDP; a unixgram sender waits instead. The wheel holds its session while it
// reads, paused or not, and while it has output.
//
// Its methods are for the handlers of the session that made it; none of them blocks.
type Datagram struct {
	cfg       DatagramConfig
	src       *kernel.Source
	conn      net.PacketConn
	connected bool // to one peer
	in        packetInput
	out       packetOutput

	closing     bool // CloseFlushed
	owesFlushed bool
	reason      *Error // why the wheel ends
	shut        bool
}

// NewDatagram makes a wheel of a datagram socket, bound or connected, which it
// closes in the end: the one that came with a SocketFactory's SuccessEvent, or what
// net.ListenPacket and net.Dial make. An error matches ErrConfig, and then the
// socket stays the caller's.
func NewDatagram(c *kernel.Context, conn net.PacketConn, cfg DatagramConfig) (*Datagram, error) {
	switch x := conn.(type) {
	case nil:
		return nil, misconfigured("conn", "is nil; use the one that came with a SuccessEvent")
	case *net.UnixConn:
		if n := x.LocalAddr().Network(); n != "unixgram" {
			return nil, misconfigured("conn", "is a %s socket; use NewReadWrite", n)
		}
	}
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	d := &Datagram{cfg: cfg, conn: conn}
	if p, ok := conn.(interface{ RemoteAddr() net.Addr }); ok {
		d.connected = p.RemoteAddr() != nil
	}
	d.src = c.NewSource("Datagram", d.turn, d.hangUp)
	port := packetPortOf(conn, cfg.MaxSize)
	d.in.init(port, d.src, cfg.MaxSize)
	d.out.init(port, d.src, cfg.MaxOutput)
	if !d.connected && conn.LocalAddr().Network() == "unixgram" {
		d.out.again = unixgramWait
	}
	port.tell(&d.in.waiter, &d.out.waiter)
	if d.reads() {
		d.src.Wake()
	}
	d.watch()
	return d, nil
}

func (d *Datagram) reads() bool { return d.cfg.InputEvent != "" && !d.closing && d.reason == nil }

// watch holds the session exactly while something may come (W11).
func (d *Datagram) watch() {
	if !d.shut {
		d.src.Watch(d.reads() || d.closing || d.out.pending())
	}
}

func (d *Datagram) turn(c *kernel.Context) {
	if !d.read(c) || !d.write(c) {
		return
	}
	if d.reason != nil || d.closing && !d.out.pending() {
		d.finish(c)
		return
	}
	d.watch()
}

// read delivers what came. False: the owner is to be told nothing more now.
func (d *Datagram) read(c *kernel.Context) bool {
	box := d.in.borrow()
	defer d.in.giveBack(box)
	for range maxRecords {
		if !d.reads() || !d.in.may() {
			return true
		}
		switch p, err := d.in.read(*box); {
		case err == ErrAgain:
			return true
		case err != nil:
			if !d.fail(c, "read", err) {
				return false
			}
		default:
			if d.connected {
				p.Addr = nil
			}
			if !d.src.Deliver(c, string(d.cfg.InputEvent), p) {
				return false
			}
		}
	}
	d.src.Wake()
	return true
}

// write sends, and tells what became of it. False: as with read.
func (d *Datagram) write(c *kernel.Context) bool {
	d.out.flush()
	for range maxRecords {
		err := d.out.takeTrouble()
		if err == nil {
			break
		}
		if !d.fail(c, "write", err) {
			return false
		}
	}
	if d.owesFlushed && d.reason == nil && !d.out.pending() {
		d.owesFlushed = false
		return d.src.Deliver(c, string(d.cfg.FlushedEvent), struct{}{})
	}
	return true
}

// fail tells of an error, which may be the wheel's end. False: as with read.
func (d *Datagram) fail(c *kernel.Context, op string, err error) bool {
	e := &Error{Op: op, Err: err, Wheel: d.src.ID()}
	if d.reason == nil && packetPolicy(op, err) == packetEnds {
		d.reason = e
	}
	return d.src.Deliver(c, string(d.cfg.ErrorEvent), e)
}

// finish is the wheel's end. The socket is closed when the owner hears of it.
func (d *Datagram) finish(c *kernel.Context) {
	d.hangUp()
	var reason error
	if d.reason != nil {
		reason = d.reason
	}
	d.src.Deliver(c, string(d.cfg.CloseEvent), reason)
	d.src.Close()
}

func (d *Datagram) hangUp() {
	if d.shut {
		return
	}
	d.shut = true
	d.out.stop()
	d.in.port.leave()
	_ = d.conn.Close()
}
