package wheel

import (
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// watched is a pipe's reading end that a poller of the test's own watches.
type watched struct {
	*descriptor
	read, write *os.File
	told        atomic.Int32
	more        chan struct{}
}

// wake stands for a waiter's.
func (w *watched) wake(func(*kernel.Source)) { w.told.Add(1); w.more <- struct{}{} }

func watchPipe(t *testing.T, p *poller) (*watched, ticket) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w := &watched{descriptor: new(descriptor), read: read, write: write, more: make(chan struct{}, 100)}
	w.tell(nil, nil)
	w.in = w
	t.Cleanup(func() { _ = read.Close(); _ = write.Close() })
	at, err := p.add(w.fd(), w.descriptor)
	if err != nil {
		t.Fatal(err)
	}
	return w, at
}

func (w *watched) fd() (n int) {
	raw, _ := w.read.SyscallConn()
	_ = raw.Control(func(fd uintptr) { n = int(fd) })
	return n
}

func (w *watched) await(t *testing.T) {
	t.Helper()
	select {
	case <-w.more:
	case <-time.After(30 * time.Second):
		t.Fatal("the poller said nothing")
	}
}

func (w *watched) send(t *testing.T) {
	t.Helper()
	if _, err := w.write.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
}

// gone waits for the poller's goroutine to have ended.
func (p *poller) gone(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; runtime.Gosched() {
		p.mu.Lock()
		over := p.file == nil
		p.mu.Unlock()
		if over {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the poller stays, with nothing to watch")
		}
	}
}

// Each change is told once (edges), and a descriptor that was ready before it was
// added is told, too.
func TestPoller_TellsEdges(t *testing.T) {
	var p poller
	w, at := watchPipe(t, &p)
	for range 3 {
		w.send(t) // nobody reads: each is an edge
		w.await(t)
	}
	_ = w.write.Close()
	w.await(t)
	if !w.behind.Load() {
		t.Error("the end of the pipe was not noted")
	}
	p.forget(at)
	p.gone(t)

	late, at := watchPipe(t, &p)
	p.take(late.fd())
	p.forget(at)
	late.send(t)
	at, err := p.add(late.fd(), late.descriptor)
	if err != nil {
		t.Fatal(err)
	}
	late.await(t)
	p.forget(at)
	p.gone(t)
}

// A ticket that was given back leads nowhere, and does not harm who has its slot now.
func TestPoller_TicketsAreNotReused(t *testing.T) {
	var p poller
	first, old := watchPipe(t, &p)
	p.forget(old) // but the descriptor is still under epoll, as when it was duplicated
	second, at := watchPipe(t, &p)
	if at.at != old.at || at.gen == old.gen {
		t.Fatalf("tickets %v and then %v; want the same slot and another generation", old, at)
	}
	p.forget(old)
	first.send(t)
	second.send(t)
	second.await(t) // its event lies behind the other one
	if n := first.told.Load(); n != 0 {
		t.Errorf("a ticket that was given back was told %d times", n)
	}
	second.send(t)
	second.await(t)
	p.forget(at)
	p.gone(t)
}

// The goroutine ends a moment after the last ticket, but not while somebody came.
func TestPoller_LingersAndEnds(t *testing.T) {
	var p poller
	_, at := watchPipe(t, &p)
	p.mu.Lock()
	file := p.file
	p.mu.Unlock()
	for range 20 {
		p.forget(at)
		_, at = watchPipe(t, &p)
	}
	p.mu.Lock()
	if p.file != file {
		t.Error("descriptors that come one at a time cost an instance each")
	}
	_ = p.file.SetReadDeadline(time.Now()) // as if the time had come just before the last was added
	p.mu.Unlock()
	w, last := watchPipe(t, &p)
	w.send(t)
	w.await(t)
	p.forget(at)
	p.forget(last)
	p.gone(t)
	if p.n != 0 || len(p.free) != len(p.slots) {
		t.Errorf("%d watched, %d of %d slots free", p.n, len(p.free), len(p.slots))
	}
}

// What cannot be watched takes no slot, and does not keep the goroutine.
func TestPoller_RefusesWhatIsAlwaysReady(t *testing.T) {
	var p poller
	f, err := os.Open("poller_linux_test.go")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := p.add(int(f.Fd()), new(descriptor)); err == nil {
		t.Fatal("a plain file was taken")
	}
	if p.n != 0 || len(p.free) != len(p.slots) {
		t.Errorf("%d watched, %d of %d slots free", p.n, len(p.free), len(p.slots))
	}
	p.gone(t)
}
