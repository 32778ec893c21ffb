package kernel_test

import (
	"context"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// The names that code outside this repository is compiled against. Adding to them
// is free; what does not compile here any more breaks somebody's program.
var (
	_ interface {
		Spawn(kernel.Receiver, ...kernel.SpawnOption) (kernel.Address, error)
		SpawnHeld(kernel.Receiver, ...kernel.SpawnOption) (*kernel.Lease, error)
		Run(context.Context) error
		Step() bool
		Stop()
		Hold(tag string) (release func())
		Post(to kernel.Address, event string, args ...any) error
		Call(ctx context.Context, to kernel.Address, event string, args ...any) (any, error)
		Signal(to kernel.Address, name string, args ...any) error
		Resolve(kernel.Address) (kernel.Address, bool)
		PID(kernel.Address) (*actor.PID, bool)
		Describe(name string, f func() any)
		Explain(kernel.Address) string
		Goroutines() []string
		Sessions() []kernel.Address
		Advance(limit time.Time) bool
	} = (*kernel.Kernel)(nil)

	_ interface {
		Event() string
		Args() []any
		Arg(i int) any
		Wheel() kernel.WheelID
		Self() kernel.Address
		Sender() kernel.Address
		Kernel() *kernel.Kernel
		Now() time.Time
		Done() <-chan struct{}
		Return(v any)
		Post(to kernel.Address, event string, args ...any) error
		Yield(event string, args ...any) error
		Call(to kernel.Address, event string, args ...any) (any, error)
		CallContext(ctx context.Context, to kernel.Address, event string, args ...any) (any, error)
		Spawn(kernel.Receiver, ...kernel.SpawnOption) (kernel.Address, error)
		Stop()
		Delay(event string, d time.Duration, args ...any)
		DelayAdd(event string, d time.Duration, args ...any)
		DelaySet(event string, d time.Duration, args ...any) kernel.TimerID
		Alarm(event string, at time.Time, args ...any)
		AlarmAdd(event string, at time.Time, args ...any)
		AlarmSet(event string, at time.Time, args ...any) kernel.TimerID
		AlarmClear(event string) int
		DelayAdjust(kernel.TimerID, time.Duration) (time.Time, error)
		AlarmAdjust(kernel.TimerID, time.Duration) (time.Time, error)
		AlarmRemove(kernel.TimerID) (kernel.Timer, error)
		AlarmRemoveAll() []kernel.Timer
		AliasSet(name string) error
		AliasRemove(name string) error
		AliasList() []string
		Sig(name, event string, args ...any)
		SigHandled()
		SigChild(pid int, event string, args ...any)
		Signal(to kernel.Address, name string, args ...any) error
		State(event string, h kernel.Handler)
		DetachChild(child kernel.Address) error
		DetachMyself() error
		Lease(tag string) *kernel.Lease
		Postback(event string, args ...any) *kernel.Postback
		Monitor(to kernel.Address, event string, args ...any) error
		SelectRead(h syscall.Conn, event string, args ...any) error
		SelectWrite(h syscall.Conn, event string, args ...any) error
		SelectPauseRead(h syscall.Conn) error
		SelectResumeRead(h syscall.Conn) error
		SelectPauseWrite(h syscall.Conn) error
		SelectResumeWrite(h syscall.Conn) error
	} = (*kernel.Context)(nil)

	_ interface {
		Post(event string, args ...any) error
		Address() kernel.Address
		Release()
	} = (*kernel.Lease)(nil)

	_ interface {
		Call(args ...any) error
		Release()
	} = (*kernel.Postback)(nil)

	_ interface {
		Name() string
		Post(*kernel.Context, kernel.Address, int) error
		Yield(*kernel.Context, int) error
		Call(*kernel.Context, kernel.Address, int) (any, error)
		Delay(*kernel.Context, time.Duration, int)
		DelayAdd(*kernel.Context, time.Duration, int)
		DelaySet(*kernel.Context, time.Duration, int) kernel.TimerID
		Alarm(*kernel.Context, time.Time, int)
		AlarmAdd(*kernel.Context, time.Time, int)
		AlarmSet(*kernel.Context, time.Time, int) kernel.TimerID
		PostFrom(*kernel.Kernel, kernel.Address, int) error
	} = kernel.Event[int]("")

	_ = kernel.Config{
		Mode: kernel.Parallel, Workers: 0, Seed: 0, Observer: (*kernel.Observer)(nil), Network: kernel.Network(nil),
		CallTimeout: time.Duration(0), StopTimeout: time.Duration(0), System: (*actor.ActorSystem)(nil),
	}
	_ = []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated}
	_ = kernel.Timer{Event: "", Due: time.Time{}, Args: []any(nil)}
	_ = kernel.PostError{Event: "", To: kernel.Address(""), Args: []any(nil), Err: error(nil)}
	_ = kernel.Exception{Session: kernel.Address(""), Event: "", Source: kernel.Address(""), Err: error(nil), Stack: []byte(nil)}
	_ = []error{
		kernel.ErrNoSession, kernel.ErrStopped, kernel.ErrDeadlock, kernel.ErrTimeout, kernel.ErrQueueFull, kernel.ErrAliasTaken,
		kernel.ErrNotChild, kernel.ErrNoTimer, kernel.ErrNoNode, kernel.ErrNotEncodable, kernel.ErrArgument,
	}
	_ func(string) kernel.SpawnOption                                           = kernel.Alias
	_ func(...any) kernel.SpawnOption                                           = kernel.Args
	_ func(int) kernel.SpawnOption                                              = kernel.QueueLimit
	_ func(actor.SupervisorStrategy, func() kernel.Receiver) kernel.SpawnOption = kernel.Supervise
	_ func(kernel.Config) *kernel.Kernel                                        = kernel.New
	_ func(...session.State) *session.Session                                   = session.New
	_ func(kernel.Event[int], func(*kernel.Context, int) error) session.State   = session.On[int]
	_ func(kernel.Event[int], kernel.Handler) session.State                     = session.Handle[kernel.Event[int]]
	_ func(string, kernel.Handler) session.State                                = session.Handle[string]
)
