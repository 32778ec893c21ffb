package main

import _ "embed"

//go:embed perl/datagrams.pl
var perlDatagrams string

func init() {
	datagrams.serve(perl, map[string]Server{"udp-echo": {Program: perlServer(perlDatagrams)}})
}
