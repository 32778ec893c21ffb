package cluster

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func leaseTestMail(r *rand.Rand, entries int) leaseMail {
	m := leaseMail{from: 3, start: r.Uint64(), toStart: r.Uint64(), floor: r.Uint64N(leaseCounters)}
	for range entries {
		m.entries = append(m.entries, leaseEntry{
			kind: leaseKind(r.IntN(256)), shard: r.IntN(leaseShards), ballot: leaseBallot(r.Uint64N(leaseCounters << 16)),
			stamp: time.Duration(r.Int64()), owned: leaseBallot(r.Uint64N(leaseCounters << 16)),
		})
	}
	return m
}

func TestLease_MessageThereAndBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 64, leaseEntries} {
		want := leaseTestMail(r, n)
		b := want.encode(9)
		if len(b) > 64<<10 {
			t.Errorf("%d entries take %d bytes", n, len(b))
		}
		got, err := decodeLease(b, 9, 3)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d entries: %v, differ", n, err)
		}
		if _, err := decodeLease(b, 8, 3); !errors.Is(err, errLeaseCluster) {
			t.Errorf("from another cluster: %v", err)
		}
		for cut := range min(len(b), 300) {
			if _, err := decodeLease(b[:cut], 9, 3); !errors.Is(err, errLeaseMessage) {
				t.Fatalf("cut to %d bytes: %v", cut, err)
			}
		}
		if _, err := decodeLease(append(b, 0), 9, 3); !errors.Is(err, errLeaseMessage) {
			t.Errorf("a byte more: %v", err)
		}
	}
}

func TestLease_MessageLimits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, change := range map[string]func(*leaseMail){
		"floor":   func(m *leaseMail) { m.floor = leaseCounters },
		"entries": func(m *leaseMail) { *m = leaseTestMail(r, leaseEntries+1) },
		"shard":   func(m *leaseMail) { m.entries[0].shard = leaseShards },
		"ballot":  func(m *leaseMail) { m.entries[0].ballot = leaseCounters << 16 },
		"stamp":   func(m *leaseMail) { m.entries[0].stamp = -1 },
		"owned":   func(m *leaseMail) { m.entries[0].owned = leaseCounters << 16 },
	} {
		m := leaseTestMail(r, 1)
		change(&m)
		if _, err := decodeLease(m.encode(9), 9, 3); !errors.Is(err, errLeaseMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzLeaseMessage gives a node bytes that may be anything: it does not panic, answers
// within the limits, and its own messages can be read.
func FuzzLeaseMessage(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for kind := range leaseRefused + 1 {
		m := leaseMail{from: 1, start: 101, floor: 9, entries: []leaseEntry{
			{kind: kind, shard: 1, ballot: newLeaseBallot(5, 1), stamp: time.Second, owned: newLeaseBallot(6, 2)},
			{kind: kind, ballot: newLeaseBallot(1, 0), stamp: 3 * time.Second},
		}}
		f.Add(m.encode(leaseTestHash))
	}
	f.Add(leaseTestMail(r, 3).encode(leaseTestHash))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeLease(b, leaseTestHash, 1)
		if err != nil {
			return
		}
		table := leaseTestTable(0)
		for shard := range 3 {
			table.claim(0, shard)
		}
		for now := 3 * time.Second; now < 8*time.Second; now += time.Second {
			acts := table.apply(now, m)
			for _, l := range table.letters(acts) {
				if _, err := decodeLease(l.encode(leaseTestHash), leaseTestHash, 0); err != nil && table.floor < leaseCounters-8 {
					t.Fatalf("own message: %v", err)
				}
			}
			for _, a := range acts {
				if o := a.tell; a.to == leaseTell && o.node == 0 && o.deadline > now+leaseTime {
					t.Fatalf("a deadline %v ahead", o.deadline-now)
				}
			}
		}
	})
}
