package main

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"os/exec"
)

func init() {
	children.register(goPlain, map[string]Runner{
		"child-bytes": func(ops int) (Sample, error) {
			s, err := goChild(ops, zeros(ops), func(r io.Reader) error { return skip(r, ops) })
			return moved(s), err
		},
		"child-lines": func(ops int) (Sample, error) {
			return goChild(ops, lines(ops), func(r io.Reader) error {
				n, s := 0, bufio.NewScanner(r)
				for s.Scan() {
					n++
				}
				return cmp.Or(s.Err(), complete("lines", n, ops))
			})
		},
	})
}

// goChild runs a command, whose output read reads.
func goChild(ops int, command []string, read func(io.Reader) error) (s Sample, err error) {
	s = measure(ops, func() {
		cmd := exec.Command(command[0], command[1:]...)
		var out io.Reader
		if out, err = cmd.StdoutPipe(); err != nil {
			return
		}
		if err = cmd.Start(); err != nil {
			return
		}
		err = errors.Join(read(out), cmd.Wait())
	})
	return s, err
}
