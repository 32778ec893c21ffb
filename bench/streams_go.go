package main

import (
	"encoding/binary"
	"io"
	"net"
)

func init() {
	streams.serve(goPlain, map[string]Server{
		"stream-send": {Serve: goServer(func(conn net.Conn) {
			eachRequest(conn, func(request []byte, chunks int) error {
				for range chunks {
					if _, err := conn.Write(chunk); err != nil {
						return err
					}
				}
				return nil
			})
		})},
		"stream-receive": {Serve: goServer(func(conn net.Conn) {
			eachRequest(conn, func(request []byte, chunks int) error {
				if err := skip(conn, chunks); err != nil {
					return err
				}
				_, err := conn.Write(request)
				return err
			})
		})},
	})
}

// eachRequest serves one after the other until the client goes.
func eachRequest(conn net.Conn, serve func(request []byte, chunks int) error) {
	request := make([]byte, requestSize)
	for {
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		if err := serve(request, int(binary.BigEndian.Uint64(request))); err != nil {
			return
		}
	}
}
