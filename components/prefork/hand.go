//go:build unix

package prefork

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// hand is a worker process with its control socket, as the master holds it.
type hand struct {
	life    uint64
	process *process
	ready   bool // it has said so
	control *controlWheel
	lease   *kernel.Lease // until it was reaped
}

// exit is how a worker ended.
type exit struct {
	slot  int
	life  uint64
	state *os.ProcessState
	err   error // the system could not tell
}

// hire starts a worker. Its end comes as evExited, perhaps before hire returns.
func (s *spawner) hire(c *kernel.Context, slot int, life uint64, generation int) (*hand, error) {
	lease := c.Lease(fmt.Sprintf("worker in slot %d", slot))
	p, err := s.spawn(slot, life, generation, func(state *os.ProcessState, err error) {
		_ = lease.Post(evExited.Name(), exit{slot, life, state, err}) // a master that has ended need not know
	})
	if err != nil {
		lease.Release()
		return nil, err
	}
	h := &hand{life: life, process: p, lease: lease}
	if h.control, err = newControl(c, p.control); err != nil {
		_ = p.control.Close()
		_ = p.signal(syscall.SIGKILL)
		lease.Release() // nobody need hear of its end
		return nil, fmt.Errorf("%w: its control socket: %w", ErrSpawn, err)
	}
	return h, nil
}

// retire asks it to finish. One that cannot hear is ended by the grace period.
func (h *hand) retire() { _ = h.control.Put(filter.Frame{Name: wordRetire}) }

// release follows its end.
func (h *hand) release() {
	h.control.Close()
	h.lease.Release()
}

// disband ends workers whose master stops now: TERM, after grace KILL. It blocks
// until all were reaped, at most twice as long as grace.
func disband(crew map[int]*hand, grace time.Duration) {
	for _, h := range crew {
		h.control.Close()
		_ = h.process.signal(syscall.SIGTERM)
	}
	deadline := time.Now().Add(grace)
	for _, h := range crew {
		if !h.process.reaped(time.Until(deadline)) {
			_ = h.process.signal(syscall.SIGKILL)
		}
	}
	deadline = deadline.Add(grace)
	for _, h := range crew {
		h.process.reaped(time.Until(deadline))
	}
}
