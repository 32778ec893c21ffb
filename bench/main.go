package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit statuses.
const (
	exitOK     = 0
	exitMissed = 1 // a budget
	exitFailed = 2 // to measure
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	missed := false
	switch {
	case err != nil:
	case o.Serve != "":
		err = serve(groups, o, os.Stdin, stdout)
	case o.Child != "":
		err = child(groups, o, stdout)
	default:
		missed, err = compare(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return exitFailed
	}
	if missed {
		return exitMissed
	}
	return exitOK
}

// compare measures what o asks for, prints it, and reports whether a budget
// was missed.
func compare(ctx context.Context, o options, stdout io.Writer, stderr *os.File) (missed bool, err error) {
	plan, err := pick(groups, o.Groups, o.Rows, o.Peers)
	if err != nil {
		return false, err
	}
	if plan, err = runnable(plan, stderr); err != nil {
		return false, err
	}
	o.Conns = fitConns(plan, o.Conns, stderr)
	exe, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("finding this program to run it again: %w", err)
	}
	p := newProgress(stderr, isTerminal(stderr), time.Now)
	results, err := measureAll(ctx, plan, o.Rounds, sampleIn(exe, o), p)
	if err != nil {
		return false, err
	}
	rep := newReport(o, results)
	if o.JSON {
		return rep.missed(), rep.writeJSON(stdout)
	}
	return rep.missed(), rep.writeTables(stdout)
}
