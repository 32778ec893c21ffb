package main

import (
	_ "embed"
	"os/exec"
)

//go:embed perl/echo.pl
var perlEcho string

func init() {
	s := Server{Program: perlServer(perlEcho), MostConns: 2000}
	connections.serve(perl, map[string]Server{"echo-64": s, "echo-1000": s, "idle-connection": s})
}

// perlServer leaves standard input to the load.
func perlServer(program string) func() *exec.Cmd {
	return func() *exec.Cmd { return exec.Command("perl", "-e", program) }
}
