//go:build unix

package prefork

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/usher-go/usher/components/internal/socketfile"
)

func open(t *testing.T, s string) (*endpoint, error) {
	t.Helper()
	a, err := parseListen("Listen[0]", s)
	if err != nil {
		t.Fatal(err)
	}
	e, err := a.open()
	if err == nil {
		t.Cleanup(func() { e.close() })
	}
	return e, err
}

func mustOpen(t *testing.T, s string) *endpoint {
	t.Helper()
	e, err := open(t, s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// socketPath is short: socket paths are limited to some hundred bytes.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "usher")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "x.sock")
}

// leaveStale makes a socket file as a killed server leaves it.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
}

func answers(t *testing.T, network, target string) {
	t.Helper()
	c, err := net.Dial(network, target)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestP73_NoHostMeansLoopback(t *testing.T) {
	e := mustOpen(t, "tcp://:0")
	at, ok := e.addr.(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() || at.Port == 0 {
		t.Fatalf("listens on %v, want a port of the loopback", e.addr)
	}
	answers(t, "tcp", e.addr.String())
}

func TestP57_AddressInUseIsFoundBeforeAnybodyIsStarted(t *testing.T) {
	first := mustOpen(t, "tcp://:0")
	_, err := open(t, "tcp://"+first.addr.String())
	var failed *ListenError
	if !errors.As(err, &failed) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("%v, want a ListenError for an address in use", err)
	}
	if failed.Addr != "tcp://"+first.addr.String() || !strings.HasSuffix(err.Error(), "or choose another address") {
		t.Fatalf("%q names no address or no remedy", err)
	}
}

func TestP72_StaleSocketIsReplaced(t *testing.T) {
	path := socketPath(t)
	leaveStale(t, path)
	mustOpen(t, "unix://"+path)
	answers(t, "unix", path)
}

func TestP72_ServedSocketIsLeftAlone(t *testing.T) {
	path := socketPath(t)
	mustOpen(t, "unix://"+path)
	if _, err := open(t, "unix://"+path); !errors.Is(err, socketfile.ErrAnswered) {
		t.Fatalf("%v, want %v", err, socketfile.ErrAnswered)
	}
	answers(t, "unix", path)
}

func TestP72_OtherFilesAreLeftAlone(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"file":      func(p string) error { return os.WriteFile(p, []byte("precious"), 0o600) },
		"directory": func(p string) error { return os.Mkdir(p, 0o700) },
		"link to a stale socket": func(p string) error {
			leaveStale(t, p+".stale")
			return os.Symlink(p+".stale", p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := socketPath(t)
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := open(t, "unix://"+path); !errors.Is(err, socketfile.ErrNotSocket) {
				t.Fatalf("%v, want %v", err, socketfile.ErrNotSocket)
			}
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) {
				t.Fatalf("it is gone or changed: %v", err)
			}
		})
	}
}

func TestP72_SocketFileIsRemovedAtStop(t *testing.T) {
	path := socketPath(t)
	e := mustOpen(t, "unix://"+path)
	for range 2 {
		if err := e.close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the socket file is still there: %v", err)
	}
}

func TestP72_SuccessorsSocketFileIsNotRemoved(t *testing.T) {
	path := socketPath(t)
	old := mustOpen(t, "unix://"+path)
	// Moved, not removed: a file system may give a freed inode to the next file.
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, "unix://"+path)
	if err := old.close(); err != nil {
		t.Fatal(err)
	}
	answers(t, "unix", path)
}

func TestP72_ModeIsSet(t *testing.T) {
	path := socketPath(t)
	mustOpen(t, "unix://"+path+"?mode=0606")
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Perm() != 0o606 {
		t.Fatalf("mode is %v, %v; want 0606", info.Mode(), err)
	}
}

func TestP57_AllAddressesOrNone(t *testing.T) {
	path := socketPath(t)
	busy := mustOpen(t, "tcp://:0")
	all, err := Config{Listen: []string{"unix://" + path, "tcp://" + busy.addr.String()}}.addresses()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openAll(all); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("%v, want an address in use", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the first listener was left open: %v", err)
	}
	both, err := openAll(all[:1])
	if err != nil || len(both) != 1 {
		t.Fatalf("%d listeners, %v", len(both), err)
	}
	both[0].close()
}

func TestP73_EveryListenErrorHasARemedy(t *testing.T) {
	for _, c := range []struct {
		network string
		err     error
		remedy  string
	}{
		{"tcp", syscall.EACCES, "use a port from 1024 up, or grant CAP_NET_BIND_SERVICE"},
		{"unix", syscall.EACCES, "make the directory writable for this user"},
		{"tcp", syscall.EADDRNOTAVAIL, "use an address of this machine"},
		{"tcp", syscall.EMFILE, "raise the limit on open files (ulimit -n)"},
		{"tcp", syscall.EIO, "check the address and this process's permissions"},
	} {
		a := address{text: "x", network: c.network}
		err := a.failed(fmt.Errorf("bind: %w", c.err))
		if want := fmt.Sprintf("prefork: cannot listen on x: bind: %v; %s", c.err, c.remedy); err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	for path, remedy := range map[string]string{
		filepath.Join(filepath.Dir(socketPath(t)), "none", "x.sock"): "create the directory first",
		"/tmp/" + strings.Repeat("x", 120):                           "shorten the path to 103 bytes",
	} {
		if _, err := open(t, "unix://"+path); err == nil || !strings.HasSuffix(err.Error(), remedy) {
			t.Errorf("%v, want the remedy %q", err, remedy)
		}
	}
}

func TestP55_SharingKeepsTheListenerNonBlocking(t *testing.T) {
	e := mustOpen(t, "tcp://:0")
	f, err := e.share()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := f.Fd() // what os/exec does
	flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
	if err != nil || flags&unix.O_NONBLOCK == 0 {
		t.Fatalf("flags %#x, %v: Accept could not be interrupted in any worker", flags, err)
	}
	closing, err := unix.FcntlInt(uintptr(e.fd), unix.F_GETFD, 0)
	if err != nil || closing&unix.FD_CLOEXEC == 0 {
		t.Fatalf("flags %#x, %v: every program the master runs would hold the listener", closing, err)
	}
}
