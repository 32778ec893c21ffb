package wheeltest

import (
	"net"
	"sync"
	"time"
)

// readiness is what connections of all kinds tell those who wait for them.
type readiness struct {
	n                  *Network
	closed             bool // by the owner
	readable, writable sync.Cond
	rd, wd             deadline
	onRead, onWrite    func()
	failed             func(op string, err error) error
}

func (r *readiness) init(n *Network, failed func(string, error) error) {
	r.n, r.failed = n, failed
	r.readable.L, r.writable.L = &n.mu, &n.mu
	r.rd.init(n, r.wakeReader)
	r.wd.init(n, r.wakeWriter)
}

// Notify is part of wheel.Pollable and wheel.PollablePacketConn.
func (r *readiness) Notify(readable, writable func()) {
	r.n.lock()
	defer r.n.unlock()
	if !r.closed {
		r.onRead, r.onWrite = readable, writable
	}
}

func (r *readiness) wakeReader() {
	r.readable.Broadcast()
	r.n.call(r.onRead)
}

func (r *readiness) wakeWriter() {
	r.writable.Broadcast()
	r.n.call(r.onWrite)
}

// end is the owner's Close: those who wait find it closed, and nobody else is told.
func (r *readiness) end() {
	r.closed, r.onRead, r.onWrite = true, nil, nil
	r.rd.set(never)
	r.wd.set(never)
	r.wakeReader()
	r.wakeWriter()
}

// SetDeadline is by the network's clock, like SetReadDeadline and SetWriteDeadline,
// and for calls that wait and calls that do not.
func (r *readiness) SetDeadline(t time.Time) error { return r.set(t, &r.rd, &r.wd) }

// SetReadDeadline is for reads.
func (r *readiness) SetReadDeadline(t time.Time) error { return r.set(t, &r.rd) }

// SetWriteDeadline is for writes.
func (r *readiness) SetWriteDeadline(t time.Time) error { return r.set(t, &r.wd) }

func (r *readiness) set(t time.Time, list ...*deadline) error {
	r.n.lock()
	defer r.n.unlock()
	if r.closed {
		return r.failed("set", net.ErrClosed)
	}
	for _, d := range list {
		d.set(t)
	}
	return nil
}
