package backend

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Tx is a transaction: messages that reach the server's registry together, in
// order, when it is committed, or not at all. It belongs to the connection that
// stood when it began, and is rolled back when that breaks. Its methods may be
// called from any goroutine.
type Tx struct {
	conn     *Conn
	id       string
	epoch    uint64 // of the connection
	instance string // of the server

	mu        sync.Mutex
	sent      int
	state     txState
	failed    error // why it can only be rolled back
	committed time.Time
	receivers []int
}

type txState uint8

const (
	txOpen txState = iota
	txEnding
	txCommitted
	txRolledBack
	txUnknown
)

// Outcome is what became of a transaction.
type Outcome string

const (
	Committed  Outcome = "committed"
	RolledBack Outcome = "rolled back"
	Unknown    Outcome = "unknown" // too long or 4096 commits ago, or the server was started anew
)

// Begun, Ended bring what AskBegin, Tx.AskCommit and Tx.AskRollback wait for.
type (
	Begun struct {
		Tx  *Tx
		Err error
	}
	Ended struct {
		Tx  *Tx
		Err error
	}
)

// txIDs makes names for transactions: of nobody else's, and not to be guessed.
type txIDs struct {
	mu sync.Mutex
	r  *rand.Rand
}

func newTxIDs(r *rand.Rand) *txIDs { return &txIDs{r: rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))} }

func (t *txIDs) next() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%016x%016x", t.r.Uint64(), t.r.Uint64())
}

// Begin begins a transaction, and waits for the server's word until ctx ends; one that
// it did not wait for is rolled back.
// Errors: those of Request; ErrLimit when the connection has ServerConfig.MaxTx
// of them; ErrArgument with Storable, whose servers have no transactions.
func (c *Conn) Begin(ctx context.Context) (*Tx, error) {
	tx := &Tx{conn: c}
	return tx.begun(c.wait(ctx, cmdBegin, tx.begin))
}

// AskBegin is Begin for a session.
func (c *Conn) AskBegin(kc *kernel.Context, event kernel.Event[Begun]) error {
	tx := &Tx{conn: c}
	return ask(c, kc, event, tx.begin, func(r Reply) Begun {
		tx, err := tx.begun(r)
		return Begun{tx, err}
	})
}

func (tx *Tx) begin(done func(Reply)) (*outgoing, error) {
	if tx.conn.cfg.Serializer == Storable {
		return nil, fmt.Errorf("%w: Begin with Config.Serializer Storable; use Protobuf or JSON", ErrArgument)
	}
	tx.id = tx.conn.txs.Load().next()
	o, err := tx.conn.frame(filter.Frame{Name: cmdBegin, Args: []any{tx.id}}, func(r Reply) {
		var refused *RemoteError
		if r.Err != nil && tx.epoch != 0 && !errors.As(r.Err, &refused) {
			tx.abandon() // it may have begun, and would count until ServerConfig.TxTimeout
		}
		done(r)
	})
	if err == nil {
		o.sentOver = &tx.epoch
	}
	return o, err
}

func (tx *Tx) begun(r Reply) (*Tx, error) {
	if r.Err != nil {
		return nil, r.Err
	}
	tx.instance = text(r.Args, 0)
	tx.conn.open.begun(tx.epoch)
	return tx, nil
}

// ID names the transaction, for Conn.Outcome and logs.
func (tx *Tx) ID() string { return tx.id + "@" + tx.instance }

// Send adds a message to the transaction; m.To must name a service, or Everyone.
// It does not wait: what the server has against it, such as ErrLimit, ErrDenied,
// comes with Commit. An error means that the transaction can only be rolled back:
// as with Conn.Send, and ErrRolledBack, ErrEnded.
func (tx *Tx) Send(m Message) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	switch {
	case tx.state != txOpen:
		return ErrEnded
	case tx.failed != nil:
		return tx.failed
	}
	tx.failed = tx.send(m)
	return tx.failed
}

func (tx *Tx) send(m Message) error {
	if m.To == "" || m.Name == "" || m.Client != "" {
		return fmt.Errorf("%w: Message %.64q to %.64q in a transaction; want a name and a service", ErrArgument, m.Name, m.To)
	}
	args := m.Args
	if args == nil {
		args = []any{}
	}
	o, err := tx.conn.frame(filter.Frame{Name: cmdTxSend, Args: []any{tx.id, m.Name, m.To, args}}, nil)
	if err == nil {
		o.epoch = tx.epoch
		err = tx.conn.submit(o)
	}
	if err == nil {
		tx.sent++
	}
	return err
}

// Commit has all messages delivered, and waits until ctx ends for the server's
// word that its registry has taken them. nil: it has, and Receivers says to how
// many connections each message went; delivery to them is at most once, and lost
// with a connection that breaks. ErrRolledBack: none was or will be delivered.
// ErrUnknownOutcome: the connection broke, or ctx ended, when the commit was
// under way; nothing is sent again, and Conn.Outcome can tell. Other errors: none
// was delivered.
func (tx *Tx) Commit(ctx context.Context) error {
	if err := tx.ending(true); err != nil {
		return err
	}
	return tx.finish(tx.conn.wait(ctx, cmdCommit, tx.commit))
}

// AskCommit is Commit for a session.
func (tx *Tx) AskCommit(kc *kernel.Context, event kernel.Event[Ended]) error {
	return tx.askEnd(kc, event, true, tx.commit)
}

// Rollback ends the transaction; nothing is delivered. It waits for the server's
// word until ctx ends, which changes nothing: what is not committed is rolled
// back. nil for one that was rolled back before, ErrEnded for one committed.
func (tx *Tx) Rollback(ctx context.Context) error {
	if err := tx.ending(false); err != nil {
		return tx.over(err)
	}
	err := tx.finish(tx.conn.wait(ctx, cmdRollback, tx.rollback))
	if errors.Is(err, ErrRolledBack) {
		return nil
	}
	return err
}

// AskRollback is Rollback for a session.
func (tx *Tx) AskRollback(kc *kernel.Context, event kernel.Event[Ended]) error {
	return tx.askEnd(kc, event, false, tx.rollback)
}

func (tx *Tx) askEnd(kc *kernel.Context, event kernel.Event[Ended], commit bool, build func(func(Reply)) (*outgoing, error)) error {
	if err := tx.ending(commit); err != nil {
		return err
	}
	err := ask(tx.conn, kc, event, build, func(r Reply) Ended {
		err := tx.finish(r)
		if !commit && errors.Is(err, ErrRolledBack) {
			err = nil
		}
		return Ended{tx, err}
	})
	if err != nil {
		_ = tx.finish(Reply{Err: err})
	}
	return err
}

// ending lets one caller end the transaction.
func (tx *Tx) ending(commit bool) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	switch {
	case tx.state != txOpen:
		return ErrEnded
	case commit && tx.failed != nil:
		return fmt.Errorf("%w: %w; roll it back", ErrRolledBack, tx.failed)
	}
	tx.state = txEnding
	tx.conn.open.ended(tx.epoch)
	tx.committed = tx.conn.k.Now()
	return nil
}

// over: rolling back twice does no harm.
func (tx *Tx) over(err error) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.state == txRolledBack {
		return nil
	}
	return err
}

func (tx *Tx) commit(done func(Reply)) (*outgoing, error) {
	o, err := tx.conn.frame(filter.Frame{Name: cmdCommit, Args: []any{tx.id, tx.sent}}, func(r Reply) {
		var remote *RemoteError
		if r.Err == nil {
			tx.set(txCommitted, r.Args)
		} else if errors.Is(r.Err, ErrUnknownOutcome) {
			tx.set(txUnknown, nil)
		} else if errors.As(r.Err, &remote) || errors.Is(r.Err, ErrRolledBack) {
			tx.set(txRolledBack, nil)
		}
		done(r)
	})
	if err == nil {
		o.epoch, o.lost = tx.epoch, ErrUnknownOutcome
	}
	return o, err
}

func (tx *Tx) rollback(done func(Reply)) (*outgoing, error) {
	o, err := tx.conn.frame(filter.Frame{Name: cmdRollback, Args: []any{tx.id}}, done)
	if err == nil {
		o.epoch, o.lost = tx.epoch, ErrRolledBack
	}
	return o, err
}

// abandon tells the server that nobody will end the transaction, and does not wait: it
// may be called by the connection's own session. A connection that broke meanwhile has told it so.
func (tx *Tx) abandon() {
	if o, err := tx.rollback(nil); err == nil {
		_ = evAbandon.PostFrom(tx.conn.k, tx.conn.self, o)
	}
}

func (tx *Tx) set(s txState, counts []any) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	tx.state = s
	for i := range counts {
		tx.receivers = append(tx.receivers, number(counts, i))
	}
}

// finish: whatever is not known to be committed, and may not be, is rolled back. A
// server that was not told how it ends is told now.
func (tx *Tx) finish(r Reply) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	switch {
	case tx.state != txEnding:
		return r.Err
	case errors.Is(r.Err, ErrUnknownOutcome):
		tx.state = txUnknown
		return r.Err
	case r.Err != nil && !errors.Is(r.Err, ErrRolledBack):
		tx.abandon()
	}
	tx.state = txRolledBack
	return r.Err
}

// Receivers says how many connections each message went to, in the order of the
// Sends, once the transaction is committed.
func (tx *Tx) Receivers() []int {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return slices.Clone(tx.receivers)
}
