//go:build unix

package prefork

import (
	"runtime"
	"time"
)

// WorkerStatus is one worker as the scoreboard shows it. Each field is a value
// that the worker wrote; they need not all be of the same moment.
type WorkerStatus struct {
	Slot        int       `json:"slot"`
	State       State     `json:"state"`
	Letter      string    `json:"letter"`
	PID         int       `json:"pid"`        // 0 until the worker has found its seat
	Life        uint64    `json:"life"`       // how many workers this slot has had
	Generation  int       `json:"generation"` // of the program it runs: 1, and one more with every reload
	Connections uint64    `json:"connections"`
	Requests    uint64    `json:"requests"`
	Started     time.Time `json:"started"`
	Changed     time.Time `json:"changed"`           // when State last changed
	Beat        time.Time `json:"beat"`              // last sign of life; in the future: it asked for patience (Worker.Extend)
	Request     string    `json:"request,omitempty"` // one that runs, as Worker.RequestBegan was told
	RSS         int64     `json:"rss,omitempty"`     // bytes of memory in use; only from Pool.Status, and 0 where the system does not tell
}

// assign makes a slot ready for its next worker. The master calls it before the
// spawn, when the last worker of the slot was reaped: nobody else writes then.
func (b *scoreboard) assign(slot int, life uint64, generation int, now time.Time) {
	b.write(slot, life, generation, StateStarting, now)
}

// vacate empties a slot whose worker was reaped. The worker could not do it
// itself: it may have been killed (P13, P21).
func (b *scoreboard) vacate(slot int, life uint64, now time.Time) {
	b.write(slot, life, 0, StateDead, now)
}

func (b *scoreboard) write(slot int, life uint64, generation int, state State, now time.Time) {
	l, at := &b.lines[slot], b.clock.encode(now)
	l.life.Store(life)
	l.generation.Store(uint64(generation))
	l.pid.Store(0)
	l.connections.Store(0)
	l.requests.Store(0)
	l.said.Store(0)
	l.started.Store(at)
	l.changed.Store(at)
	l.beat.Store(at)
	l.state.Store(uint64(state))
	runtime.KeepAlive(b)
}

// snapshot appends all slots to dst. Whatever a worker wrote there, a broken one
// included, the result is only data: an unknown state is its own State.
func (b *scoreboard) snapshot(dst []WorkerStatus) []WorkerStatus {
	for i := range b.lines {
		dst = append(dst, b.status(i))
	}
	return dst
}

func (b *scoreboard) status(slot int) WorkerStatus {
	l := &b.lines[slot]
	w := WorkerStatus{
		Slot:        slot,
		State:       State(min(l.state.Load(), uint64(states))),
		PID:         int(l.pid.Load()),
		Life:        l.life.Load(),
		Generation:  int(l.generation.Load()),
		Connections: l.connections.Load(),
		Requests:    l.requests.Load(),
		Started:     b.clock.decode(l.started.Load()),
		Changed:     b.clock.decode(l.changed.Load()),
		Beat:        b.clock.decode(l.beat.Load()),
		Request:     l.reads(),
	}
	runtime.KeepAlive(b)
	w.Letter = string(w.State.Letter())
	return w
}
