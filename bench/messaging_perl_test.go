package main

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// Without Perl its peer is left out, with a word, and the budgets take the quoted
// figures.
func TestWithoutPerl(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	code, out, log := program(t, "-rounds 1 -time 1ms -row yield -peer usher,perl-poe")
	if code == exitFailed || !strings.Contains(log, "perl-poe is not measured") || !strings.Contains(log, "libpoe-perl") {
		t.Errorf("exit status %d, standard error %q; want a word on what is missing", code, log)
	}
	if !strings.Contains(out, "× perl-poe (15400, quoted)") {
		t.Errorf("no quoted figure in\n%s", out)
	}
	if code, _, log := program(t, "-row yield -peer perl-poe"); code != exitFailed || !strings.Contains(log, "libpoe-perl") {
		t.Errorf("Perl alone: exit status %d, %q; want %d, and what is missing", code, log, exitFailed)
	}
}

func TestPerlsMistakesAreErrors(t *testing.T) {
	if err := needPerl(); err != nil {
		t.Skip(err)
	}
	if _, err := perlRun("messaging.pl", perlMessaging, "no such row", 1); err == nil || !strings.Contains(err.Error(), "one of call, fan-out") {
		t.Errorf("an unknown row: %v; want what Perl says", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/perl", []byte("#!/bin/sh\necho '{\"ops\":2,\"ns_per_op\":5}'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if _, err := perlRun("messaging.pl", perlMessaging, "yield", 3); !errors.Is(err, errSample) {
		t.Errorf("two operations of three: %v, want errSample", err)
	}
	s, err := perlRun("messaging.pl", perlMessaging, "yield", 2)
	if f := s.figures(); err != nil || f.Nanos != 5 || !f.TimeOnly {
		t.Errorf("%+v, %v; want 5 ns each, and no word on allocations", f, err)
	}
}
