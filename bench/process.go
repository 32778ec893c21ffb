package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// errSample is a child that did not deliver its sample.
var errSample = errors.New("no sample")

// sampleIn returns a sampler that runs exe, this program, once for each sample.
//
// A child that hangs is sent SIGQUIT after a minute, twenty times its length and
// a millisecond for each idle connection, so that the error carries the stacks of its goroutines.
func sampleIn(exe string, o options) sampler {
	limit := time.Minute + 20*o.Time + time.Duration(o.Conns)*time.Millisecond
	return func(ctx context.Context, spec string) (f Figures, err error) {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		cmd := exec.CommandContext(limited, exe, "-child", spec, "-time", o.Time.String(), "-many", strconv.Itoa(o.Many), "-conns", strconv.Itoa(o.Conns))
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
		cmd.WaitDelay = 5 * time.Second
		out, err := cmd.Output()
		switch {
		case ctx.Err() != nil:
			return f, ctx.Err()
		case err != nil:
			return f, fmt.Errorf("%w: %w (limit %v); to look closer run it alone with -child %s\n%s",
				errSample, err, limit, spec, lastWords(err))
		}
		if err := json.Unmarshal(out, &f); err != nil || f.Ops < 1 {
			return f, fmt.Errorf("%w: it printed %.200q, want one line of JSON; a row must not write to standard output", errSample, out)
		}
		return f, nil
	}
}

// lastWords is what a failed child wrote to standard error, which package exec
// keeps, shortened in the middle.
func lastWords(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}
