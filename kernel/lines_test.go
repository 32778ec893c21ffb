package kernel_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// page collects lines, and fails on a Write that is not one.
type page struct {
	t  *testing.T
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *page) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n' {
		p.t.Errorf("not one line: %q", line)
	}
	return p.b.Write(line)
}

// lines are what was written, without what differs from run to run.
func (p *page) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := strings.ReplaceAll(p.b.String(), fmt.Sprintf("=== %d === ", os.Getpid()), "")
	text = regexp.MustCompile(`after [0-9.]+[nµm]?s`).ReplaceAllString(text, "after a while")
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func traced(t *testing.T, words string) (*page, func(*kernel.Config)) {
	t.Helper()
	p := &page{t: t}
	o, err := kernel.Lines(p, words)
	must(err)
	return p, also(o)
}

// guests is a small program whose lines are known.
func guests(k *fixture) {
	k.spawn(table{
		"_start": func(c *kernel.Context) error { must(c.AliasSet("bar")); return c.AliasSet("a\nb") },
		"ask": func(c *kernel.Context) error {
			c.Return(7)
			return c.AliasRemove("a\nb")
		},
	})
	k.spawn(table{
		"_start": func(c *kernel.Context) error {
			c.Sig("IDLE", "idle")
			_, err := c.Call("bar", "ask")
			must(err)
			_ = c.Post("nobody", "x")
			return c.Post("bar", "unknown")
		},
		"idle": func(*kernel.Context) error { return nil },
	}, kernel.Alias("guest"))
}

// D2, D3, D17: the lines of a run, with sessions by their ID and sorted aliases.
func TestD2_D3_D17_Lines(t *testing.T) {
	p, all := traced(t, "all")
	k := boot(t, kernel.Simulated, all)
	guests(k)
	k.run()
	want := strings.Split(strings.TrimSpace(`
<rc> #1 + creator, now 1
<ss> #1 is spawned, a child of kernel
<ev> 65536 "_start" begins in #1, by kernel
<rc> #1 (bar) + alias "bar", now 2
<rc> #1 (a b, bar) + alias "a\nb", now 3
<ev> 65536 "_start" ends after 0s
<rc> #2 + creator, now 1
<rc> #2 (guest) + alias "guest", now 2
<ss> #2 (guest) is spawned, a child of kernel
<ev> 65537 "_start" begins in #2 (guest), by kernel
<sg> #2 (guest) watches IDLE with "idle"
<ca> 65538 "ask" begins in #1 (a b, bar), by call from #2 (guest) (in 65537)
<rc> #1 (bar) - alias "a\nb", now 2
<ca> 65538 "ask" ends after 0s
<rv> #2 (guest) gets an error from Post: event "x" to nobody: no such session; is it spawned, and its alias set, before this post? (in 65537)
<ev> 65539 "unknown" is posted to #1 (bar) by #2 (guest) (in 65537)
<ev> 65537 "_start" ends after 0s
<rc> #1 (bar) - creator, now 1
<rc> #2 (guest) - creator, now 1
<ev> 65539 "unknown" begins in #1 (bar), by post from #2 (guest) (in 65537)
<ev> 65539 "unknown" ends after 0s
<ev> 65539 "unknown" is unhandled by #1 (bar)
<sg> IDLE is sent to everyone
<sg> IDLE reaches #2 (guest), #1 (bar)
<ev> 65540 "idle" begins in #2 (guest), by signal
<ev> 65540 "idle" ends after 0s
<sg> IDLE is handled by nobody; 2 sessions stop
<ss> #2 (guest) stops: signal IDLE
<ev> 65541 "_stop" begins in #2 (guest), by kernel
<ev> 65541 "_stop" ends after 0s
<rc> #2 (guest) - alias "guest", now 0
<ss> #2 (guest) has stopped
<ss> #1 (bar) stops: signal IDLE
<ev> 65542 "_stop" begins in #1 (bar), by kernel
<ev> 65542 "_stop" ends after 0s
<rc> #1 (bar) - alias "bar", now 0
<ss> #1 (bar) has stopped`), "\n")
	got := p.lines()
	for i, line := range got {
		got[i] = strings.ReplaceAll(line, "after a while", "after 0s")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if head := fmt.Sprintf("=== %d === <rc> #1", os.Getpid()); !strings.HasPrefix(p.b.String(), head) {
		t.Errorf("the lines do not begin with %q", head)
	}
}

// Each word has lines of its own tag only, each with the process in front (D2), in
// every mode.
func TestD1_D2_EachWordItsLines(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for word, tag := range map[string]string{
			"events": "ev", "calls": "ca", "timers": "ti", "refs": "rc", "sessions": "ss", "signals": "sg", "returns": "rv", "files": "fh",
		} {
			p, lines := traced(t, " "+strings.ToUpper(word)+" ,")
			k := boot(t, m, lines)
			guests(k)
			k.spawn(table{"_start": func(c *kernel.Context) error {
				c.Delay("x", time.Millisecond)
				c.NewSource("test", func(*kernel.Context) {}, nil).Close()
				return nil
			}, "x": nop.none})
			k.run()
			for _, line := range p.lines() {
				if !strings.HasPrefix(line, "<"+tag+"> ") {
					t.Errorf("%s: %q; want a line of <%s>", word, line, tag)
				}
			}
			head := fmt.Sprintf("=== %d === <%s> ", os.Getpid(), tag)
			expect(t, word+": lines that begin as they should", strings.Count("\n"+p.b.String(), "\n"+head), len(p.lines()))
		}
	})
}

// Without words there are no lines; words that do not exist are an error that
// lists those that do, POE's switches without effect (D10) among them.
func TestD1_D10_UnknownWords(t *testing.T) {
	p, none := traced(t, "")
	k := boot(t, kernel.Simulated, none)
	guests(k)
	k.run()
	if p.b.Len() > 0 {
		t.Errorf("lines nobody asked for: %s", p.b.String())
	}
	p = &page{t: t}
	o, err := kernel.Lines(p, "statistics,sessions,profile")
	if !errors.Is(err, kernel.ErrArgument) {
		t.Errorf("got %v, want ErrArgument", err)
	}
	want := `nothing to trace is called "statistics", "profile"; want some of calls, events, files, refs, returns, sessions, signals, timers, or all`
	if !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %q, want %q at the end", err, want)
	}
	k = boot(t, kernel.Simulated, also(o))
	guests(k)
	k.run()
	if !strings.Contains(p.b.String(), "<ss>") {
		t.Error("the words that exist have no effect")
	}
}

// TestTracedProgram is the program of the tests below; the environment says when.
func TestTracedProgram(t *testing.T) {
	if os.Getenv("USHER_TEST_TRACED") == "" {
		t.Skip("it runs as a child of the tests below")
	}
	for range 2 {
		guests(boot(t, kernel.Simulated))
	}
}

func tracedProgram(t *testing.T, env ...string) (stderr string, pid int) {
	t.Helper()
	exe, err := os.Executable()
	must(err)
	cmd := exec.Command(exe, "-test.run=^TestTracedProgram$")
	cmd.Env = append(os.Environ(), append([]string{"USHER_TEST_TRACED=1", "USHER_TRACE_FILE="}, env...)...)
	var b bytes.Buffer
	cmd.Stderr = &b
	must(cmd.Run())
	return b.String(), cmd.Process.Pid
}

// The environment alone has every kernel of a program traced.
func TestD1_D2_EnvironmentAlone(t *testing.T) {
	got, pid := tracedProgram(t, "USHER_TRACE=sessions,refs")
	line := fmt.Sprintf("=== %d === <ss> #2 (guest) is spawned, a child of kernel\n", pid)
	expect(t, "such lines", strings.Count(got, line), 2)
	expect(t, "lines of refs", strings.Contains(got, "<rc>"), true)
	expect(t, "lines of events", strings.Contains(got, "<ev>"), false)
	got, _ = tracedProgram(t, "USHER_TRACE=")
	expect(t, "lines without it", got, "")
}

func TestD1_EnvironmentWithUnknownWords(t *testing.T) {
	got, _ := tracedProgram(t, "USHER_TRACE=sesions,returns")
	expect(t, "complaints", strings.Count(got, `usher: USHER_TRACE: bad argument: nothing to trace is called "sesions"; want some of calls,`), 1)
	expect(t, "lines of the others", strings.Contains(got, "<rv>"), true)
}

// Unlike POE's, the file gets the trace lines themselves, and may lie anywhere (D11).
func TestD11_TraceFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lines")
	must(os.WriteFile(name, []byte("kept\n"), 0o600))
	got, _ := tracedProgram(t, "USHER_TRACE=sessions", "USHER_TRACE_FILE="+name)
	expect(t, "standard error", got, "")
	text, err := os.ReadFile(name)
	must(err)
	if !strings.HasPrefix(string(text), "kept\n=== ") || strings.Count(string(text), "is spawned") != 4 {
		t.Errorf("the file has\n%s", text)
	}
	got, _ = tracedProgram(t, "USHER_TRACE=sessions", "USHER_TRACE_FILE="+filepath.Join(name, "below a file"))
	expect(t, "complaints", strings.Count(got, "usher: USHER_TRACE_FILE: "), 1)
	expect(t, "lines on standard error instead", strings.Count(got, "is spawned"), 4)
}
