package wheel

import (
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
)

// ID returns the wheel's ID, which its events carry in Context.Wheel (W3).
func (d *Datagram) ID() kernel.WheelID { return d.src.ID() }

// Conn returns the socket, for its addresses and options. The wheel reads it,
// writes it and closes it.
func (d *Datagram) Conn() net.PacketConn { return d.conn }

func (d *Datagram) alive() bool { return !d.src.Closed() && !d.shut }

// Put sends packets: at once what the socket takes, the rest when it takes more.
// It never blocks, and takes all of them or, with an error, none: one that matches
// ErrClosed, ErrOutputFull, or kernel.ErrArgument for a packet whose Addr is nil
// where the socket has no peer, or set where it has one. A packet that cannot be
// sent is no error of Put; it comes as an ErrorEvent. Data is the caller's again
// when Put returns.
func (d *Datagram) Put(packets ...Packet) error {
	if !d.alive() || d.closing || d.reason != nil || d.out.err != nil {
		return closedError("Put", d.cause())
	}
	for i := range packets {
		if has := packets[i].Addr != nil; has && d.connected {
			return fmt.Errorf("wheel: Put: %w: packet %d is for %v, but the socket is connected (%w); leave Addr nil",
				kernel.ErrArgument, i, packets[i].Addr, net.ErrWriteToConnected)
		} else if !has && !d.connected {
			return fmt.Errorf("wheel: Put: %w: packet %d has no Addr, and the socket no peer; set it", kernel.ErrArgument, i)
		}
	}
	if err := d.out.put(packets); err != nil || len(packets) == 0 {
		return err
	}
	d.owesFlushed = d.cfg.FlushedEvent != ""
	if d.owesFlushed && !d.out.pending() {
		d.src.Wake()
	}
	d.watch()
	return nil
}

// cause is why nothing more is taken, nil for the owner's own doing.
func (d *Datagram) cause() error {
	if d.reason != nil {
		return d.reason
	}
	return d.out.err
}

// PauseInput stops input: no further packet is delivered, and what does not fit
// into the system's buffer is lost. The wheel still holds its session.
func (d *Datagram) PauseInput() {
	if d.alive() {
		d.in.paused = true
	}
}

// ResumeInput ends PauseInput.
func (d *Datagram) ResumeInput() {
	if d.alive() {
		d.in.paused = false
		d.src.Wake()
	}
}

// Buffered returns how many bytes of output are not sent yet.
func (d *Datagram) Buffered() int { return d.out.unsent() }

// CloseFlushed ends the wheel in good order: no further packet comes, what is
// queued is sent, the socket is closed, and CloseEvent is the last event. A unixgram
// peer that takes nothing can hold that up for ever: set a timer that calls Close.
func (d *Datagram) CloseFlushed() {
	if !d.alive() || d.closing {
		return
	}
	d.closing = true
	d.watch()
	d.src.Wake()
}

// Close ends the wheel and closes the socket at once. What is unsent is lost, and
// no further event comes (W2).
func (d *Datagram) Close() { d.src.Close() }
