package wheel

import (
	"github.com/usher-go/usher/kernel"
)

// input is one direction of a wheel. It reads in the owner's turn, decodes
// nothing, and keeps nothing: what it reads the filter has at once.
type input struct {
	waiter
	port   port
	credit int   // how much may be read at once
	over   error // reading has ended
	paused bool
	moved  uint64 // bytes read so far
}

func (in *input) init(p port, src *kernel.Source) { in.port, in.src = p, src }

// refill feeds f what one read gives. False: nothing came.
func (in *input) refill(f feeder) bool {
	if in.paused || in.over != nil || in.waits.Load() {
		return false
	}
	box := readBuffers.Get().(*[]byte)
	n := in.read((*box)[:min(readSize, in.credit)])
	if n > 0 {
		f.feed((*box)[:n])
	}
	readBuffers.Put(box)
	return n > 0
}

// read says that it waits before it tries, so that no call of ready is missed.
func (in *input) read(p []byte) int {
	in.waits.Store(true)
	n, err := in.port.TryRead(p)
	in.moved += uint64(n)
	if err != ErrAgain {
		in.waits.Store(false)
		in.over = err
	}
	return n
}

// discard reads and forgets, a turn's share at most. True: reading has ended.
func (in *input) discard() bool {
	box := readBuffers.Get().(*[]byte)
	defer readBuffers.Put(box)
	for range maxRecords {
		if in.over != nil || in.waits.Load() {
			return in.over != nil
		}
		in.read(*box)
	}
	in.src.Wake()
	return false
}

// ended returns why reading is over.
func (in *input) ended() error { return in.over }
