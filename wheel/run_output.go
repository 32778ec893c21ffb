package wheel

import (
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Output is what becomes of an output of a process. [Decode] makes one; the zero
// value stands for none.
type Output struct{ r records }

// records is a filter and its event, whatever they carry.
type records interface {
	input() unparsed
	step(c *kernel.Context, t *tap) verdict
	missing() string
}

// Decode has f turn an output into records, each of which event carries. The
// filter serves that output alone.
//
//	wheel.RunConfig{Func: worker, Stdout: wheel.Decode(filter.Event(), GotFrame)}
func Decode[In, Out any](f filter.Filter[In, Out], event kernel.Event[In]) Output {
	return Output{&decoding[In, Out]{f, event}}
}

func (o Output) set() bool { return o.r != nil }

func (o Output) check(field string) error {
	if !o.set() {
		return misconfigured(field, "is empty; make it with Decode")
	}
	if what := o.r.missing(); what != "" {
		return misconfigured(field, "was made by Decode without %s; give it one", what)
	}
	return nil
}

type decoding[In, Out any] struct {
	filter filter.Filter[In, Out]
	event  kernel.Event[In]
}

var _ records = (*decoding[string, string])(nil)

func (d *decoding[In, Out]) input() unparsed { return d.filter }

func (d *decoding[In, Out]) step(c *kernel.Context, t *tap) verdict {
	v, _ := next(d.filter.Next()).deliver(c, t.src, d.event, t.failed, t.stream)
	return v
}

func (d *decoding[In, Out]) missing() string {
	switch {
	case d.filter == nil:
		return "a filter"
	case d.event == "":
		return "an event"
	}
	return ""
}
