package kerneltest

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"

	"github.com/usher-go/usher/kernel"
)

// Step is one line of a Script.
type Step struct {
	event string
	want  []any
	do    []kernel.Handler
	times int
	at    string // where Expect was called
}

// Any, as an argument of Expect, matches every argument.
var Any = any(anyArgument{})

type anyArgument struct{}

// Expect is a step that waits for an event. Without args its arguments are not
// looked at; with args there must be as many, and each must match: a function
// func(T) bool is asked, for an argument of type T; an error matches as errors.Is
// says; everything else as reflect.DeepEqual says.
func Expect(event string, args ...any) *Step {
	s := &Step{event: event, want: args, times: 1}
	if _, file, line, ok := runtime.Caller(1); ok {
		s.at = fmt.Sprintf(" (%s:%d)", filepath.Base(file), line)
	}
	return s
}

// Times has the step wait for n such events in a row, and do the same to each.
func (s *Step) Times(n int) *Step {
	s.times = n
	return s
}

// Then has h handle the event, after what the step does already.
func (s *Step) Then(h kernel.Handler) *Step {
	s.do = append(s.do, h)
	return s
}

// Return gives a call its value.
func (s *Step) Return(v any) *Step {
	return s.Then(func(c *kernel.Context) error { c.Return(v); return nil })
}

// Post sends an event.
func (s *Step) Post(to kernel.Address, event string, args ...any) *Step {
	return s.Then(func(c *kernel.Context) error { return c.Post(to, event, args...) })
}

// Reply sends an event to whoever sent this one.
func (s *Step) Reply(event string, args ...any) *Step {
	return s.Then(func(c *kernel.Context) error { return c.Post(c.Sender(), event, args...) })
}

// Fail has the handler fail: a caller gets err, otherwise it is DIE.
func (s *Step) Fail(err error) *Step {
	return s.Then(func(*kernel.Context) error { return err })
}

func (s *Step) play(c *kernel.Context) error {
	for _, h := range s.do {
		if err := h(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Step) matches(event string, args []any) bool {
	if event != s.event || len(s.want) > 0 && len(s.want) != len(args) {
		return false
	}
	for i, want := range s.want {
		if !match(want, args[i]) {
			return false
		}
	}
	return true
}

func match(want, got any) bool {
	if want == Any {
		return true
	}
	if f := reflect.ValueOf(want); isPredicate(f) {
		return ask(f, got)
	}
	if wanted, ok := want.(error); ok {
		if err, ok := got.(error); ok && errors.Is(err, wanted) {
			return true
		}
	}
	return reflect.DeepEqual(want, got)
}

func ask(f reflect.Value, got any) bool {
	arg, wanted := reflect.ValueOf(got), f.Type().In(0)
	if !arg.IsValid() { // nil has no type, and suits those that have it as a value
		switch wanted.Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
			arg = reflect.Zero(wanted)
		default:
			return false
		}
	}
	return arg.Type().AssignableTo(wanted) && f.Call([]reflect.Value{arg})[0].Bool()
}

func isPredicate(f reflect.Value) bool {
	return f.Kind() == reflect.Func && !f.IsNil() &&
		f.Type().NumIn() == 1 && f.Type().NumOut() == 1 && f.Type().Out(0).Kind() == reflect.Bool && !f.Type().IsVariadic()
}

func (s *Step) String() string {
	text := describe(s.event, s.want)
	if s.times > 1 {
		text += fmt.Sprintf(" %d times", s.times)
	}
	return text + s.at
}
