//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usher-go/usher/kernel"
)

func TestIII18_PIDFileIsOwnedByWhoLockedIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil { // left behind; 1 lives
		t.Fatal(err)
	}
	first, second := &pidFile{path: path}, &pidFile{path: path}
	if err := errors.Join(first.free(), first.write()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != fmt.Sprintln(os.Getpid()) {
		t.Errorf("it holds %q", got)
	}
	for name, f := range map[string]func() error{"free": second.free, "write": second.write} {
		err := f()
		if !errors.Is(err, ErrPIDFile) || !strings.Contains(err.Error(), fmt.Sprintf("process %q", fmt.Sprint(os.Getpid()))) {
			t.Errorf("%s, while another owns it: %v", name, err)
		}
	}
	second.remove() // owns nothing
	if _, err := New(kernel.New(kernel.Config{}), Config{Server: serveLines, PIDFile: path}); !errors.Is(err, ErrPIDFile) {
		t.Errorf("New: %v", err)
	}
	first.remove()
	if err := second.write(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte("7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	second.remove() // somebody has put another one there
	if got, _ := os.ReadFile(path); string(got) != "7\n" {
		t.Errorf("it holds %q", got)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".pid-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := (&pidFile{path: path + "/none/pid"}).write(); !errors.Is(err, ErrPIDFile) {
		t.Errorf("where no file can be: %v", err)
	}
	none := &pidFile{}
	if err := errors.Join(none.free(), none.write()); err != nil {
		t.Error(err)
	}
	none.remove()
}

// crowded can never have as many idle workers as it should.
var crowded = pool("crowded", func(dir string) Config {
	return Config{
		Listen: []string{"tcp://:0"}, MinSpareServers: 3, MaxClients: 1, CheckSpares: quick,
		PIDFile: filepath.Join(dir, "pid"), Server: serveLines,
	}
})

func TestIII18_ReadyWithAsManyAsThereMayBe(t *testing.T) {
	r := crowded.run(t, kernel.Parallel, nil)
	until(t, "the PID file", func() bool { _, err := os.Stat(filepath.Join(r.dir, "pid")); return err == nil })
	_ = r.Shutdown()
	if err := r.wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(r.dir, "pid")); err == nil {
		t.Error("the PID file is left")
	}
}

func TestIII18_NoSuchSocketPassedOn(t *testing.T) {
	_, err := open(t, "systemd://web")
	var e *ListenError
	if !errors.As(err, &e) || !errors.Is(err, errNotPassed) || !strings.Contains(err.Error(), "FileDescriptorName=") {
		t.Errorf("open: %v", err)
	}
	a, err := ParseAddress("f", "systemd://web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Listen(net.Listen); err == nil || strings.Count(err.Error(), "FileDescriptorName=") != 1 {
		t.Errorf("Address.Listen: %v", err)
	}
	for _, bad := range []string{"systemd://a:b", "systemd://a\n", "systemd://" + strings.Repeat("x", 256)} {
		if _, err := parseListen("Listen[0]", bad); err == nil {
			t.Errorf("%.20q is taken", bad)
		}
	}
}

var supervised = pool("supervised", func(string) Config {
	return Config{
		Listen: []string{"systemd://web", "systemd://"}, StartServers: 2, MaxClients: 2, MaxRequests: Unlimited,
		CheckSpares: quick, Notify: true, Server: serveLines,
	}
})

// A service manager's side: it opens the sockets, and hears what becomes of the
// service.
func TestIII18_P10_SocketActivationAndNotify(t *testing.T) {
	dir := t.TempDir()
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "n"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	_ = manager.SetReadDeadline(time.Now().Add(patience))
	hears := func(want string) {
		t.Helper()
		buf := make([]byte, 4096)
		for {
			n, err := manager.Read(buf)
			if err != nil {
				t.Fatalf("%s was not said: %v", want, err)
			}
			if strings.HasPrefix(string(buf[:n]), want) {
				return
			}
		}
	}
	start := filepath.Join(dir, "start") // LISTEN_PID is known in the process only
	if err := os.WriteFile(start, []byte("#!/bin/sh\nLISTEN_PID=$$ exec \"$EXE\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var addrs []string
	f := supervised.startAs(t, kernel.Parallel, start, func(f *foreign) {
		for range 2 {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			file, err := ln.(*net.TCPListener).File()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = file.Close() })
			f.ExtraFiles = append(f.ExtraFiles, file)
			addrs = append(addrs, "tcp "+ln.Addr().String())
		}
		f.Env = append(os.Environ(), "EXE="+os.Args[0], "LISTEN_FDS=2", "LISTEN_FDNAMES=other:web",
			"NOTIFY_SOCKET="+manager.LocalAddr().String(), "WATCHDOG_USEC=100000")
	})
	if len(f.addrs) != 2 || f.addrs[0] != addrs[1] || f.addrs[1] != addrs[0] {
		t.Fatalf("it listens on %v, was given %v", f.addrs, addrs)
	}
	hears("READY=1")
	hears("STATUS=2 idle, 0 busy, 2 processes; generation 1")
	hears("WATCHDOG=1")
	for i := range 2 {
		if got := f.dial(i).ask("hello"); got != "hello" {
			t.Errorf("answer %q", got)
		}
	}
	f.signal(syscall.SIGHUP)
	hears("RELOADING=1\nMONOTONIC_USEC=")
	hears("READY=1")
	hears("WATCHDOG=1")
	f.signal(syscall.SIGTERM)
	hears("STOPPING=1")
	f.signal(syscall.SIGTERM)
	if err := f.exits(); err != nil {
		t.Error(err)
	}
}

func TestIII18_SomethingElsePassedOn(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	was, read := activated.left, activated.read
	activated.left, activated.read = []*os.File{os.NewFile(uintptr(fds[0]), "web")}, true
	defer func() { activated.left, activated.read = was, read }()
	if _, err := open(t, "systemd://web"); !errors.Is(err, errNotListening) {
		t.Errorf("a socket that does not listen: %v", err)
	}
}

// mains are what a program gives to Main.
var mains = map[string]map[string]func(){
	"right":   {"test": func() { os.Exit(5) }}, // as New does
	"returns": {"test": func() {}},
	"other":   {"web": func() {}},
}

func TestIII18_MainRunsTheFunctionOfThePool(t *testing.T) {
	Main(nil) // no worker: nothing happens
	for name, want := range map[string]struct {
		status int
		said   string
	}{
		"right":   {5, ""},
		"returns": {1, `the function for pool "test" has returned`},
		"other":   {1, `there is no function for pool "test"; give it to Main`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(mainVariable, name)
			w := startWorker(t, newSpawner(t, 1), 0, 1, "main")
			if st := w.wait(t); st.ExitCode() != want.status {
				t.Errorf("it ended with %v", st)
			}
			if said := w.said.explain(errBroken).Error(); !strings.Contains(said, want.said) {
				t.Errorf("it said %q", said)
			}
		})
	}
}
