package wheel

import (
	"net"
	"time"

	"github.com/usher-go/usher/kernel"
)

// idle watches for silence. A nil one does not.
type idle struct {
	src   *kernel.Source
	limit time.Duration
	since time.Time // the last byte
	moved uint64    // bytes in and out by then
	alarm *alarm
}

// idleTimeout is the limit for a connection: the configured one, or its own.
func idleTimeout(conn net.Conn, configured time.Duration) time.Duration {
	if own, ok := conn.(interface{ IdleTimeout() time.Duration }); ok && configured == 0 {
		return own.IdleTimeout()
	}
	return configured
}

// newIdle replaces old, whose silence does not count.
func newIdle(src *kernel.Source, limit time.Duration, old *idle) *idle {
	old.stop()
	if limit <= 0 {
		return nil
	}
	i := &idle{src: src, limit: limit}
	i.begin()
	return i
}

// begin has the silence begin now.
func (i *idle) begin() {
	if i == nil {
		return
	}
	i.since = i.src.Kernel().Now()
	i.alarm.stop()
	i.alarm = newAlarm(i.src, i.limit)
}

// touch is for whatever may have moved bytes.
func (i *idle) touch(in *input, out *output) {
	if i == nil || in.moved+out.moved == i.moved {
		return
	}
	i.moved, i.since = in.moved+out.moved, i.src.Kernel().Now()
}

// tooLong reports whether the limit is reached. One alarm serves many bytes: when it
// rings, what moved meanwhile puts the next one off.
func (i *idle) tooLong(paused bool) bool {
	if i == nil || paused || !i.alarm.rung() {
		return false
	}
	left := i.limit - i.src.Kernel().Now().Sub(i.since)
	if left <= 0 {
		return true
	}
	i.alarm = newAlarm(i.src, left)
	return false
}

func (i *idle) stop() {
	if i != nil {
		i.alarm.stop()
	}
}
