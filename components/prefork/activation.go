//go:build unix

package prefork

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/sys/unix"
)

var (
	errNotPassed    = errors.New("the service manager has passed on no such socket, or it is taken")
	errNotListening = errors.New("the service manager has passed on something else than a listening stream socket")
)

// activated are the sockets that the service manager gave this process and that
// no pool has taken yet (sd_listen_fds(3)).
var activated = struct {
	sync.Mutex
	files func() []*os.File
	left  []*os.File
	read  bool
}{files: func() []*os.File { return activation.Files(true) }}

// adopt takes the first of them that has the name a asks for; any will do if it
// asks for none. The socket stays where it is: only its opener may remove a file.
func (a address) adopt() (*endpoint, error) {
	activated.Lock()
	defer activated.Unlock()
	if !activated.read {
		activated.left, activated.read = activated.files(), true
	}
	i := slices.IndexFunc(activated.left, func(f *os.File) bool { return a.target == "" || f.Name() == a.target })
	if i < 0 {
		return nil, errNotPassed
	}
	f := activated.left[i]
	activated.left = slices.Delete(activated.left, i, i+1)
	defer f.Close()
	if on, err := unix.GetsockoptInt(int(f.Fd()), unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on == 0 {
		return nil, errNotListening
	}
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	defer ln.Close()
	e := &endpoint{address: a, addr: ln.Addr(), fd: -1}
	if e.fd, err = duplicate(ln.(syscall.Conn)); err != nil {
		return nil, err
	}
	return e, nil
}
