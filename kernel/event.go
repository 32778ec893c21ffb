package kernel

// event is what travels: by value, through the receiver's queue, never as a
// Proto.Actor message. Two arguments ride inside; more of them in a slice.
type event struct {
	name  string
	from  *session // nil: the kernel, or a goroutine outside any session
	a     [2]any
	ref   uint64 // evTimer: which timer; evPost: uncounted, or 0
	seq   uint64 // with an observer: this event's number …
	cause uint64 // … and that of the event that brought it about
	n     uint32 // number of arguments
	kind  kind
	via   Via // for observers
}

type kind uint8

const (
	evPost  kind = iota // name and arguments, for the receiver
	evTimer             // ref is due
	evWheel             // a[0] is a *Source whose turn it is
	evJob               // a[0] is a job: kernel work that needs the session's token
	evRaw               // a[0] came from a plain actor, a[1] is its PID
	evSys               // a[0] is a Proto.Actor system message
	evNudge             // serial inbox only: look whether the session is still held
)

// counts reports whether the event comes under its receiver's QueueLimit.
func (e *event) counts() bool { return (e.kind == evPost || e.kind == evRaw) && e.ref == 0 }

// uncounted in an evPost's ref says that it does not come under QueueLimit.
const uncounted = 1

// job is kernel work done with a session's token. alive is false when the
// session ended before its turn came; later is true when the job waited in the
// queue instead of running at once.
type job func(ch *chain, alive, later bool)

// fill makes an event of e, which is zero.
func (e *event) fill(name string, from *session, args []any) {
	e.name, e.from = name, from
	e.setArgs(args)
}

// copy makes e the same as o, word by word: what fill has just stored word by
// word, wide loads would have to wait for.
func (e *event) copy(o *event) {
	e.name, e.from = o.name, o.from
	e.a[0], e.a[1] = o.a[0], o.a[1]
	e.ref, e.seq, e.cause = o.ref, o.seq, o.cause
	e.n, e.kind, e.via = o.n, o.kind, o.via
}

// setArgs copies args into the event. The slice itself is not kept, so that a
// caller's variadic slice stays on its stack.
func (e *event) setArgs(args []any) {
	e.n = uint32(len(args))
	switch len(args) {
	case 0:
	case 1:
		e.a[0] = args[0]
	case 2:
		e.a[0], e.a[1] = args[0], args[1]
	default:
		more := make([]any, len(args))
		copy(more, args)
		e.a[0] = &more
	}
}

func (e *event) arg(i int) any {
	switch {
	case i < 0 || i >= int(e.n):
		return nil
	case e.n <= 2:
		return e.a[i]
	default:
		return (*e.a[0].(*[]any))[i]
	}
}

// args returns a fresh slice.
func (e *event) args() []any {
	switch {
	case e.n == 0:
		return nil
	case e.n <= 2:
		return append([]any(nil), e.a[:e.n]...)
	default:
		return append([]any(nil), *e.a[0].(*[]any)...)
	}
}
