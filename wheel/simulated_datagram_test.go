package wheel_test

import (
	"net"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// TestW52_SimulatedSocketsForDatagrams: a factory's sockets, bound and connected,
// send packets there and back over a network in memory.
func TestW52_SimulatedSocketsForDatagrams(t *testing.T) {
	kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
		network := wheeltest.New(wheeltest.Config{Seed: seed})
		k := kerneltest.New(t, kerneltest.Config(kernel.Config{Network: network}), kerneltest.Seed(seed))
		const gotPacket kernel.Event[wheel.Packet] = "got_packet"
		var answer string
		end := func(cfg wheel.SocketFactoryConfig, begin func(*wheel.Datagram) error, packet func(*wheel.Datagram, wheel.Packet) error) *session.Session {
			cfg.Network, cfg.SuccessEvent = "udp", gotConn
			var d *wheel.Datagram
			return session.New(
				session.Handle("_start", func(c *kernel.Context) error {
					_, err := wheel.NewSocketFactory(c, cfg)
					return err
				}),
				session.On(gotConn, func(c *kernel.Context, conn net.Conn) (err error) {
					d, err = wheel.NewDatagram(c, conn.(net.PacketConn), wheel.DatagramConfig{InputEvent: gotPacket})
					if err == nil {
						err = begin(d)
					}
					return err
				}),
				session.On(gotPacket, func(_ *kernel.Context, p wheel.Packet) error { return packet(d, p) }),
			)
		}
		client := end(wheel.SocketFactoryConfig{RemoteAddress: "127.0.0.1:53"},
			func(d *wheel.Datagram) error { return d.Put(wheel.Packet{Data: []byte("question")}) },
			func(d *wheel.Datagram, p wheel.Packet) error { answer = string(p.Data); d.Close(); return nil })
		server := end(wheel.SocketFactoryConfig{BindAddress: "127.0.0.1:53"},
			func(*wheel.Datagram) error { _, err := k.Spawn(client); return err },
			func(d *wheel.Datagram, p wheel.Packet) error {
				p.Data = append(p.Data, ", answered"...)
				err := d.Put(p)
				d.CloseFlushed()
				return err
			})
		if _, err := k.Spawn(server); err != nil {
			t.Fatal(err)
		}
		kerneltest.Run(t, k)
		if answer != "question, answered" {
			t.Errorf("the client got %q", answer)
		}
		network.Check(t)
	})
}
