//go:build unix

package prefork

import (
	"context"
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// Reload replaces the workers by those of the program that is on disk now, and
// waits for the result. So does HUP, without telling anybody but the observer of
// the kernel (Kernel.Report) when it fails.
//
// A new generation of workers is started from the path by which this program was
// started, with the same arguments and environment; a symbolic link that was
// moved leads to the new release. What their configuration says is theirs to
// read, but the numbers that the master works by, and the listeners, are those
// of the running master. The old workers serve meanwhile. When as many new ones
// are ready as Config.ReloadReady says, the old ones are asked to finish what
// they have, and Reload returns nil. No connection is lost: all share the
// listeners, which stay open.
//
// If one of the new workers ends or is not ready within Config.StartTimeout, or
// cannot be started at all, the new ones are ended and the old ones stay. The
// error matches ErrReload and says why: how the worker ended, and what it wrote
// to standard error. A reload that is asked for during another one follows it;
// all that are asked for meanwhile are one.
//
// When ctx ends first, Reload returns its error, and the reload goes on. In
// serial mode call it from a goroutine of your own, never from a handler.
func (p *Pool) Reload(ctx context.Context) error { return p.ask(ctx, evReload, ErrReload) }

// ask posts an event to the master's session and waits for the answer; sentinel
// goes before what keeps it from answering.
func (p *Pool) ask(ctx context.Context, event kernel.Event[chan error], sentinel error) error {
	if p.ended.Load() {
		return fmt.Errorf("%w: %w", sentinel, kernel.ErrNoSession)
	}
	result := make(chan error, 1)
	if err := event.PostFrom(p.k, p.self, result); err != nil {
		return fmt.Errorf("%w: %w", sentinel, err)
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-p.over:
	}
	select {
	case err := <-result:
		return err
	default:
		return fmt.Errorf("%w: %w", sentinel, kernel.ErrStopped)
	}
}

// reload begins a reload, or has one follow.
func (m *master) reload(c *kernel.Context, result chan error) error {
	if m.table.reload.active {
		m.following = append(m.following, result)
	} else {
		m.waiting = append(m.waiting, result)
	}
	return m.tell(c, message{kind: msgReload})
}

// load opens the program of the next generation.
func (m *master) load(c *kernel.Context, generation int) error {
	p, err := onDisk(m.path)
	if err != nil {
		return m.tell(c, message{kind: msgLoadFailed, generation: generation, cause: err})
	}
	m.spawner.programs[generation] = p
	return nil
}

// reloaded tells everybody how a reload ended.
func (m *master) reloaded(c *kernel.Context, a action) {
	err := a.err
	if h := m.crew[a.slot]; err != nil && h != nil && h.life == a.life {
		err = h.process.said.explain(err) // it lives, so nobody has asked it before
	}
	m.lastReload = err
	for _, result := range m.waiting {
		if result != nil { // nil: a signal
			result <- err
		}
	}
	m.waiting, m.following = m.following, nil
	if err != nil && !errors.Is(err, errShuttingDown) {
		c.Kernel().Report("prefork", "reload failed", err)
	}
}

// tidy forgets programs that nobody will be started from.
func (m *master) tidy() {
	for g, p := range m.spawner.programs {
		if g != m.table.generation && g != m.table.reload.generation {
			p.close()
			delete(m.spawner.programs, g)
		}
	}
}
