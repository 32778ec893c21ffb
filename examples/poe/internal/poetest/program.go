// Package poetest tests the samples: it runs one as a process of its own, as a
// user would, and compares what it prints with what POE prints.
//
// In a sample's folder, testdata/NAME.pl is the same program for Perl's POE, and
// testdata/NAME.golden is what that prints; NAME is the folder's name. To write
// the golden file anew: go test ./examples/poe/NAME -update
package poetest

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// programVariable makes a test binary the sample itself.
const programVariable = "USHER_SAMPLE"

// longest is how long a program may run.
const longest = time.Minute

var update = flag.Bool("update", false, "write the golden file from what Perl's POE prints")

// Main is for TestMain: it runs the tests, or main in the processes they start.
func Main(m *testing.M, main func()) {
	if os.Getenv(programVariable) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Sample is the command that runs the sample with some flags.
func Sample(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, self, args...)
	cmd.Env = append(os.Environ(), programVariable+"=1",
		"GORACE=atexit_sleep_ms=0") // or each run ends with a second's wait for other goroutines' races
	return cmd
}

// Perl is the command that runs the sample's counterpart. Without Perl or without
// POE the test is skipped.
func Perl(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	if err := command(t, "perl", "-MPOE", "-e", "POE::Kernel->run").Run(); err != nil {
		t.Skipf("no Perl with POE here (Debian: libpoe-perl): %v", err)
	}
	return command(t, "perl", append([]string{file(t, ".pl")}, args...)...)
}

func command(t testing.TB, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, name, args...)
}

// Lines runs a program and returns what it printed. Anything but a clean end
// fails the test: another status than 0, or a word on standard error, where the
// kernel warns of what got lost.
func Lines(t testing.TB, cmd *exec.Cmd) []string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v\nended with %v\nstandard error:\n%s\nstandard output:\n%s", cmd.Args, err, stderr.String(), out)
	}
	return split(string(out))
}

func split(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

// file names a file of the sample in testdata.
func file(t testing.TB, suffix string) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join("testdata", filepath.Base(folder)+suffix)
}
