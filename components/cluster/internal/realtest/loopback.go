//go:build linux

package realtest

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"sync"
	"testing"
)

// Loopback has each node listen on a loopback address of its own, behind a proxy: that
// is what the others dial, and what has bytes wait when one of both is cut off, as in a
// network that swallows packets. It needs no privileges.
type Loopback struct {
	listen, advertise map[string]string // by node
	listeners         []net.Listener

	mu     sync.Mutex
	turn   *sync.Cond
	cut    map[string]bool
	conns  map[net.Conn]bool
	closed bool
}

var _ Net = (*Loopback)(nil)

// NewLoopback is ready for nodes of these names.
func NewLoopback(t *testing.T, names ...string) *Loopback {
	l := &Loopback{listen: map[string]string{}, advertise: map[string]string{}, cut: map[string]bool{}, conns: map[net.Conn]bool{}}
	l.turn = sync.NewCond(&l.mu)
	t.Cleanup(l.close)
	for i, name := range names {
		ln := l.open(t, i)
		l.listeners = append(l.listeners, ln)
		free := l.open(t, i)
		free.Close()
		l.listen[name] = free.Addr().String()
		l.advertise[name] = ln.Addr().String()
	}
	for i, name := range names {
		go l.accept(l.listeners[i], name)
	}
	return l
}

// NewDirect is a Loopback without proxies, in which nobody can be cut off.
func NewDirect(t *testing.T, names ...string) *Loopback {
	l := NewLoopback(t)
	for i, name := range names {
		free := l.open(t, i)
		free.Close()
		l.listen[name], l.advertise[name] = free.Addr().String(), free.Addr().String()
	}
	return l
}

func (l *Loopback) open(t *testing.T, i int) net.Listener {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", i+1))
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// Addresses is where a node listens, and its proxy.
func (l *Loopback) Addresses(name string) (listen, advertise string) {
	return l.listen[name], l.advertise[name]
}

func (l *Loopback) Certificate(string) (ca, cert, key string) { return "", "", "" }

func (l *Loopback) Command(_, program string) *exec.Cmd { return exec.Command(program) }

func (l *Loopback) Cut(name string)  { l.set(name, true) }
func (l *Loopback) Heal(name string) { l.set(name, false) }

func (l *Loopback) set(name string, cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut[name] = cut
	l.turn.Broadcast()
}

func (l *Loopback) close() {
	for _, ln := range l.listeners {
		ln.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for c := range l.conns {
		c.Close()
	}
	l.turn.Broadcast()
}

func (l *Loopback) keep(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = true
	if l.closed {
		c.Close()
	}
}

// way is a connection between two nodes. Who has opened it shows when he greets.
type way struct {
	l        *Loopback
	from, to string
}

func (l *Loopback) accept(ln net.Listener, to string) {
	for {
		near, err := ln.Accept()
		if err != nil {
			return
		}
		l.keep(near)
		w := &way{l: l, to: to}
		go func() {
			w.pass()
			far, err := net.Dial("tcp", l.listen[to])
			if err != nil {
				l.drop(near)
				return
			}
			l.keep(far)
			go w.copy(near, far, nil)
			w.copy(far, near, w.greeted())
		}()
	}
}

// pass waits while one of both is cut off.
func (w *way) pass() {
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	for (w.l.cut[w.to] || w.l.cut[w.from]) && !w.l.closed {
		w.l.turn.Wait()
	}
}

func (l *Loopback) drop(list ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range list {
		c.Close()
		delete(l.conns, c)
	}
}

func (w *way) copy(to, from net.Conn, look func([]byte)) {
	defer w.l.drop(to, from)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if look != nil {
			look(buf[:n])
		}
		w.pass()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// greeted looks for the address of who has opened the connection: Proto.Actor's
// remote begins with it.
func (w *way) greeted() func([]byte) {
	var tail []byte
	known := false
	return func(b []byte) {
		if known {
			return
		}
		tail = append(tail, b...)
		for name, address := range w.l.advertise {
			if name != w.to && bytes.Contains(tail, []byte(address)) {
				known = true
				w.l.mu.Lock()
				w.from = name
				w.l.mu.Unlock()
				return
			}
		}
		tail = bytes.Clone(tail[max(0, len(tail)-len("127.0.0.1:65535")):])
	}
}
