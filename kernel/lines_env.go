package kernel

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// What Lines says of them.
const (
	traceVariable = "USHER_TRACE"
	traceFile     = "USHER_TRACE_FILE"
)

// linesOfEnvironment returns the observer that the environment asks for, nil if
// it does not.
func linesOfEnvironment() *Observer {
	words := os.Getenv(traceVariable)
	if words == "" {
		return nil
	}
	o, err := Lines(traceOutput(), words)
	if err != nil {
		traceComplaint(fmt.Errorf("%s: %w", traceVariable, err))
	}
	return o
}

// traceOutput is opened once for all kernels of the process. Each line is one
// Write, and a file is only appended to: it may be that of several processes.
var traceOutput = sync.OnceValue(func() io.Writer {
	name := os.Getenv(traceFile)
	if name == "" {
		return os.Stderr
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		traceComplaint(fmt.Errorf("%s: %w; the lines go to standard error", traceFile, err))
		return os.Stderr
	}
	return f
})

var complained sync.Map

// traceComplaint says once what is wrong with the environment.
func traceComplaint(err error) {
	if _, said := complained.LoadOrStore(err.Error(), true); !said {
		fmt.Fprintf(os.Stderr, "usher: %v\n", err)
	}
}
