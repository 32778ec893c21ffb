package filter

import (
	"fmt"
	"slices"
)

// RecordBlockConfig configures a RecordBlock filter.
type RecordBlockConfig struct {
	// BlockSize is how many records make a block; at least 1. No default.
	BlockSize int

	// CheckPut makes Append hold records back until a multiple of BlockSize is
	// there, and send only that (F27). Default false: all are sent.
	CheckPut bool
}

// RecordBlockFilter makes one list of every BlockSize records of another filter
// (F26).
type RecordBlockFilter[In, Out any] struct {
	inner    Filter[In, Out]
	size     int
	checkPut bool
	got      []In
	held     []heldRecord[Out]
}

// heldRecord is a record that waits for others, and what it will be on the wire:
// encoded when it was put, so that a refusal meets who put it.
type heldRecord[Out any] struct {
	rec  Out
	wire []byte
}

var _ Filter[[]string, []string] = (*RecordBlockFilter[string, string])(nil)

// NewRecordBlock returns a RecordBlockFilter around inner, or an error that
// matches ErrConfig.
func NewRecordBlock[In, Out any](inner Filter[In, Out], c RecordBlockConfig) (*RecordBlockFilter[In, Out], error) {
	if inner == nil {
		return nil, fmt.Errorf("filter: %w: NewRecordBlock: inner is nil; want a filter, such as filter.Line()", ErrConfig)
	}
	f := &RecordBlockFilter[In, Out]{inner: inner, checkPut: c.CheckPut}
	if err := f.SetBlockSize(c.BlockSize); err != nil {
		return nil, err
	}
	return f, nil
}

// Feed stores a copy of p in the inner filter.
func (f *RecordBlockFilter[In, Out]) Feed(p []byte) { f.inner.Feed(p) }

// Next returns BlockSize records. An error is the inner filter's: the record
// that it refused is missing, and the block goes on with the next one.
func (f *RecordBlockFilter[In, Out]) Next() ([]In, bool, error) {
	for len(f.got) < f.size {
		rec, ok, err := f.inner.Next()
		if !ok {
			return nil, false, err
		}
		f.got = append(f.got, rec)
	}
	block := f.got[:f.size:f.size]
	f.got = append([]In(nil), f.got[f.size:]...) // none, unless BlockSize was lowered
	return block, true, nil
}

// Append appends a list of records to dst, of any length (F26); with CheckPut as
// many as make whole blocks, those held back before included, and it holds the
// rest. An error names the record that was refused; then none of the list is
// sent or held.
func (f *RecordBlockFilter[In, Out]) Append(dst []byte, records []Out) ([]byte, error) {
	if f.checkPut {
		return f.collect(dst, records)
	}
	out := dst
	for _, h := range f.held {
		out = append(out, h.wire...)
	}
	for i, rec := range records {
		var err error
		if out, err = f.inner.Append(out, rec); err != nil {
			return dst, refusedOne(i, len(records), err)
		}
	}
	f.held = nil
	return out, nil
}

func (f *RecordBlockFilter[In, Out]) collect(dst []byte, records []Out) ([]byte, error) {
	held := slices.Clip(f.held) // so that appending leaves f.held as it is
	for i, rec := range records {
		wire, err := f.inner.Append(nil, rec)
		if err != nil {
			return dst, refusedOne(i, len(records), err)
		}
		held = append(held, heldRecord[Out]{rec, wire})
	}
	send := len(held) - len(held)%f.size
	for _, h := range held[:send] {
		dst = append(dst, h.wire...)
	}
	f.held = append([]heldRecord[Out](nil), held[send:]...)
	return dst, nil
}

func refusedOne(i, n int, err error) error {
	return fmt.Errorf("filter: record %d of %d refused, and none of them sent: %w", i+1, n, err)
}

// Pending returns the inner filter's. Records that wait for the rest of their
// block are parsed, and do not show there: Collected has them.
func (f *RecordBlockFilter[In, Out]) Pending() []byte { return f.inner.Pending() }

// Collected returns the records that came and wait for the rest of their block,
// nil if there are none. Whoever hands the stream to another filter takes them
// here.
func (f *RecordBlockFilter[In, Out]) Collected() []In {
	return append([]In(nil), f.got...)
}

// PutPending returns the records that Append holds back, nil if there are none
// (F27).
func (f *RecordBlockFilter[In, Out]) PutPending() []Out {
	var recs []Out
	for _, h := range f.held {
		recs = append(recs, h.rec)
	}
	return recs
}

// SetBlockSize changes BlockSize from the next block on, in both directions
// (F27). A size below 1 is an error that matches ErrConfig, and changes nothing.
func (f *RecordBlockFilter[In, Out]) SetBlockSize(n int) error {
	if n < 1 {
		return fmt.Errorf("filter: %w: RecordBlockConfig.BlockSize is %d; want 1 or more", ErrConfig, n)
	}
	f.size = n
	return nil
}

// SetCheckPut changes CheckPut. Turned off, what is held back goes out with the
// next Append (F27), which may be one of no records.
func (f *RecordBlockFilter[In, Out]) SetCheckPut(on bool) { f.checkPut = on }
