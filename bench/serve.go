package main

import (
	"bufio"
	"fmt"
	"io"
	"runtime/debug"
)

// serve is this process as a server that another one loads, see Server.
func serve(gs []*Group, o options, stdin io.Reader, stdout io.Writer) error {
	row, peer, err := find(gs, "serve", o.Serve)
	if err != nil {
		return err
	}
	s := row.Serve[peer]
	if row.Asked != nil {
		s = *row.Asked
	}
	if e, ok := row.Ends[peer]; ok {
		s = e.Server
	}
	if s.Serve == nil {
		return fmt.Errorf("%w: -serve is %q, which is no server of this program; want one such as usher/echo-64", errUsage, o.Serve)
	}
	stop, err := profile(o.CPUProfile)
	if err != nil {
		return err
	}
	defer stop()
	ended := make(chan error, 2)
	go func() { ended <- s.Serve(func(addr fmt.Stringer) { fmt.Fprintln(stdout, addr) }) }()
	go func() { ended <- obey(stdin, stdout) }()
	return <-ended
}

// serverProfile is the file for the server's profile beside one for the client's.
func serverProfile(path string) string {
	if path == "" {
		return ""
	}
	return path + ".server"
}

// obey tidies the memory up for each line, until there are no more.
func obey(stdin io.Reader, stdout io.Writer) error {
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		debug.FreeOSMemory()
		fmt.Fprintln(stdout, "settled")
	}
	return lines.Err()
}
