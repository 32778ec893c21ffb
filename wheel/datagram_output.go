package wheel

import (
	"bytes"
	"fmt"
	"time"

	"github.com/usher-go/usher/kernel"
)

// packetOutput is output for packets. All of it happens in the owner's turn.
type packetOutput struct {
	waiter
	port    packetPort
	max     int
	queue   []Packet
	bytes   int     // in queue
	trouble []error // the owner does not know yet: maxRecords at most
	err     error   // nothing can be sent any more

	again time.Duration // try again after this, because the system may not say when
	retry *alarm
}

// leastPacket is what MaxOutput has for each packet, at least.
const leastPacket = 64

// unixgramWait is for a socket that is not connected: that the receiver has room
// is not told to those who wait for it (unix_dgram_poll of Linux looks at the
// connected peer only).
const unixgramWait = 20 * time.Millisecond

func (o *packetOutput) init(p packetPort, src *kernel.Source, most int) {
	o.port, o.src, o.max = p, src, most
}

// put sends packets or queues them; their data is not kept.
func (o *packetOutput) put(packets []Packet) error {
	more := 0
	for i := range packets {
		more += len(packets[i].Data)
	}
	if unsent := o.unsent(); more > o.max-unsent || len(o.queue)+len(packets) > max(1, o.max/leastPacket) {
		return fmt.Errorf("wheel: Put: %w: %d bytes in %d packets queued, and %d in %d more exceed DatagramConfig.MaxOutput, %d; wait for FlushedEvent, or raise it",
			ErrOutputFull, unsent, len(o.queue), more, len(packets), o.max)
	}
	for _, p := range packets {
		if len(o.queue) > 0 || !o.send(p) {
			p.Data = bytes.Clone(p.Data)
			o.queue = append(o.queue, p)
			o.bytes += len(p.Data)
		}
	}
	return nil
}

// send reports whether nothing is left to do about a packet. It says that it waits
// before it tries, so that no call of ready is missed.
func (o *packetOutput) send(p Packet) bool {
	if o.err != nil {
		return true
	}
	if len(o.trouble) >= maxRecords {
		return false
	}
	o.waits.Store(true)
	err := o.port.tryWrite(p)
	if err == ErrAgain {
		if o.again > 0 {
			o.retry.stop()
			o.retry = newAlarm(o.src, o.again)
		}
		return false
	}
	if busy, _ := o.port.written(); !busy {
		o.waits.Store(false)
	}
	o.note(err)
	return true
}

// note keeps an error for the owner.
func (o *packetOutput) note(err error) {
	if err == nil {
		return
	}
	o.trouble = append(o.trouble, err)
	if packetPolicy("write", err) == packetEnds {
		o.err, o.queue, o.bytes = err, nil, 0
	}
	o.src.Wake()
}

func (o *packetOutput) takeTrouble() error {
	if len(o.trouble) == 0 {
		return nil
	}
	err := o.trouble[0]
	if o.trouble = o.trouble[1:]; len(o.trouble) == 0 {
		o.src.Wake() // there is room for more
	}
	return err
}

// flush is for the owner's turn: it goes on with what is queued, a turn's share.
func (o *packetOutput) flush() {
	if o.retry.rung() && len(o.queue) > 0 {
		o.retry = nil
		o.waits.Store(false)
	}
	free := !o.waits.Load()
	o.note(o.port.failed())
	for n := 0; free && len(o.queue) > 0; n++ {
		if n == maxRecords {
			o.src.Wake()
			return
		}
		if !o.send(o.queue[0]) {
			return
		}
		if len(o.queue) == 0 {
			return // it was dropped
		}
		o.bytes -= len(o.queue[0].Data)
		o.queue[0] = Packet{}
		if o.queue = o.queue[1:]; len(o.queue) == 0 {
			o.queue = nil
		}
	}
}

// unsent is how many bytes were put and are not written.
func (o *packetOutput) unsent() int {
	_, behind := o.port.written()
	return o.bytes + behind
}

// pending reports whether there is something left to do, or to tell.
func (o *packetOutput) pending() bool {
	busy, _ := o.port.written()
	return len(o.trouble) > 0 || o.err == nil && (busy || len(o.queue) > 0)
}

func (o *packetOutput) stop() { o.retry.stop() }
