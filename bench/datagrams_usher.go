package main

import (
	"fmt"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

func init() {
	for peer, mode := range usherModes {
		datagrams.serve(peer, map[string]Server{"udp-echo": {Serve: usherDatagrams(mode)}})
	}
}

const usherGotPacket kernel.Event[wheel.Packet] = "got_packet"

// usherDatagrams has one session, which answers as the packets come.
func usherDatagrams(mode kernel.Mode) func(at func(fmt.Stringer)) error {
	return func(at func(fmt.Stringer)) error {
		var d *wheel.Datagram
		return usherListen(mode, "udp", at,
			session.On(usherGotConn, func(c *kernel.Context, conn net.Conn) (err error) {
				d, err = wheel.NewDatagram(c, conn.(net.PacketConn), wheel.DatagramConfig{InputEvent: usherGotPacket})
				return err
			}),
			session.On(usherGotPacket, func(_ *kernel.Context, p wheel.Packet) error { return d.Put(p) }),
		)
	}
}
