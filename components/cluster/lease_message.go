package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A message is a version, the cluster (leaseHash), the sender's and the receiver's
// start, the sender's floor and the number of entries, then the entries. Numbers are
// big-endian where their size is given, and varints otherwise.
const (
	leaseVersion = 1
	leaseEntries = 1024 // in one message: 32 KiB at most
)

var (
	errLeaseMessage = errors.New("not a message of this directory; let all nodes run the same version")
	errLeaseCluster = errors.New("its list of nodes is another; give Static the same names on all nodes")
)

func (m leaseMail) encode(cluster uint64) []byte {
	b := make([]byte, 0, 40+len(m.entries)*24)
	b = append(b, leaseVersion)
	b = binary.BigEndian.AppendUint64(b, cluster)
	b = binary.BigEndian.AppendUint64(b, m.start)
	b = binary.BigEndian.AppendUint64(b, m.toStart)
	b = binary.AppendUvarint(b, m.floor)
	b = binary.AppendUvarint(b, uint64(len(m.entries)))
	for _, e := range m.entries {
		b = append(b, byte(e.kind))
		b = binary.AppendUvarint(b, uint64(e.shard))
		b = binary.AppendUvarint(b, uint64(e.ballot))
		b = binary.AppendUvarint(b, uint64(e.stamp))
		b = binary.AppendUvarint(b, uint64(e.owned))
	}
	return b
}

// decodeLease reads what node from has sent. Entries of kinds that it does not know
// are left to leaseTable.take, which ignores them.
func decodeLease(b []byte, cluster uint64, from int) (leaseMail, error) {
	r := leaseReader{b: b}
	if v := r.byte(); r.bad || v != leaseVersion {
		return leaseMail{}, errLeaseMessage
	}
	if r.uint64() != cluster && !r.bad {
		return leaseMail{}, errLeaseCluster
	}
	m := leaseMail{from: from, start: r.uint64(), toStart: r.uint64(), floor: r.varint(leaseCounters)}
	n := r.varint(leaseEntries + 1)
	for range n {
		e := leaseEntry{
			kind:   leaseKind(r.byte()),
			shard:  int(r.varint(leaseShards)),
			ballot: leaseBallot(r.varint(leaseCounters << 16)),
			stamp:  time.Duration(r.varint(1 << 63)),
			owned:  leaseBallot(r.varint(leaseCounters << 16)),
		}
		if r.bad {
			break
		}
		m.entries = append(m.entries, e)
	}
	if r.bad || len(r.b) > 0 {
		return leaseMail{}, fmt.Errorf("%d bytes: %w", len(b), errLeaseMessage)
	}
	return m, nil
}

// leaseReader takes numbers from the front of b, until one is bad.
type leaseReader struct {
	b   []byte
	bad bool
}

func (r *leaseReader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *leaseReader) byte() byte     { return r.take(1)[0] }
func (r *leaseReader) uint64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

// varint is below limit.
func (r *leaseReader) varint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 || v >= limit {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}
