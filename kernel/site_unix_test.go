//go:build unix

package kernel_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// Watched handles and processes are in the report, too, with Debug or without.
func TestExplain_HandlesAndProcesses(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, on := range []bool{true, false} {
			k := boot(t, m, func(c *kernel.Config) { c.Debug = on })
			r, w, err := os.Pipe()
			must(err)
			defer r.Close()
			defer w.Close()
			cmd := exec.Command("cat")
			in, err := cmd.StdinPipe()
			must(err)
			launch(t, cmd)
			var want []string
			made := func(what, where string, err error) {
				must(err)
				if !on && !kernel.AlwaysDebug {
					where = ""
				}
				want = append(want, what+where)
			}
			a := k.spawn(table{"_start": func(c *kernel.Context) error {
				made("wheel N, SelectRead, watching", madeHere(), c.SelectRead(r, "x"))
				made("wheel N, SelectWrite, watching", madeHere(), c.SelectWrite(w, "y"))
				made("process N", madeHere(), func() error { c.SigChild(cmd.Process.Pid, "z"); return nil }())
				return nil
			}})
			wantLines(t, k.Explain(a), want...)
			must(in.Close())
			k.Stop()
			k.run()
		}
	})
}
