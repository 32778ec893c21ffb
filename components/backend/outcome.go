package backend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Asked brings what AskOutcome waits for.
type Asked struct {
	ID      string // Tx.ID
	Outcome Outcome
	Err     error
}

// Outcome asks the server what became of a transaction, by Tx.ID: after
// ErrUnknownOutcome, over whatever connection there is. The server knows for a
// minute after the commit. One that it has not committed when it is asked never
// will be: asking makes sure of that. Errors are those of Request.
func (c *Conn) Outcome(ctx context.Context, id string) (Outcome, error) {
	r := c.wait(ctx, cmdOutcome, c.outcomeOf(id))
	return readOutcome(r)
}

// AskOutcome is Outcome for a session.
func (c *Conn) AskOutcome(kc *kernel.Context, id string, event kernel.Event[Asked]) error {
	return ask(c, kc, event, c.outcomeOf(id), func(r Reply) Asked {
		o, err := readOutcome(r)
		return Asked{id, o, err}
	})
}

func (c *Conn) outcomeOf(id string) func(func(Reply)) (*outgoing, error) {
	return func(done func(Reply)) (*outgoing, error) {
		tx, instance, ok := strings.Cut(id, "@")
		if !ok {
			return nil, fmt.Errorf("%w: transaction %.64q; want what Tx.ID returned", ErrArgument, id)
		}
		return c.frame(filter.Frame{Name: cmdOutcome, Args: []any{tx, instance}}, done)
	}
}

func readOutcome(r Reply) (Outcome, error) {
	if r.Err != nil {
		return Unknown, r.Err
	}
	switch o := Outcome(text(r.Args, 0)); o {
	case Committed, RolledBack, Unknown:
		return o, nil
	}
	return Unknown, errors.New("backend: the server's word on a transaction is none; update this end")
}
