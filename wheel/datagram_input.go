package wheel

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// packetInput is input for packets.
type packetInput struct {
	waiter
	port   packetPort
	max    int // the longest packet
	paused bool
}

func (in *packetInput) init(p packetPort, src *kernel.Source, most int) {
	in.port, in.src, in.max = p, src, most
}

func (in *packetInput) may() bool { return !in.paused && !in.waits.Load() }

// read says that it waits before it tries, so that no call of ready is missed. buf
// has a byte more than a packet may have.
func (in *packetInput) read(buf []byte) (Packet, error) {
	in.waits.Store(true)
	n, from, err := in.port.tryRead(buf)
	if err == ErrAgain {
		return Packet{}, err
	}
	in.waits.Store(false)
	switch {
	case err != nil:
		return Packet{}, err
	case n > in.max:
		return Packet{}, fmt.Errorf("%w: a packet of more than MaxSize, %d bytes, from %v; raise it", filter.ErrTooLong, in.max, from)
	}
	return Packet{Data: bytes.Clone(buf[:n]), Addr: from}, nil
}

// packetBuffers are borrowed for a turn: a socket where nothing happens has none.
var packetBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (in *packetInput) borrow() *[]byte {
	box := packetBuffers.Get().(*[]byte)
	if cap(*box) <= in.max {
		*box = make([]byte, in.max+1)
	}
	*box = (*box)[:in.max+1]
	return box
}

func (in *packetInput) giveBack(box *[]byte) {
	if cap(*box) <= 2*defaultMaxSize {
		packetBuffers.Put(box)
	}
}
