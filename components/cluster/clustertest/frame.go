package clustertest

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

// maxPacket is far above what a node sends; who announces more is no node.
const maxPacket = 16 << 20

// frame is a packet behind its length, as it travels.
func frame(packet []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)
}

// unframe takes the first packet out of what has come, nil while that is not all of it.
func unframe(in []byte) (p *wire.Packet, rest []byte, err error) {
	if len(in) < 4 {
		return nil, in, nil
	}
	n := binary.BigEndian.Uint32(in)
	switch {
	case n > maxPacket:
		return nil, nil, fmt.Errorf("%w: it begins with a length of %d", ErrGarbage, n)
	case uint32(len(in)-4) < n:
		return nil, in, nil
	}
	p = new(wire.Packet)
	if err := proto.Unmarshal(in[4:4+n], p); err != nil {
		return nil, nil, fmt.Errorf("%w: %v", ErrGarbage, err)
	}
	return p, in[4+n:], nil
}
