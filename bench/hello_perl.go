package main

import (
	_ "embed"
	"fmt"
	"os/exec"
)

//go:embed perl/hello.pl
var perlHello string

func init() {
	hello.serve(perl, map[string]Server{"hello-http": {Program: perlServer(perlHello)}})
}

func needSimpleHTTP() error {
	if out, err := exec.Command("perl", "-MPOE::Component::Server::SimpleHTTP", "-e1").CombinedOutput(); err != nil {
		return fmt.Errorf("perl -MPOE::Component::Server::SimpleHTTP: %w, %.100q; install it (Debian: libpoe-component-server-simplehttp-perl)", err, out)
	}
	return nil
}
