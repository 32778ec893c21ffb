package backend

import (
	"fmt"
	"slices"
	"time"
)

// book has the open transactions of one connection: messages that wait for their
// commit. It is plain data.
type book struct {
	cfg  *ServerConfig
	open map[string]*draft
}

type draft struct {
	parcels []parcel
	bytes   int
	sends   int // that came, those that were refused included
	failed  error
	due     time.Time // then it is rolled back
}

func newBook(cfg *ServerConfig) *book { return &book{cfg, map[string]*draft{}} }

// txError is refused to the client, with its code.
type txError struct{ text, code string }

func (e *txError) Error() string { return e.text }

const maxTxID = 64

func (b *book) begin(id string, now time.Time) error {
	switch {
	case id == "" || len(id) > maxTxID:
		return &txError{fmt.Sprintf("a transaction wants an ID of 1 to %d bytes", maxTxID), ""}
	case b.open[id] != nil:
		return &txError{"this transaction has begun before", ""}
	case len(b.open) >= b.cfg.MaxTx:
		return &txError{fmt.Sprintf("%d transactions are open; end one, or raise ServerConfig.MaxTx", len(b.open)), codeLimit}
	}
	b.open[id] = &draft{due: now.Add(b.cfg.TxTimeout)}
	return nil
}

// add takes a message. What is wrong with it is said at commit.
func (b *book) add(id string, p parcel, err error) {
	d := b.open[id]
	if d == nil {
		return // it was rolled back; its commit will hear of it
	}
	d.sends++
	d.bytes += len(p.encoded)
	switch {
	case d.failed != nil:
	case err != nil:
		d.failed = err
	case d.sends > b.cfg.MaxTxMessages:
		d.failed = &txError{fmt.Sprintf("transaction of more than %d messages; raise ServerConfig.MaxTxMessages", b.cfg.MaxTxMessages), codeLimit}
	case d.bytes > b.cfg.MaxTxBytes:
		d.failed = &txError{fmt.Sprintf("transaction of more than %d bytes; raise ServerConfig.MaxTxBytes", b.cfg.MaxTxBytes), codeLimit}
	default:
		d.parcels = append(d.parcels, p)
		return
	}
	d.parcels = nil // none of it will be delivered
}

// commit takes a transaction out. Its messages are to be delivered, or the error
// says why none is.
func (b *book) commit(id string, sends int) ([]parcel, error) {
	d := b.open[id]
	delete(b.open, id)
	switch {
	case d == nil:
		return nil, &txError{"no such transaction; it has ended, perhaps by ServerConfig.TxTimeout", codeRolledBack}
	case d.failed != nil:
		return nil, d.failed
	case d.sends != sends:
		return nil, &txError{fmt.Sprintf("%d of the transaction's %d messages have come; the others were refused", d.sends, sends), codeRolledBack}
	}
	return d.parcels, nil
}

func (b *book) rollback(id string) { delete(b.open, id) }

// expire rolls back what is due, and says when to look again; zero if never.
func (b *book) expire(now time.Time) (ids []string, next time.Time) {
	for id, d := range b.open {
		if !d.due.After(now) {
			ids = append(ids, id)
		} else if next.IsZero() || d.due.Before(next) {
			next = d.due
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		delete(b.open, id)
	}
	return ids, next
}
