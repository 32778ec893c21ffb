package main

import (
	"fmt"
	"net"
)

func init() {
	datagrams.serve(goPlain, map[string]Server{"udp-echo": {Serve: goDatagrams}})
}

func goDatagrams(at func(fmt.Stringer)) error {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	at(conn.LocalAddr())
	buf := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return err
		}
		if _, err := conn.WriteToUDPAddrPort(buf[:n], from); err != nil {
			return err
		}
	}
}
