package main

import _ "embed"

//go:embed perl/backend.pl
var perlBackend string

func init() {
	ends := make(map[string]Ends)
	for row := range backendSize {
		ends[row] = Ends{Server{Program: perlServer(perlBackend)}, func(s *server) (Runner, func(), error) {
			return func(ops int) (Sample, error) { return perlAsks(s, row, ops) }, func() {}, nil
		}}
	}
	backends.pair(perl, ends)
}

// perlAsks counts the server's processor time from before its client's warm-up, which
// is short.
func perlAsks(s *server, row string, ops int) (Sample, error) {
	var sample Sample
	whole, err := s.measure(ops, func() (err error) {
		sample, err = perlRun("backend.pl", perlBackend, row, ops, s.addr)
		return err
	})
	sample.CPU += whole.CPU
	return sample, err
}
