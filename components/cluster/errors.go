package cluster

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// Errors of this package, for errors.Is. Addresses with '@' also bring the kernel's:
// kernel.ErrNoNode, ErrNoSession, ErrTimeout, ErrQueueFull, ErrNotEncodable,
// ErrNoHandler.
var (
	// ErrConfig: a Config that cannot work; the text names the field.
	ErrConfig = errors.New("bad configuration")
	// ErrUnknownOutcome: the link broke before the other node said what became of an
	// event or a call. It was handled once or not at all (G13).
	ErrUnknownOutcome = errors.New("outcome unknown")
	// ErrLeft: the node has left the cluster.
	ErrLeft = errors.New("node has left")
	// ErrRefused: the other node does not let this one do it.
	ErrRefused = errors.New("refused")
	// ErrNotOwner: the node does not own the key's shard, or not any more.
	ErrNotOwner = errors.New("not the owner")
	// ErrTooLarge: an event is longer than Config.MaxEvent.
	ErrTooLarge = errors.New("too large")
	// ErrAnswer: a call was handled, and what its handler returned does not reach its
	// caller: it is kernel.ErrNotEncodable or ErrTooLarge besides.
	ErrAnswer = errors.New("answer lost")
)

// What ErrAnswer is besides.
var (
	errAnswerKind = fmt.Errorf("%w: %w", ErrAnswer, kernel.ErrNotEncodable)
	errAnswerSize = fmt.Errorf("%w: %w", ErrAnswer, ErrTooLarge)
)
