package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// promise is something that is waited for.
type promise struct {
	once sync.Once
	over chan struct{}
	done atomic.Bool // over is closed
}

func newPromise() *promise { return &promise{over: make(chan struct{})} }

func (w *promise) keep() {
	w.once.Do(func() {
		w.done.Store(true)
		close(w.over)
	})
}

// wait is until it is kept, ctx ends, or d is over, which calls late. In simulated time
// everything else goes on, but for this kernel and what its AfterFunc would run.
func (w *promise) wait(ctx context.Context, n *Node, d time.Duration, late func()) error {
	stop := n.k.AfterFunc(d, late)
	defer stop()
	if drv, ok := n.transport.(Driver); ok && n.k.Mode() == kernel.Simulated {
		until := n.k.Now().Add(d)
		err := drv.Drive(func() bool { return w.done.Load() || !n.k.Now().Before(until) })
		if err == nil && !w.done.Load() {
			late()
		}
		return err
	}
	select {
	case <-w.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pause waits for d.
func (n *Node) pause(ctx context.Context, d time.Duration) error {
	w := newPromise()
	return w.wait(ctx, n, d, w.keep)
}

// call is one that waits for another node's answer.
type call struct {
	promise
	set sync.Once
	v   any
	err error
}

func (c *call) end(v any, err error) {
	c.set.Do(func() {
		c.v, c.err = v, err
		c.keep()
	})
}

// call asks a session of the other node, and waits.
func (p *peer) call(ctx context.Context, to string, o kernel.Outgoing) (any, error) {
	c := &call{promise: promise{over: make(chan struct{})}}
	id := p.n.lastCall.Add(1)
	p.mu.Lock()
	p.calls[id] = c
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.calls, id)
		p.mu.Unlock()
	}()
	err := p.post(to, id, o, func(err error) {
		if err != nil {
			c.end(nil, err)
		}
	})
	if err != nil {
		return nil, err
	}
	return c.await(ctx, p.n)
}

// await is for the answer, the node's CallTimeout, or ctx.
func (c *call) await(ctx context.Context, n *Node) (any, error) {
	err := c.wait(ctx, n, n.cfg.CallTimeout, func() {
		c.end(nil, fmt.Errorf("%w after %v (Config.CallTimeout)", kernel.ErrTimeout, n.cfg.CallTimeout))
	})
	if err != nil {
		return nil, err
	}
	return c.v, c.err
}

const (
	answerValue = "value" // what a called handler returned
	answerError = "error" // code, text
)

// replied ends a call. An answer that nobody waits for any more is of no use.
func (p *peer) replied(f filter.Frame) {
	p.mu.Lock()
	c := p.calls[f.ReplyTo]
	p.mu.Unlock()
	if c == nil {
		return
	}
	switch f.Name {
	case answerValue:
		var v any
		if len(f.Args) > 0 {
			v = f.Args[0]
		}
		c.end(v, nil)
	case answerError:
		code, text := errorArgs(f.Args)
		c.end(nil, decodeError(p.name, code, text))
	default:
		c.end(nil, &NodeError{Node: p.name, Text: fmt.Sprintf("an answer of kind %.64q, which this version does not know", f.Name), Err: errAnswerKind})
	}
}

// unreadable ends a call whose answer does not decode here.
func (p *peer) unreadable(id uint64, err error) {
	p.mu.Lock()
	c := p.calls[id]
	p.mu.Unlock()
	if c != nil {
		c.end(nil, fmt.Errorf("%w: of node %s: %w", errAnswerKind, p.name, err))
	}
}

func errorArgs(args []any) (code uint32, text string) {
	if len(args) > 0 {
		code, _ = args[0].(uint32)
	}
	if len(args) > 1 {
		text, _ = args[1].(string)
	}
	return code, text
}

// runCall has a call of the other node handled, and answered.
func (p *peer) runCall(a Arrival, f filter.Frame) error {
	from := p.strangers.from(a.From)
	return p.start(p.asking(f), func(ctx context.Context, c *kernel.Context) (any, error) {
		if c != nil {
			return from.CallIn(c, ctx, a.To, f.Cause, a.Event, a.Args...)
		}
		return from.Call(ctx, a.To, f.Cause, a.Event, a.Args...)
	})
}

// asking is a call of the other node: another start of it has the same numbers.
type asking struct{ id, epoch uint64 }

// asking is of a frame that has just come. recv is held.
func (p *peer) asking(f filter.Frame) asking { return asking{f.ID, p.inEpoch} }

// start runs a call of the other node where it harms nobody, and answers it. The
// kernel's context is nil on a goroutine outside of any handler.
func (p *peer) start(a asking, f func(context.Context, *kernel.Context) (any, error)) error {
	if p.busy.Add(1) > int64(p.n.cfg.MaxCalls) {
		p.busy.Add(-1)
		return fmt.Errorf("%w: %d calls of node %s run here (Config.MaxCalls)", kernel.ErrQueueFull, p.n.cfg.MaxCalls, p.name)
	}
	job := func(c *kernel.Context) {
		defer p.busy.Add(-1)
		limit := &callLimit{at: time.Now().Add(p.n.cfg.CallTimeout)}
		defer limit.end()
		v, err := any(nil), errGoexit
		defer func() { p.reply(a, v, err) }()
		v, err = f(limit, c)
	}
	err := p.n.inside(job)
	if err != nil {
		p.busy.Add(-1)
	}
	return err
}

// errGoexit is for a call whose handler does not return.
var errGoexit = errors.New("its handler called runtime.Goexit")

// inside runs f where it may call and spawn: in the node's session, or, in a parallel
// kernel, on a goroutine of its own, without a context.
func (n *Node) inside(f func(*kernel.Context)) error {
	if n.k.Mode() == kernel.Parallel {
		n.runners.run(func() { f(nil) })
		return nil
	}
	return n.session.Post(evRelay, f)
}

// reply answers a call. A node that is lost, or was started anew, hears no answer, and
// needs none.
func (p *peer) reply(a asking, v any, err error) {
	f := filter.Frame{Name: answerError, ReplyTo: a.id}
	if err != nil {
		code, text := encodeError(err)
		f.Args = []any{code, text}
	} else if err = p.replyValue(a, v); err == nil {
		return
	} else {
		p.n.k.Report("cluster", "answer not sent", fmt.Errorf("a %T, to node %s: %w", v, p.name, err))
		code, text := unanswered(err)
		f.Args = []any{code, text}
	}
	_ = p.answer(a, f) // it is short, and of types that travel
}

// replyValue answers a call with what its handler returned.
func (p *peer) replyValue(a asking, v any) error {
	args, err := pack([]any{v})
	if err != nil {
		return err
	}
	err = p.answer(a, filter.Frame{Name: answerValue, Args: args, ReplyTo: a.id})
	if errors.Is(err, kernel.ErrNoNode) {
		return nil
	}
	return err
}
