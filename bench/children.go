package main

import (
	"fmt"
	"strconv"
	"strings"
)

// children is how fast the output of a child process is read, from the moment
// before it is started until it has ended.
var children = &Group{
	Name:  "children",
	About: "the output of a child process, from its start to its end",
	Peers: []string{usher, usherSerial, goPlain},
	Shows: "MB are 10⁶ bytes; allocations per operation in parentheses, an operation of child-bytes being 64 KiB",
	Rows: []*Row{
		// head writes zeros, which are read as they come.
		{
			Name: "child-bytes", About: "zeros of head -c, as they come",
			Unit: "64 KiB", OneRun: true, Figures: []Figure{MBps},
		},
		// A child prints lines of 64 bytes, which are read one at a time.
		{
			Name: "child-lines", About: "lines of 64 bytes",
			Unit: "line", OneRun: true, Figures: []Figure{Rate},
		},
	},
}

// zeros is the command that writes so many chunks.
func zeros(chunks int) []string {
	return []string{"head", "-c", strconv.Itoa(chunks * len(chunk)), "/dev/zero"}
}

// lines is the command that prints so many lines.
func lines(n int) []string {
	return []string{"/bin/sh", "-c", fmt.Sprintf("yes %s | head -n %d", strings.Repeat("x", 63), n)}
}

// complete checks how much of a child's output came.
func complete(what string, got, want int) error {
	if got != want {
		return fmt.Errorf("%w: %d %s came from the child, want %d", errSample, got, what, want)
	}
	return nil
}
