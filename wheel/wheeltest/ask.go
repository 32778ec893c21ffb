package wheeltest

import (
	"context"
	"sync/atomic"
)

// ask is a question that is answered once, later, unless it is taken back first.
type ask[T any] struct {
	done    func(T, error)
	retract func()            // what it means to those who work on it that nobody asks any more
	wrap    func(error) error // of the context's end
	settled atomic.Bool
	unwatch func() bool
}

// newAsk makes a question that its context's end answers, too; but not in virtual
// time, where nothing may come on a goroutine that the seed does not know. It is
// made under the network's lock.
func newAsk[T any](ctx context.Context, n *Network, done func(T, error)) *ask[T] {
	q := &ask[T]{done: done, retract: func() {}, wrap: func(err error) error { return err }}
	if n.virtual || ctx.Done() == nil || ctx.Err() != nil { // which is for the caller to see
		return q
	}
	q.unwatch = context.AfterFunc(ctx, func() {
		n.lock() // q is complete then, and whoever asks has got its cancel
		err := q.wrap(contextError(ctx))
		n.unlock()
		var none T
		if q.answer(none, err) {
			q.retract()
		}
	})
	return q
}

// answer reports false when the question was answered or taken back before. Like
// cancel it is not for those who hold the network's lock.
func (q *ask[T]) answer(v T, err error) bool {
	if !q.settle() {
		return false
	}
	q.done(v, err)
	return true
}

func (q *ask[T]) cancel() {
	if q.settle() {
		q.retract()
	}
}

func (q *ask[T]) settle() bool {
	if q.settled.Swap(true) {
		return false
	}
	if q.unwatch != nil {
		q.unwatch()
	}
	return true
}
