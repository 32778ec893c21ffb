package wheel_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// A read ends in front of what is not plain data, and does not say that there is more
// behind it: urgent data on TCP, a descriptor on a unix socket. The peer has sent it
// all at once, so that nothing else tells the wheel to read on.
func TestReadsThatEndInFrontOfSomething(t *testing.T) {
	for network, send := range map[string]func(fd int, p string) error{
		"tcp": func(fd int, p string) error {
			return syscall.Sendto(fd, []byte(p+"!"), syscall.MSG_OOB, nil)
		},
		"unix": func(fd int, p string) error {
			return syscall.Sendmsg(fd, []byte(p), syscall.UnixRights(int(os.Stderr.Fd())), nil, 0)
		},
	} {
		t.Run(network, func(t *testing.T) {
			inModes(t, func(t *testing.T, k *kernel.Kernel) {
				conn, far := connect(t, network)
				raw, err := far.Conn.(syscall.Conn).SyscallConn()
				if err != nil {
					t.Fatal(err)
				}
				const rounds = 5
				n := 0
				h := newHost(t, conn)
				h.line = func(_ *kernel.Context, s string) error {
					if h.note("line %s", s); s == "front" {
						return nil
					}
					if n++; n > rounds {
						h.rw.Close()
						return nil
					}
					return raw.Write(func(fd uintptr) bool { // the wheel waits for it already
						h.must(send(int(fd), "front\n"))
						_, err := syscall.Write(int(fd), fmt.Append(nil, "behind ", n, "\n"))
						h.must(err)
						return true
					})
				}
				far.send("begin\n")
				run(t, k, h.session())
				want := []string{"line begin"}
				for i := range rounds {
					want = append(want, "line front", fmt.Sprint("line behind ", i+1))
				}
				h.want(want...)
			})
		})
	}
}
