package backend

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Serializer is how a connection's messages look on the wire.
type Serializer string

const (
	// Protobuf is the default: package filter's Event frames, in which arguments
	// keep their Go kinds.
	Protobuf Serializer = "protobuf"

	// JSON is for peers without protobuf: a decimal length, a NUL and an object
	// with name, args, id, reply_to, to and from. Numbers arrive as float64.
	JSON Serializer = "json"

	// Storable is what Apache::Backend::POE and POE::Filter::Reference speak
	// (B21): there are no hellos, so no authentication but by certificate, and
	// no transactions. Package storable says what becomes of values.
	Storable Serializer = "storable"
)

// dialect is a serializer at work. Messages are encoded once, by whoever sends
// them, so that what is wrong with one is that one's error.
type dialect interface {
	filter() (filter.Filter[filter.Frame, []byte], error) // for one connection
	encode(filter.Frame) ([]byte, error)                  // on any goroutine
}

// headroom is how much longer than MaxFrame a frame may get on its way through
// the server, which adds its sender's name.
const headroom = maxName + 64

func newDialect(s Serializer, maxFrame int, client bool) (dialect, error) {
	maxFrame += headroom
	switch s {
	case Protobuf:
		return newEvents(maxFrame)
	case JSON:
		return newRecords(filter.JSONOf[*jsonFrame](), maxFrame, readJSON, writeJSON)
	}
	return newStorable(maxFrame, client)
}

// checkSerializers completes and checks what a server may choose from.
func checkSerializers(list []Serializer) ([]Serializer, error) {
	if len(list) == 0 {
		return []Serializer{Protobuf, JSON}, nil
	}
	for _, s := range list {
		if !slices.Contains([]Serializer{Protobuf, JSON, Storable}, s) {
			return nil, fmt.Errorf("%w: ServerConfig.Serializers has %.64q; want Protobuf, JSON, Storable", ErrArgument, string(s))
		}
	}
	return list, nil
}

// written is a filter that reads frames and writes what was encoded before.
type written[F filter.Filter[filter.Frame, filter.Frame]] struct{ of F }

func (w written[F]) Feed(p []byte)                     { w.of.Feed(p) }
func (w written[F]) Next() (filter.Frame, bool, error) { return w.of.Next() }
func (w written[F]) Pending() []byte                   { return w.of.Pending() }
func (w written[F]) Append(dst, encoded []byte) ([]byte, error) {
	return append(dst, encoded...), nil
}

// scratch is where frames grow; what is kept of them is as long as they are.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

const keepScratch = 64 << 10

// encodeBy has a filter that is used for nothing else encode a frame.
func encodeBy(f filter.Filter[filter.Frame, filter.Frame], frame filter.Frame) ([]byte, error) {
	box := scratch.Get().(*[]byte)
	b, err := f.Append((*box)[:0], frame)
	switch {
	case err == nil:
		encoded := bytes.Clone(b)
		if cap(b) <= keepScratch {
			*box = b
		}
		scratch.Put(box)
		return encoded, nil
	case errors.Is(err, filter.ErrNotEncodable):
		return nil, fmt.Errorf("backend: message %.64q: %w: %w", frame.Name, kernel.ErrNotEncodable, err)
	}
	return nil, fmt.Errorf("backend: message %.64q: %w", frame.Name, err)
}

// events is Protobuf.
type events struct {
	cfg filter.EventConfig
	out *filter.EventFilter
}

// newEvents leaves room in the buffer for what a wheel reads at once.
func newEvents(maxFrame int) (e events, err error) {
	e.cfg = filter.EventConfig{MaxFrame: maxFrame, MaxBuffer: maxFrame + 1<<20}
	e.out, err = filter.NewEvent(e.cfg)
	return e, err
}

func (e events) filter() (filter.Filter[filter.Frame, []byte], error) {
	f, err := filter.NewEvent(e.cfg)
	return written[*filter.EventFilter]{f}, err
}

func (e events) encode(f filter.Frame) ([]byte, error) { return encodeBy(e.out, f) }

// decode reads what encode made.
func (e events) decode(encoded []byte) (filter.Frame, error) {
	f, err := filter.NewEvent(e.cfg)
	if err != nil {
		return filter.Frame{}, err
	}
	f.Feed(encoded)
	frame, _, err := f.Next()
	return frame, err
}

// records are dialects on POE's framing: a decimal length, a NUL, a record.
type records[T any] struct {
	cfg   filter.ReferenceConfig
	read  func(T) (filter.Frame, error)
	write func(filter.Frame) (T, error)
	out   recordFilter[T]
}

func newRecords[T any](s filter.Serializer, maxFrame int, read func(T) (filter.Frame, error), write func(filter.Frame) (T, error)) (*records[T], error) {
	r := &records[T]{filter.ReferenceConfig{Serializer: s, MaxLength: maxFrame, MaxBuffer: maxFrame + 1<<20}, read, write, recordFilter[T]{}}
	f, err := filter.NewReferenceOf[T](r.cfg)
	r.out = recordFilter[T]{f, r}
	return r, err
}

func (r *records[T]) filter() (filter.Filter[filter.Frame, []byte], error) {
	f, err := filter.NewReferenceOf[T](r.cfg)
	return written[recordFilter[T]]{recordFilter[T]{f, r}}, err
}

func (r *records[T]) encode(f filter.Frame) ([]byte, error) { return encodeBy(r.out, f) }

// recordFilter makes frames of records, and the other way round.
type recordFilter[T any] struct {
	*filter.ReferenceOf[T]
	r *records[T]
}

func (f recordFilter[T]) Next() (frame filter.Frame, ok bool, err error) {
	rec, ok, err := f.ReferenceOf.Next()
	if ok {
		frame, err = f.r.read(rec)
	}
	return frame, ok && err == nil, err
}

func (f recordFilter[T]) Append(dst []byte, frame filter.Frame) ([]byte, error) {
	rec, err := f.r.write(frame)
	if err != nil {
		return dst, fmt.Errorf("filter: %w: %w", filter.ErrNotEncodable, err)
	}
	return f.ReferenceOf.Append(dst, rec)
}

// jsonFrame is a frame of the serializer JSON.
type jsonFrame struct {
	Name    string `json:"name"`
	Args    []any  `json:"args,omitempty"`
	ID      uint64 `json:"id,omitempty"`
	ReplyTo uint64 `json:"reply_to,omitempty"`
	To      string `json:"to,omitempty"`
	From    string `json:"from,omitempty"`
}

func readJSON(j *jsonFrame) (filter.Frame, error) {
	if j == nil {
		return filter.Frame{}, errors.New("backend: a null for a frame")
	}
	return filter.Frame{Name: j.Name, Args: j.Args, ID: j.ID, ReplyTo: j.ReplyTo, To: j.To, From: j.From}, nil
}

func writeJSON(f filter.Frame) (*jsonFrame, error) {
	for _, s := range []string{f.Name, f.To, f.From} {
		if strings.ToValidUTF8(s, "") != s {
			return nil, fmt.Errorf("%.64q is not UTF-8", s)
		}
	}
	return &jsonFrame{f.Name, f.Args, f.ID, f.ReplyTo, f.To, f.From}, nil
}
