package main

import (
	"fmt"
	"io"
	"slices"
	"syscall"
)

// defaultConns is what many systems allow a process.
const defaultConns = 20_000

// spareFiles are what a process needs beside its connections, and some more.
const spareFiles = 100

// raiseFileLimit lets this process and those that it starts have as many
// descriptors as the administrator allows them, and returns how many. Package os
// does so for this process alone.
func raiseFileLimit() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0
	}
	l.Cur = l.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l) // if not, what it is now has to do
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	return uint64(l.Cur)
}

// fittingConns is how many of the connections asked for there can be. The two ends
// of one are in two processes.
func fittingConns(want int) int {
	files := max(raiseFileLimit(), spareFiles+1)
	return int(min(uint64(want), files-spareFiles))
}

// fitConns is fittingConns, with a word to w when that is fewer and matters to
// what is planned.
func fitConns(plan []task, want int, w io.Writer) int {
	fit := fittingConns(want)
	if fit < want && slices.ContainsFunc(plan, func(t task) bool { return t.Row.Conns }) {
		fmt.Fprintf(w, "bench: %d idle connections instead of %d: a process may have no more descriptors; raise ulimit -Hn for more\n", fit, want)
	}
	return fit
}
