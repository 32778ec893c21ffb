package prefork

import (
	"fmt"
	"strconv"
	"strings"
)

// inheritanceVariable says to a process that it is a worker, and of what.
const inheritanceVariable = "USHER_PREFORK"

const (
	inheritanceVersion = 2
	inheritanceLength  = 4096    // more than maxListeners need
	maxListeners       = 128     // in one pool
	maxDescriptor      = 1 << 20 // Linux's highest fs.nr_open by default
)

// inheritance is what a worker is told by its environment. Its text form is
//
//	<version>:<name>:<slot>:<life>:<generation>:<control>:<scoreboard>:<stderr>[:<listener>...]
//
// where the last parts are descriptors, the listeners in the order of
// Config.Listen.
type inheritance struct {
	name       string
	slot       int
	life       uint64
	generation int

	control, scoreboard, stderr int
	listeners                   []int
}

func (h inheritance) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d:%s:%d:%d:%d", inheritanceVersion, h.name, h.slot, h.life, h.generation)
	for _, fd := range h.descriptors() {
		fmt.Fprintf(&b, ":%d", fd)
	}
	return b.String()
}

// descriptors are all of h's, in the order of its text form; none of a zero h.
func (h inheritance) descriptors() []int {
	if h.name == "" {
		return nil
	}
	return append([]int{h.control, h.scoreboard, h.stderr}, h.listeners...)
}

// parseInheritance accepts exactly what String writes: it is read before
// anything else in the process, and its numbers are descriptors.
func parseInheritance(s string) (inheritance, error) {
	bad := func(what string) (inheritance, error) {
		return inheritance{}, fmt.Errorf("%w: %s in %s=%q; unset that variable, only a master sets it",
			ErrInheritance, what, inheritanceVariable, shorten(s))
	}
	if len(s) > inheritanceLength {
		return bad(fmt.Sprintf("%d bytes", len(s)))
	}
	parts := strings.Split(s, ":")
	if parts[0] != strconv.Itoa(inheritanceVersion) {
		return bad(fmt.Sprintf("version %q, want %d,", parts[0], inheritanceVersion))
	}
	if len(parts) < 8 || len(parts) > 8+maxListeners {
		return bad(fmt.Sprintf("%d parts, want 8 to %d,", len(parts), 8+maxListeners))
	}
	h := inheritance{name: parts[1]}
	if !validName(h.name) {
		return bad(fmt.Sprintf("name %q", h.name))
	}
	slot, ok := decimal(parts[2], maxSlots-1)
	if !ok {
		return bad(fmt.Sprintf("slot %q", parts[2]))
	}
	h.slot = int(slot)
	if h.life, ok = decimal(parts[3], 1<<63); !ok {
		return bad(fmt.Sprintf("life %q", parts[3]))
	}
	generation, ok := decimal(parts[4], 1<<31-1)
	if !ok {
		return bad(fmt.Sprintf("generation %q", parts[4]))
	}
	h.generation = int(generation)
	seen := make(map[uint64]bool, len(parts))
	var fds []int
	for _, p := range parts[5:] {
		fd, ok := decimal(p, maxDescriptor)
		if !ok || fd < 3 || seen[fd] {
			return bad(fmt.Sprintf("descriptor %q", p))
		}
		seen[fd] = true
		fds = append(fds, int(fd))
	}
	h.control, h.scoreboard, h.stderr, h.listeners = fds[0], fds[1], fds[2], fds[3:]
	return h, nil
}

// decimal reads a number as strconv writes it: no sign, no leading zero.
func decimal(s string, most uint64) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= most && strconv.FormatUint(n, 10) == s
}

// shorten keeps an error message readable whatever it quotes.
func shorten(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
