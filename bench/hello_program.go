package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// keeper does for a program what Server.Program asks of one: it says where the
// program listens, answers lines, and ends it when standard input does. The trap comes
// after the program, which would have it until it is executed, and miss its end.
const keeper = `dir=$1 addr=$2
shift 2
"$@" </dev/null >&2 &
trap : TERM
echo "$addr"
while read -r line; do echo settled; done
kill $! 2>/dev/null
wait $!
rm -rf "$dir"`

// kept makes a command of a program that runs in the foreground, with a folder of its
// own and an address at which nobody listens. Who runs as another user may look into
// the folder.
func kept(prepare func(dir, addr string) (command []string, err error)) func() *exec.Cmd {
	return func() *exec.Cmd {
		dir := must(os.MkdirTemp("", "bench-"))
		if err := os.Chmod(dir, 0o755); err != nil {
			panic(err)
		}
		addr := freeAddress()
		command := must(prepare(dir, addr))
		cmd := exec.Command("/bin/sh", append([]string{"-c", keeper, "keeper", dir, addr}, command...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Apache's end is that of its whole process group
		return cmd
	}
}

// freeAddress is one at which nobody listens.
func freeAddress() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	return l.Addr().String()
}

// configured writes a configuration into the folder, and returns its name.
func configured(dir, text string) (string, error) {
	name := filepath.Join(dir, "bench.conf")
	return name, os.WriteFile(name, []byte(text), 0o644)
}
