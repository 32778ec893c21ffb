package wheel

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// quickPort has written everything, and failed, before TryWrite returns.
type quickPort struct {
	port
	err error
}

func (quickPort) TryWrite(p []byte) (int, error) { return len(p), nil }
func (p quickPort) written() (int, bool, error)  { return 0, false, p.err }

// An error that a writer's goroutine had beside a full write comes without another
// Put.
func TestOutputTellsAnErrorBesideAFullWrite(t *testing.T) {
	k := kerneltest.New(t)
	fault := errors.New("written, but")
	o := output{port: quickPort{err: fault}, max: 100}
	_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
		o.src = c.NewSource("test", func(*kernel.Context) { o.flush(); o.src.Close() }, func() {})
		return o.put("Put", "max", []byte("x"))
	})))
	if err != nil {
		t.Fatal(err)
	}
	kerneltest.Run(t, k)
	if o.err != fault {
		t.Errorf("told %v, want %v", o.err, fault)
	}
}
