package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Errors travel as a number and a text. Numbers are never reused; one that is not
// known is a handler's.
var errorCodes = []struct {
	code uint32
	err  error
}{
	{15, errNotOwner}, // before ErrNotOwner, which it is, too
	{1, kernel.ErrNoSession},
	{2, kernel.ErrQueueFull},
	{3, kernel.ErrNoHandler},
	{4, kernel.ErrTimeout},
	{5, kernel.ErrStopped},
	{6, kernel.ErrDeadlock},
	{7, kernel.ErrNotEncodable},
	{8, ErrRefused},
	{9, ErrNotOwner},
	{10, ErrTooLarge},
	{11, ErrLeft},
	{12, kernel.ErrNoNode},
	{13, ErrUnknownOutcome},
	{14, kernel.ErrArgument},
	{codeAnswerKind, errAnswerKind},
	{codeAnswerSize, errAnswerSize},
}

const (
	codeAnswerKind = 16
	codeAnswerSize = 17
)

const handlersError = 0 // what a called handler returned

// maxErrorText bounds what is told of an error, in bytes: with what is around it, it fits
// in the shortest event that Config.MaxEvent can allow.
const maxErrorText = minEvent * 3 / 4

// encodeError makes a number and a text of an error.
func encodeError(err error) (code uint32, text string) {
	text = errorText(err)
	var own *kernel.PostError
	if errors.As(err, &own) {
		err = own.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return 4, text
	case errors.Is(err, filter.ErrNotEncodable):
		return 7, text
	}
	for _, c := range errorCodes {
		if errors.Is(err, c.err) {
			return c.code, text
		}
	}
	return handlersError, text
}

// errorText is what an error says, as far as it can travel: a packet with bytes that are
// not UTF-8 cannot be sent, nor can any behind it.
func errorText(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + " …"
	}
	return text
}

// unanswered is encodeError for an answer that cannot be sent: the call was handled.
func unanswered(err error) (code uint32, text string) {
	switch text = fmt.Sprintf("%v: %s", ErrAnswer, errorText(err)); {
	case errors.Is(err, ErrTooLarge):
		return codeAnswerSize, text
	case errors.Is(err, kernel.ErrNotEncodable):
		return codeAnswerKind, text
	}
	return handlersError, text
}

// decodeError is the error of a number and a text from a node.
func decodeError(node string, code uint32, text string) error {
	for _, c := range errorCodes {
		if c.code == code {
			return &NodeError{Node: node, Text: text, Err: c.err}
		}
	}
	return &NodeError{Node: node, Text: text}
}

// NodeError is an error that came about on another node. Err is which of the errors
// of this package or package kernel it was there, and nil when a called handler
// returned, or panicked with, an error of its own.
type NodeError struct {
	Node string
	Text string // as it read there
	Err  error
}

// Error says where it came about.
func (e *NodeError) Error() string { return fmt.Sprintf("on node %s: %s", e.Node, e.Text) }

// Unwrap returns Err.
func (e *NodeError) Unwrap() error { return e.Err }
