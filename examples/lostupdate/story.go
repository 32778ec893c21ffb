package main

import (
	"fmt"
	"strings"

	"github.com/usher-go/usher/kernel"
)

// story is what happened: the events in the order in which they were handled,
// each with the event whose handler sent it.
type story struct {
	bank   *bank
	names  map[kernel.Address]string
	lines  []line
	number map[uint64]int // the kernel's number of an event → ours
}

type line struct {
	cause     int // the line that caused this one, 0 for none
	who, what string
}

func newStory(b *bank) *story {
	return &story{bank: b, names: make(map[kernel.Address]string), number: make(map[uint64]int)}
}

func (s *story) name(a kernel.Address, name string) { s.names[a] = name }

// observer has the kernel tell the story. What the bank has done shows in its
// balance.
func (s *story) observer() *kernel.Observer {
	return &kernel.Observer{
		Began: func(r kernel.Record) {
			if strings.HasPrefix(r.Event, "_") {
				return // _start and _stop happen to everyone
			}
			s.lines = append(s.lines, line{cause: s.number[r.Cause], who: s.names[r.To], what: r.Event})
			s.number[r.Seq] = len(s.lines)
		},
		Ended: func(r kernel.Record) {
			if n := s.number[r.Seq]; n > 0 && s.names[r.To] == "bank" {
				s.lines[n-1].what += fmt.Sprintf(": %d", s.bank.balance)
			}
		},
	}
}

// String is a table: time goes down, and every session has a column.
func (s *story) String() string {
	columns := []string{"alice", "bob", "bank"}
	var b strings.Builder
	fmt.Fprintf(&b, "  event  because of  %-8s%-8s%s\n", columns[0], columns[1], columns[2])
	for i, l := range s.lines {
		because := "-"
		if l.cause > 0 {
			because = fmt.Sprint(l.cause)
		}
		fmt.Fprintf(&b, "  %5d  %10s  ", i+1, because)
		for _, name := range columns {
			if name == l.who {
				b.WriteString(l.what)
				break
			}
			b.WriteString(strings.Repeat(" ", 8))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
