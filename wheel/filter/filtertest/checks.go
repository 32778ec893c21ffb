package filtertest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/usher-go/usher/wheel/filter"
)

type check[In, Out any] struct {
	name string
	run  func(Case[In, Out]) error
}

func checks[In, Out any]() []check[In, Out] {
	return []check[In, Out]{
		{"whole", whole[In, Out]},
		{"bytewise", bytewise[In, Out]},
		{"split", split[In, Out]},
		{"copies", copies[In, Out]},
		{"pending", pending[In, Out]},
		{"handover", handover[In, Out]},
		{"append", roundTrip[In, Out]},
	}
}

func whole[In, Out any](c Case[In, Out]) error {
	f := c.New()
	if rec, ok, err := f.Next(); ok || err != nil {
		return fmt.Errorf("a fresh filter's Next = %v, %v, %v; want no record and no error", rec, ok, err)
	}
	f.Feed(nil)
	got, err := feed(f, c.Wire, c.Tail)
	return c.compare("fed at once", got, err)
}

func bytewise[In, Out any](c Case[In, Out]) error {
	f := c.New()
	var got []In
	for i := range c.Wire {
		recs, err := feed(f, c.Wire[i:i+1])
		if err != nil {
			return fmt.Errorf("byte %d: %w", i, err)
		}
		got = append(got, recs...)
		// Directions are independent: output must not disturb input.
		if len(c.Records) > 0 {
			if _, err := f.Append(nil, c.Records[i%len(c.Records)]); err != nil {
				return fmt.Errorf("calling Append at byte %d: %w", i, err)
			}
		}
	}
	return c.compare("fed byte by byte", got, nil)
}

func split[In, Out any](c Case[In, Out]) error {
	for i := range len(c.Wire) + 1 {
		f := c.New()
		got, err := feed(f, c.Wire[:i])
		if err == nil {
			var more []In
			more, err = feed(f, c.Wire[i:])
			got = append(got, more...)
		}
		if err := c.compare(fmt.Sprintf("split at byte %d", i), got, err); err != nil {
			return err
		}
		got, err = feed(c.New(), c.Wire[:i], c.Wire[i:])
		if err := c.compare(fmt.Sprintf("split at byte %d without Next between", i), got, err); err != nil {
			return err
		}
	}
	return nil
}

func copies[In, Out any](c Case[In, Out]) error {
	f := c.New()
	var got []In
	for i := range c.Wire {
		p := []byte{c.Wire[i]}
		f.Feed(p)
		p[0] = ^p[0]
		for j, pend := 0, f.Pending(); j < len(pend); j++ {
			pend[j] = ^pend[j]
		}
		recs, err := drain(f)
		if err != nil {
			return fmt.Errorf("with its argument overwritten after Feed: %w", err)
		}
		got = append(got, recs...)
	}
	return c.compare("with Feed's argument and Pending's result overwritten", got, nil)
}

func pending[In, Out any](c Case[In, Out]) error {
	f := c.New()
	if p := f.Pending(); p != nil {
		return fmt.Errorf("a fresh filter's Pending = %q; want nil", p)
	}
	if _, err := feed(f, c.Wire, c.Tail); err != nil {
		return err
	}
	for _, again := range []string{"", " the second time"} {
		if p := f.Pending(); !bytes.Equal(p, c.Tail) || len(p) == 0 && p != nil {
			return fmt.Errorf("with the records out, Pending%s = %#v; want %#v, or nil if that is empty", again, p, c.Tail)
		}
	}
	return nil
}

func handover[In, Out any](c Case[In, Out]) error {
	if c.NoHandover {
		return nil
	}
	for i := range len(c.Wire) + 1 {
		old, next := c.New(), c.New()
		got, err := feed(old, c.Wire[:i])
		if err == nil {
			var more []In
			more, err = feed(next, old.Pending(), c.Wire[i:])
			got = append(got, more...)
		}
		if err := c.compare(fmt.Sprintf("handed over at byte %d", i), got, err); err != nil {
			return err
		}
	}
	for n := range c.Records { // between two records of one Feed
		old, next := c.New(), c.New()
		old.Feed(c.Wire)
		var got []In
		for range n {
			rec, ok, err := old.Next()
			if !ok {
				return fmt.Errorf("record %d is missing: %v", len(got), err)
			}
			got = append(got, rec)
		}
		more, err := feed(next, old.Pending())
		if err := c.compare(fmt.Sprintf("handed over behind record %d", n), append(got, more...), err); err != nil {
			return err
		}
	}
	return nil
}

func roundTrip[In, Out any](c Case[In, Out]) error {
	f, prefix := c.New(), []byte("what dst held")
	wire := slices.Clone(prefix)
	for i, rec := range c.Records {
		once, err := f.Append(nil, rec)
		if err != nil {
			return fmt.Errorf("appending record %d: %w", i, err)
		}
		from := len(wire)
		if wire, err = f.Append(wire, rec); err != nil {
			return fmt.Errorf("appending record %d again: %w", i, err)
		}
		if !bytes.HasPrefix(wire, prefix) || len(wire) < from {
			return fmt.Errorf("appending record %d did not keep what dst held", i)
		}
		if !bytes.Equal(wire[from:], once) {
			return fmt.Errorf("appending record %d wrote %q, then %q", i, once, wire[from:])
		}
	}
	got, err := feed(c.New(), wire[len(prefix):])
	return c.compare("read back", got, err)
}

// feed feeds the parts, then takes every record there is.
func feed[In, Out any](f filter.Filter[In, Out], parts ...[]byte) ([]In, error) {
	for _, p := range parts {
		f.Feed(p)
	}
	return drain(f)
}

func drain[In, Out any](f filter.Filter[In, Out]) ([]In, error) {
	var got []In
	for rec, err := range filter.Records(f) {
		if err != nil {
			return got, fmt.Errorf("after %d records: %w", len(got), err)
		}
		got = append(got, rec)
	}
	return got, nil
}

// compare fails unless got is c.Records and err is nil.
func (c Case[In, Out]) compare(how string, got []In, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", how, err)
	}
	if c.Join != nil && len(got) > 1 {
		all := got[0]
		for _, rec := range got[1:] {
			all = c.Join(all, rec)
		}
		got = []In{all}
	}
	for i := range min(len(got), len(c.Records)) {
		if !c.Equal(got[i], c.Records[i]) {
			return fmt.Errorf("%s: record %d is %#v; want %#v", how, i, got[i], c.Records[i])
		}
	}
	if len(got) != len(c.Records) {
		return fmt.Errorf("%s: %d records %#v; want %d %#v", how, len(got), got, len(c.Records), c.Records)
	}
	return nil
}
