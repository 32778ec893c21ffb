package kernel_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// madeHere is how a report names the line of its caller.
func madeHere() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf(", made at kernel/%s:%d", filepath.Base(file), line)
}

// numbers are what differs from run to run in a report.
var numbers = regexp.MustCompile(`(in|wheel|process) \d[^,\n]*`)

// wantLines checks that a report has all these lines.
func wantLines(t testing.TB, report string, lines ...string) {
	t.Helper()
	report = numbers.ReplaceAllString(report, "$1 N")
	for _, line := range lines {
		if !strings.Contains(report, line+"\n") {
			t.Errorf("%q is missing in:\n%s", line, report)
		}
	}
}

// With Debug, Explain says of everything where it was made: the line in the
// user's program, not in a package of ours.
func TestExplain_WhereThingsWereMade(t *testing.T) {
	const Typed kernel.Event[int] = "typed"
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		var want []string
		made := func(what, where string, _ any) { want = append(want, what+where) }
		child := func(a kernel.Address, err error) any { must(err); return a }
		watching := func(src *kernel.Source) any { src.Watch(true); return nil }
		start := func(c *kernel.Context) error {
			made(`alias "second" (against collection, not against IDLE)`, madeHere(), c.AliasSet("second"))
			made(`lease "my lease"`, madeHere(), c.Lease("my lease"))
			made(`lease "postback \"back\""`, madeHere(), c.Postback("back"))
			made(`timer "delay" in N`, madeHere(), c.DelaySet("delay", time.Hour))
			made(`timer "typed" in N`, madeHere(), Typed.DelaySet(c, time.Hour, 1))
			made(`wheel N, pipe, holds nothing`, madeHere(), c.NewSource("pipe", nil, nil))
			made(`wheel N, socket, watching`, madeHere(), watching(c.NewSource("socket", nil, nil)))
			made(`child #2`, madeHere(), child(c.Spawn(nop)))
			return nil
		}
		made("session #1 (first, second)", madeHere(), child(k.Spawn(session.New(session.Handle("_start", start)), kernel.Alias("first"))))
		wantLines(t, k.Explain("first"), want...)
		k.Stop()
		k.run()
	})
}

// Explain of the kernel says by its tag what holds it open.
func TestExplain_TheKernel(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		k := boot(t, m, debug)
		control, where := k.Hold("control socket"), madeHere()
		node := k.Hold("node")
		k.spawn(nop)
		wantLines(t, k.Explain(""), "kernel", `  hold "control socket"`+where, "  sessions alive: 1")
		control()
		control()
		if got := k.Explain(""); strings.Contains(got, "control") || !strings.Contains(got, `hold "node"`) {
			t.Errorf("after release:\n%s", got)
		}
		node()
		k.run()
		expect(t, "at the end", k.Explain(""), "kernel\n")
	})
}
