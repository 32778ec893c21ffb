package wheel_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

func TestMain(m *testing.M) {
	if os.Getenv(forgetfulVariable) == "" {
		wheel.RunPrograms()
	}
	// The race detector has every process wait a second before it exits.
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	os.Exit(m.Run())
}

// The test binary is the child process of many tests, as one of these functions.
var (
	catProgram     = wheel.Program("cat", copyInput)
	argsProgram    = wheel.Program("args", tellArgs)
	failProgram    = wheel.Program("fail", func([]string) error { return errors.New("no luck\ntoday") })
	panicProgram   = wheel.Program("panic", func([]string) error { panic("out of order") })
	addProgram     = wheel.Program("add", addFrames)
	floodProgram   = wheel.Program("flood", flood)
	terminalFacts  = wheel.Program("terminal", tellTerminal)
	winsizeProgram = wheel.Program("winsize", tellWinsizes)
	hangUpProgram  = wheel.Program("hang up", tellHangUp)
	untilEnd       = wheel.Program("until end", echoUntilEnd)
	filesProgram   = wheel.Program("files", tellFiles)
)

func copyInput([]string) error {
	_, err := io.Copy(struct{ io.Writer }{os.Stdout}, struct{ io.Reader }{os.Stdin})
	return err
}

// tellArgs prints its arguments, and whether a program that it starts would take
// itself for a function.
func tellArgs(args []string) error {
	_, marked := os.LookupEnv("USHER_PROGRAM")
	_, err := fmt.Println(os.Args[0], strings.Join(args, "|"), marked, os.Getenv("COLOUR"))
	return err
}

// addFrames answers each frame with the sum of its arguments, and a frame named
// "break" with the first half of one.
func addFrames([]string) error {
	f := filter.Event()
	buf := make([]byte, 4096)
	for {
		n, err := os.Stdin.Read(buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f.Feed(buf[:n])
		for q, err := range filter.Records(f) {
			if err != nil {
				return err
			}
			sum := 0
			for _, v := range q.Args {
				sum += v.(int)
			}
			out, err := f.Append(nil, filter.Frame{Name: "sum", Args: []any{sum}, ReplyTo: q.ID})
			if err != nil {
				return err
			}
			if q.Name == "break" {
				out = append(out, out[:len(out)/2]...)
			}
			if _, err := os.Stdout.Write(out); err != nil {
				return err
			}
		}
	}
}

// flood writes so many bytes as its last act, in one write.
func flood(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	p := make([]byte, n)
	for i := range p {
		p[i] = 'x'
	}
	_, err = os.Stdout.Write(p)
	return err
}

func tellTerminal([]string) error {
	for fd := range 3 {
		fmt.Print(term.IsTerminal(fd), " ")
	}
	t, err := unix.IoctlGetTermios(0, wheel.IoctlGetTermios)
	if err != nil {
		return err
	}
	sid, err := unix.Getsid(0)
	if err != nil {
		return err
	}
	own, err := os.Open("/dev/tty")
	if err != nil {
		return err
	}
	defer own.Close()
	fmt.Println("canonical", t.Lflag&unix.ICANON != 0, "echo", t.Lflag&unix.ECHO != 0, "leads", sid == os.Getpid())
	fmt.Fprintln(os.Stderr, "complaint")
	return nil
}

// tellWinsizes prints the size, and again after each change, until its input ends
// or is typed into.
func tellWinsizes([]string) error {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1))
		close(changed)
	}()
	for {
		w, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
		if err != nil {
			return err
		}
		fmt.Println(w.Row, w.Col, w.Xpixel, w.Ypixel)
		if _, ok := <-changed; !ok {
			return nil
		}
	}
}

// tellHangUp waits for SIGHUP and says so on descriptor 3.
func tellHangUp([]string) error {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	fmt.Println("ready")
	<-c
	_, err := os.NewFile(3, "witness").WriteString("hung up\n")
	return err
}

// echoUntilEnd quotes what it reads up to a ^D.
func echoUntilEnd([]string) error {
	s, err := bufio.NewReader(os.Stdin).ReadString(4)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%q\n", s)
	return err
}

// tellFiles prints what its descriptor 3 holds, and whether it has a file of one of
// the names open.
func tellFiles(args []string) error {
	b, err := io.ReadAll(os.NewFile(3, "extra"))
	if err != nil {
		return err
	}
	open := false
	for fd := range 256 {
		link, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		open = open || err == nil && link == args[0]
	}
	_, err = fmt.Println(string(b), open)
	return err
}
