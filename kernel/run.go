package kernel

import (
	"context"
	"errors"
	"time"
)

// Run delivers events until no session is left. It returns nil; or the exception
// that nobody handled; or, when ctx ended first, ctx's error after an orderly
// TERM (G6). A kernel can be run again (K6); ErrRunning while it runs.
//
// In parallel mode, when handlers do not return, Run gives up Config.StopTimeout
// after the stop was decided, or after ctx ended and its TERM still waits for a
// handler; the error wraps ErrStopTimeout and says where they are. Until they do
// return, another Run is ErrRunning. In the serial modes a handler that does not
// return keeps Run itself.
//
// INT, TERM and the other signals of the operating system reach the sessions
// while one of them watches (Context.Sig); otherwise they do to the process what
// they always do.
func (k *Kernel) Run(ctx context.Context) error {
	if !k.running.Load() {
		k.forbidInside()
	}
	if !k.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	run := k.runs.Add(1)
	k.idle = idle{}
	k.stopMu.Lock()
	k.stopping = make(chan struct{})
	k.stopMu.Unlock()
	asked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		k.cancelled.Store(run)
		term := &walk{k: k, name: "TERM", global: true, target: k.root, over: asked}
		k.walk(term, func() bool { return k.runs.Load() != run || !k.running.Load() })
	})
	defer stop()
	stuck := false
	defer func() { // also when a handler ends this goroutine, in the serial modes
		if !stuck {
			k.running.Store(false)
		}
	}()
	err := k.run(ctx, asked)
	why := k.takeError()
	switch stuck = err != nil; {
	case stuck:
		go k.afterStuck()
		if why != nil {
			err = errors.Join(err, why)
		}
		return err
	case why != nil:
		return why
	}
	return ctx.Err()
}

// Cancelled reports whether the context of this Run, or the last one, has ended: TERM was
// told to everyone for that, or is about to be (G6). Who counts signals leaves out that
// one. It may be called from any goroutine.
func (k *Kernel) Cancelled() bool {
	run := k.cancelled.Load()
	return run != 0 && run == k.runs.Load()
}

// afterStuck waits for the handlers that Run gave up on.
func (k *Kernel) afterStuck() {
	k.par.wait()
	_ = k.takeError()
	k.running.Store(false)
}

func (k *Kernel) run(ctx context.Context, asked <-chan struct{}) error {
	if l := k.loop; l != nil {
		k.releaseFresh()
		l.loopRun()
		return nil
	}
	quit, kept := make(chan struct{}), make(chan struct{})
	go k.timekeep(quit, kept)
	k.releaseFresh()
	k.par.start()
	defer func() { close(quit); <-kept }()

	var late patience
	stopping, ended := k.stopping, ctx.Done()
	for {
		select {
		case <-k.par.done:
			k.par.wait()
			return nil
		case <-ended:
			ended = nil
			if asked == nil || stopping == nil {
				continue
			}
			late.start(k)
		case <-asked: // TERM was told to everyone
			asked = nil
			if stopping != nil {
				late.stop()
			}
		case <-stopping:
			stopping = nil
			late.start(k)
		case <-late.tick:
			if late.over(k) {
				return k.stuck()
			}
		}
	}
}

// patience ends when no session has ended for Config.StopTimeout: very many of
// them may take longer than that, one after the other.
type patience struct {
	tick  <-chan time.Time
	left  int64 // sessions, at the last look
	looks int   // in vain
}

const looksPerTimeout = 8

func (p *patience) start(k *Kernel) { p.left, p.looks = -1, -1; p.over(k) }
func (p *patience) stop()           { p.tick = nil }

func (p *patience) over(k *Kernel) bool {
	p.looks++
	if left := k.live.Load(); left != p.left {
		p.left, p.looks = left, 0
	}
	p.tick = time.After(k.cfg.StopTimeout / looksPerTimeout)
	return p.looks == looksPerTimeout
}

func (k *Kernel) takeError() error {
	k.errMu.Lock()
	defer k.errMu.Unlock()
	err := k.err
	k.err = nil
	return err
}
