package main

import (
	_ "embed"
	"fmt"
	"os/exec"
)

//go:embed perl/filters.pl
var perlFilters string

func init() {
	runs := make(map[string]Runner)
	for _, row := range filters.Rows {
		if row.Name != "filter-event" {
			runs[row.Name] = func(ops int) (Sample, error) { return perlRun("filters.pl", perlFilters, row.Name, ops) }
		}
	}
	filters.register(perl, runs)
}

// needPerlHTTP says why POE's HTTPD filter cannot be measured here.
func needPerlHTTP() error {
	if err := needPerl(); err != nil {
		return err
	}
	if out, err := exec.Command("perl", "-MPOE::Filter::HTTPD", "-e1").CombinedOutput(); err != nil {
		return fmt.Errorf("perl -MPOE::Filter::HTTPD: %w, %.100q; install what it uses (Debian: libhttp-message-perl)", err, out)
	}
	return nil
}
