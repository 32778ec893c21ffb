package main

import (
	"bufio"
	"fmt"
	"net"
)

func init() {
	ordinary := Server{Serve: goEcho(4096)}
	connections.serve(goPlain, map[string]Server{"echo-64": ordinary, "echo-1000": ordinary, "idle-connection": ordinary})
	connections.serve(goSmall, map[string]Server{"idle-connection": {Serve: goEcho(512)}})
}

// goEcho answers lines without copying them; one must fit in the buffer.
func goEcho(buffer int) func(at func(fmt.Stringer)) error {
	return goServer(func(conn net.Conn) {
		r := bufio.NewReaderSize(conn, buffer)
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if _, err := conn.Write(line); err != nil {
				return
			}
		}
	})
}

// goServer has a goroutine for each connection.
func goServer(handle func(conn net.Conn)) func(at func(fmt.Stringer)) error {
	return func(at func(fmt.Stringer)) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		at(l.Addr())
		for {
			conn, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}
}
