package cluster

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/encoding"
	grpcproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

const (
	remoteBatch    = 64      // packets in a message; nodes send one
	remoteRefusals = 1 << 16 // in a packet; a decoded one takes fifty times its bytes
	remoteName     = 256     // bytes of a node's address or Proto.Actor's ID
)

var packetType = string((*wire.Packet)(nil).ProtoReflect().Descriptor().FullName())

// Numbers of fields in Proto.Actor's remote.proto and our cluster.proto.
const (
	messageBatch   protowire.Number = 1
	messageConnect protowire.Number = 2
	batchTypes     protowire.Number = 1
	batchTargets   protowire.Number = 2
	batchEnvelopes protowire.Number = 3
	envelopeData   protowire.Number = 2
	packetRefused  protowire.Number = 11
)

// remoteIncoming is what a server's stream decodes a message into.
type remoteIncoming struct {
	head    remoteHead
	packet  *wire.Packet          // of a message that begins with it …
	message *remote.RemoteMessage // … and any other
	err     error
}

// remoteCodec looks at what peers send before it is decoded, when a few bytes of
// theirs become many of ours, and makes short work of packets.
type remoteCodec struct{ encoding.CodecV2 }

func (remoteCodec) codec() encoding.CodecV2 { return encoding.GetCodecV2(grpcproto.Name) }

func (remoteCodec) Name() string { return grpcproto.Name }

func (c remoteCodec) Marshal(v any) (mem.BufferSlice, error) {
	out, ok := v.(*remoteOutgoing)
	if !ok {
		return c.codec().Marshal(v)
	}
	length := out.length()
	if mem.IsBelowBufferPoolingThreshold(length) {
		b, err := out.append(make([]byte, 0, length))
		return mem.BufferSlice{mem.SliceBuffer(b)}, err
	}
	pool := mem.DefaultBufferPool()
	b := pool.Get(length)
	if _, err := out.append((*b)[:0]); err != nil {
		pool.Put(b)
		return nil, err
	}
	return mem.BufferSlice{mem.NewBuffer(b, pool)}, nil
}

func (c remoteCodec) Unmarshal(data mem.BufferSlice, v any) error {
	in, ok := v.(*remoteIncoming)
	if !ok {
		return c.codec().Unmarshal(data, v)
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	if packet, ok := in.head.packet(buffer.ReadOnlyData()); ok {
		in.packet, in.err = decodePacket(packet)
		return nil
	}
	if in.err = scanMessage(buffer.ReadOnlyData()); in.err == nil {
		in.message = new(remote.RemoteMessage)
		in.err = proto.Unmarshal(buffer.ReadOnlyData(), in.message)
	}
	return nil
}

// scanMessage checks how many parts an encoded remote.RemoteMessage has.
func scanMessage(data []byte) error {
	parts := 0
	return fields(data, func(n protowire.Number, value []byte) error {
		switch parts++; {
		case parts > 1 || n != messageBatch && n != messageConnect:
			return fmt.Errorf("field %d of a message, or more than one", n)
		case n == messageBatch:
			return scanBatch(value)
		case len(value) > 4*remoteName:
			return fmt.Errorf("a ConnectRequest of %d bytes", len(value))
		}
		return nil
	})
}

func scanBatch(data []byte) error {
	allowed := [...]int{batchTypes: 1, batchTargets: 1, batchEnvelopes: remoteBatch}
	return fields(data, func(n protowire.Number, value []byte) error {
		if int(n) >= len(allowed) || allowed[n] == 0 {
			return fmt.Errorf("field %d of a batch, or too many of it", n)
		}
		allowed[n]--
		if n == batchEnvelopes {
			return scanEnvelope(value)
		}
		return nil
	})
}

func scanEnvelope(data []byte) error {
	parts := 0
	return fields(data, func(n protowire.Number, value []byte) error {
		switch parts++; {
		case parts > 8:
			return fmt.Errorf("%d fields in an envelope", parts)
		case n == envelopeData:
			return scanPacket(value)
		case value != nil:
			return fmt.Errorf("field %d of an envelope", n)
		}
		return nil
	})
}

func scanPacket(data []byte) error {
	refusals := 0
	return fields(data, func(n protowire.Number, _ []byte) error {
		if n == packetRefused {
			refusals++
		}
		if refusals > remoteRefusals {
			return fmt.Errorf("more than %d refusals in a packet", remoteRefusals)
		}
		return nil
	})
}

// fields visits the fields of an encoded message; value is nil for those that have no
// length.
func fields(data []byte, visit func(n protowire.Number, value []byte) error) error {
	for len(data) > 0 {
		n, kind, size := protowire.ConsumeTag(data)
		if size < 0 {
			return protowire.ParseError(size)
		}
		data = data[size:]
		if size = protowire.ConsumeFieldValue(n, kind, data); size < 0 {
			return protowire.ParseError(size)
		}
		var value []byte
		if kind == protowire.BytesType {
			if value, _ = protowire.ConsumeBytes(data); value == nil {
				value = data[:0]
			}
		}
		if err := visit(n, value); err != nil {
			return err
		}
		data = data[size:]
	}
	return nil
}

// checkBatch lets nothing pass but packets for the usher.
func checkBatch(b *remote.MessageBatch, self string) error {
	if b == nil {
		return errors.New("neither a batch nor a greeting")
	}
	for _, name := range b.TypeNames {
		if name != packetType {
			return fmt.Errorf("a message of type %.100q", name)
		}
	}
	for _, to := range b.Targets {
		if to.GetAddress() != self || to.GetId() != usherName || to.GetRequestId() != 0 {
			return fmt.Errorf("a message to %.100q at %.100q, and this is %q; if that is the same, set Config.Advertise to it", to.GetId(), to.GetAddress(), self)
		}
	}
	if len(b.Senders) > 0 {
		return errors.New("a message with a sender")
	}
	if len(b.Envelopes) > remoteBatch {
		return fmt.Errorf("%d messages in a batch", len(b.Envelopes))
	}
	for _, e := range b.Envelopes {
		switch {
		case e == nil:
			return errors.New("an empty envelope")
		case e.TypeId < 0 || int(e.TypeId) >= len(b.TypeNames):
			return fmt.Errorf("type %d of %d", e.TypeId, len(b.TypeNames))
		case e.Target < 0 || int(e.Target) >= len(b.Targets):
			return fmt.Errorf("target %d of %d", e.Target, len(b.Targets))
		case e.Sender != 0 || e.SenderRequestId != 0 || e.TargetRequestId != 0:
			return errors.New("a sender or a request's number")
		case e.SerializerId != 0:
			return fmt.Errorf("serializer %d", e.SerializerId)
		case e.MessageHeader != nil:
			return errors.New("a header")
		}
	}
	return nil
}

// checkGreeting is for the first message of a stream.
func checkGreeting(c *remote.ConnectRequest) error {
	s := c.GetServerConnection()
	if s == nil {
		return errors.New("a stream that does not begin with a ServerConnection")
	}
	if len(s.Address) > remoteName || len(s.SystemId) > remoteName {
		return fmt.Errorf("a ServerConnection of %d bytes", len(s.Address)+len(s.SystemId))
	}
	return nil
}
