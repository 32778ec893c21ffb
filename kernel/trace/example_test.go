package trace_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
	"github.com/usher-go/usher/session"
)

// errand has a boss send a messenger somewhere. It ends by itself.
func errand(observer *kernel.Observer, arrived kernel.Handler) {
	k := kernel.New(kernel.Config{Mode: kernel.Simulated, Observer: observer})
	k.Spawn(session.New(
		session.Handle("go", func(c *kernel.Context) error { c.Delay("arrived", time.Hour); return nil }),
		session.Handle("arrived", arrived),
	), kernel.Alias("messenger"))
	k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error { return c.Post("messenger", "go") }),
		session.Handle("done", func(c *kernel.Context) error { return nil }),
	), kernel.Alias("boss"))
	if err := k.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
}

func Example() {
	rec := trace.NewRecorder(0)
	errand(rec.Observer(), func(c *kernel.Context) error { return c.Post("boss", "done") })
	rec.Snapshot().WriteTree(os.Stdout)
	// Output:
	//        +0s  _start → #1 (messenger)
	//        +0s  _start → #2 (boss)
	//        +0s    go → #1 (messenger), posted by #2 (boss)
	//    +1h0m0s      arrived → #1 (messenger), timer
	//    +1h0m0s        done → #2 (boss), posted by #1 (messenger)
	//    +1h0m0s  signal IDLE → everyone: nobody handles it, it stops 2
	//    +1h0m0s  #2 (boss) stops: signal IDLE
	//    +1h0m0s  _stop → #2 (boss)
	//    +1h0m0s  #1 (messenger) stops: signal IDLE
	//    +1h0m0s  _stop → #1 (messenger)
}

// A handler asks why it runs.
func ExampleRecorder_Why() {
	rec := trace.NewRecorder(0)
	errand(rec.Observer(), func(c *kernel.Context) error {
		fmt.Print(rec.Why(c.Seq()))
		return nil
	})
	// Output:
	// arrived → #1 (messenger), timer
	// because go → #1 (messenger), posted by #2 (boss)
	// because _start → #2 (boss)
}

func ExampleSnapshot_WriteMermaid() {
	rec := trace.NewRecorder(0)
	errand(rec.Observer(), func(c *kernel.Context) error { return c.Post("boss", "done") })
	rec.Snapshot().WriteMermaid(os.Stdout)
	// Output:
	// sequenceDiagram
	//     participant kernel as kernel
	//     participant s1 as #35;1 (messenger)
	//     participant s2 as #35;2 (boss)
	//     kernel->>s1: _start
	//     kernel->>s2: _start
	//     s2-)s1: go
	//     s1-)s1: arrived (timer)
	//     s1-)s2: done
	//     Note over s2: stops#58; signal IDLE
	//     kernel->>s2: _stop
	//     Note over s1: stops#58; signal IDLE
	//     kernel->>s1: _stop
}
