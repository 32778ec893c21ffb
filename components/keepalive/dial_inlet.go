package keepalive

import (
	"net"
	"sync"

	"github.com/usher-go/usher/kernel"
)

// inlet is where other goroutines leave word for the pool, which takes each in a
// turn of its own, in the order in which they came.
type inlet struct {
	src *kernel.Source

	mu   sync.Mutex
	came []word
	over bool // the pool has ended
}

// word is something to be done in the pool's turn. A connection that it brings is
// closed when there is no turn any more.
type word struct {
	take func(*kernel.Context)
	conn net.Conn
}

// put does not block.
func (in *inlet) put(w word) {
	if in.add(w) {
		in.src.Wake()
	} else {
		w.drop()
	}
}

func (in *inlet) add(w word) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.over {
		in.came = append(in.came, w)
	}
	return !in.over
}

// turn takes one word at a time, so that none is lost when one ends the pool.
func (in *inlet) turn(c *kernel.Context) {
	for w, ok := in.next(); ok; w, ok = in.next() {
		w.take(c)
	}
}

func (in *inlet) next() (w word, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.came) == 0 {
		in.came = nil
		return word{}, false
	}
	w, in.came[0] = in.came[0], word{}
	in.came = in.came[1:]
	return w, true
}

// close is the end of the pool.
func (in *inlet) close() {
	in.mu.Lock()
	came := in.came
	in.came, in.over = nil, true
	in.mu.Unlock()
	for _, w := range came {
		w.drop()
	}
}

func (w word) drop() {
	if w.conn != nil {
		hangUp(w.conn)
	}
}
