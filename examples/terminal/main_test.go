package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// The program under test is this binary, started again on a terminal of its own.
const asProgram = "TERMINAL_EXAMPLE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const patience = time.Minute

// serve answers one client: a greeting, then every line in capitals, until "quit".
func serve(t *testing.T) (address string, greet func(string)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conns <- conn
		in := bufio.NewScanner(conn)
		for in.Scan() && in.Text() != "quit" {
			fmt.Fprintln(conn, strings.ToUpper(in.Text()))
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	var conn net.Conn
	return l.Addr().String(), func(line string) {
		if conn == nil {
			conn = <-conns
		}
		fmt.Fprintln(conn, line)
	}
}

// terminal is a program on a terminal, and who sits there.
type terminal struct {
	*os.File
	t    *testing.T
	cmd  *exec.Cmd
	seen []byte
}

func start(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	file, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = file.Close() })
	_ = file.SetDeadline(time.Now().Add(patience))
	return &terminal{File: file, t: t, cmd: cmd}
}

func (tm *terminal) types(keys string) {
	tm.t.Helper()
	if _, err := tm.WriteString(keys); err != nil {
		tm.t.Errorf("typing %q: %v", keys, err)
	}
}

// shows waits for text that was not waited for before.
func (tm *terminal) shows(text string) {
	tm.t.Helper()
	buf := make([]byte, 1024)
	for {
		if i := bytes.Index(tm.seen, []byte(text)); i >= 0 {
			tm.seen = tm.seen[i+len(text):]
			return
		}
		n, err := tm.Read(buf)
		tm.seen = append(tm.seen, buf[:n]...)
		if err != nil {
			tm.t.Fatalf("waiting for %q: %v; there is %q", text, err, tm.seen)
		}
	}
}

func (tm *terminal) ends(status int) {
	tm.t.Helper()
	var exit *exec.ExitError
	if err := tm.cmd.Wait(); status == 0 && err != nil || status != 0 && (!errors.As(err, &exit) || exit.ExitCode() != status) {
		tm.t.Errorf("it ended with %v, want status %d; there is %q", err, status, tm.seen)
	}
}

func TestATalk(t *testing.T) {
	address, greet := serve(t)
	history := filepath.Join(t.TempDir(), "history")
	tm := start(t, exec.Command(os.Args[0], "-history", history, address))
	tm.shows("Connected to " + address)
	tm.shows("> ")
	tm.types("hello ther\x1b[D\x1b[D")
	tm.shows("ther")
	greet("welcome\x1b[2J")
	tm.shows("welcome?[2J\r\r\n> hello ther")
	tm.types("\x05e\r")
	tm.shows("HELLO THERE\r\r\n> ")
	tm.types("wel\t\r") // a word that the server has used
	tm.shows("WELCOME?[2J")
	tm.types("half\x03\x1b[A\x1b[A!\r") // drop this one; the last but one again
	tm.shows("HELLO THERE!")
	tm.types("\x04")
	tm.shows("^D")
	tm.ends(0)
	if kept, err := os.ReadFile(history); string(kept) != "hello there\nwelcome?[2J \nhello there!\n" {
		t.Errorf("history %q, %v", kept, err)
	}
}

func TestTheServerHangsUp(t *testing.T) {
	address, _ := serve(t)
	tm := start(t, exec.Command(os.Args[0], address))
	tm.shows("> ")
	tm.types("quit\r")
	tm.shows("The server has hung up.")
	tm.ends(0)
}

// Control-Z stops it with the terminal in order, and fg brings the line back.
func TestW94_JobControl(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no shell with job control here")
	}
	address, _ := serve(t)
	tm := start(t, exec.Command(shell, "--norc", "--noediting", "-i"))
	tm.types("PS1='ready: '\n")
	tm.shows("ready: ")
	tm.types(os.Args[0] + " " + address + "\n")
	tm.shows("Connected")
	tm.shows("> ")
	tm.types("some text\x1b[D\x1b[D\x1b[D\x1b[D\x1a")
	tm.shows("Stopped")
	tm.shows("ready: ")
	tm.types("stty -a\n")
	tm.shows(" icanon")
	tm.shows(" echo ")
	tm.types("fg\n")
	tm.shows("> some text")
	tm.types("more \r")
	tm.shows("SOME MORE TEXT")
	tm.types("\x04")
	tm.shows("ready: ")
	tm.types("stty -a; exit 7\n")
	tm.shows(" icanon")
	tm.ends(7)
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	tm := start(t, exec.Command(os.Args[0], l.Addr().String()))
	tm.shows("connection refused")
	tm.ends(1)
	tm = start(t, exec.Command(os.Args[0]))
	tm.shows("want one argument")
	tm.ends(2)
}
