package main

import (
	_ "embed"
	"fmt"
	"os/exec"
)

//go:embed perl/http.pl
var perlHTTP string

func init() {
	loads := make(map[string]Load)
	for _, row := range httpClients.Rows {
		loads[row.Name] = func(s *server) (Runner, func(), error) {
			return func(ops int) (Sample, error) { return perlRun("http.pl", perlHTTP, row.Name, ops, s.addr) }, func() {}, nil
		}
	}
	httpClients.ask(perl, loads)
}

// needPerlHTTPClient says why POE's HTTP client cannot be measured here.
func needPerlHTTPClient() error {
	if err := needPerl(); err != nil {
		return err
	}
	if out, err := exec.Command("perl", "-MPOE", "-MPOE::Component::Client::HTTP", "-e", "POE::Kernel->run").CombinedOutput(); err != nil {
		return fmt.Errorf("perl -MPOE::Component::Client::HTTP: %w, %.100q; install it (Debian: libpoe-component-client-http-perl)", err, out)
	}
	return nil
}
