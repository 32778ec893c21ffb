package wheel_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

// louder runs in a process of its own.
var louder = wheel.Program("louder", func(args []string) error {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fmt.Println(strings.ToUpper(in.Text()) + args[0])
	}
	return in.Err()
})

// The program's main begins with wheel.RunPrograms(), as does this test's TestMain.
func ExampleProgram() {
	const (
		Heard kernel.Event[string] = "heard"
		Gone  kernel.Event[error]  = "gone"
	)
	k := kernel.New(kernel.Config{})
	_, err := k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			child, err := wheel.NewRun(c, wheel.RunConfig{
				Func: louder, ProgramArgs: []string{"!"}, StdoutEvent: Heard, CloseEvent: Gone,
			})
			if err != nil {
				return err
			}
			defer child.CloseStdin()
			return child.Put("hello", "good bye")
		}),
		session.On(Heard, func(_ *kernel.Context, line string) error { fmt.Println(line); return nil }),
		session.On(Gone, func(_ *kernel.Context, why error) error { fmt.Println("gone:", why); return nil }),
	))
	if err == nil {
		err = k.Run(context.Background())
	}
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// HELLO!
	// GOOD BYE!
	// gone: <nil>
}
