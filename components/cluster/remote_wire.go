package cluster

import (
	"bytes"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

// remoteHead is how an encoded batch of one packet begins: with the packet's type and
// the receiver. Nodes send nothing but such batches to each other, so that one is made,
// and known, without a message of Proto.Actor's around it, which would cost more than
// the packet. Others in any form are decoded as they come.
type remoteHead []byte

func newRemoteHead(address string) remoteHead {
	head, err := proto.Marshal(&remote.MessageBatch{
		TypeNames: []string{packetType}, Targets: []*actor.PID{actor.NewPID(address, usherName)},
	})
	if err != nil {
		return nil // the address is no text, and cannot be dialled
	}
	return head
}

// remoteOutgoing is a packet as a client's stream sends it.
type remoteOutgoing struct {
	head   remoteHead
	packet *wire.Packet
	size   int // proto.Size of the packet
}

// length is how many bytes append is going to add.
func (o *remoteOutgoing) length() int { return o.batch() + protowire.SizeVarint(uint64(o.batch())) + 1 }

func (o *remoteOutgoing) envelope() int { return protowire.SizeBytes(o.size) + 1 }
func (o *remoteOutgoing) batch() int {
	return len(o.head) + protowire.SizeBytes(o.envelope()) + 1
}

func (o *remoteOutgoing) append(b []byte) ([]byte, error) {
	b = appendLength(b, messageBatch, o.batch())
	b = append(b, o.head...)
	b = appendLength(b, batchEnvelopes, o.envelope())
	b = appendLength(b, envelopeData, o.size)
	return proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, o.packet)
}

func appendLength(b []byte, n protowire.Number, length int) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.BytesType), uint64(length))
}

// packet finds the encoded packet in a message of that form.
func (h remoteHead) packet(data []byte) (packet []byte, ok bool) {
	if len(h) == 0 {
		return nil, false
	}
	if data, ok = onlyField(data, messageBatch); !ok {
		return nil, false
	}
	if data, ok = bytes.CutPrefix(data, h); !ok {
		return nil, false
	}
	if data, ok = onlyField(data, batchEnvelopes); !ok {
		return nil, false
	}
	return onlyField(data, envelopeData)
}

// onlyField is what an encoded message has in the one field that it consists of.
func onlyField(data []byte, want protowire.Number) (value []byte, ok bool) {
	n, kind, tag := protowire.ConsumeTag(data)
	if tag < 0 || n != want || kind != protowire.BytesType {
		return nil, false
	}
	value, size := protowire.ConsumeBytes(data[tag:])
	return value, size == len(data)-tag
}

// decodePacket checks what has to be checked before.
func decodePacket(data []byte) (*wire.Packet, error) {
	if err := scanPacket(data); err != nil {
		return nil, err
	}
	p := new(wire.Packet)
	return p, proto.Unmarshal(data, p)
}

// tooLarge is why a packet is not sent; nil when it may be.
func (t *remoteTransport) tooLarge(size int) error {
	if size <= t.cfg.MaxPacket {
		return nil
	}
	return fmt.Errorf("%w: a packet of %d bytes, %d allowed; send less, or raise Config.MaxEvent", ErrTooLarge, size, t.cfg.MaxPacket)
}
