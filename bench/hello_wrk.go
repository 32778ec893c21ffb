package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

//go:embed hello.lua
var wrkScript []byte

// needWrk says why nothing can be loaded here.
func needWrk() error {
	if _, err := exec.LookPath("wrk"); err != nil {
		return fmt.Errorf("%w; install wrk (Debian: wrk)", err)
	}
	return nil
}

// wrkLoad has wrk keep n connections busy from one thread, for so many milliseconds
// as the Runner is given, rounded up to seconds.
func wrkLoad(n int) Load {
	return func(s *server) (Runner, func(), error) {
		if err := greet(s.addr); err != nil {
			return nil, nil, err
		}
		script, err := os.CreateTemp("", "bench-*.lua")
		if err != nil {
			return nil, nil, err
		}
		remove := func() { _ = os.Remove(script.Name()) }
		if _, err := script.Write(wrkScript); err != nil {
			remove()
			return nil, nil, err
		}
		if err := script.Close(); err != nil {
			remove()
			return nil, nil, err
		}
		return func(ms int) (Sample, error) {
			return wrk(s, "-t1", "-c", strconv.Itoa(n), "-d", strconv.Itoa((ms+999)/1000)+"s", "-s", script.Name(), "http://"+s.addr+"/hello")
		}, remove, nil
	}
}

// wrk runs it and takes its word: it ends by the clock, and says how many requests
// that were.
func wrk(s *server, args ...string) (Sample, error) {
	var out []byte
	sample, err := s.measure(0, func() (err error) {
		cmd := exec.Command("wrk", args...)
		cmd.Stderr = os.Stderr
		out, err = cmd.Output()
		return err
	})
	if err != nil {
		return sample, fmt.Errorf("wrk %q: %w", args, err)
	}
	return wrkSays(sample, out)
}

// wrkSays reads what hello.lua has written behind wrk's own report. An answer that is
// none, and a connection that broke, count as failed.
func wrkSays(sample Sample, out []byte) (Sample, error) {
	var said struct {
		Micros   int64 `json:"micros"`
		Requests int   `json:"requests"`
		P50      int64 `json:"p50_us"`
		P99      int64 `json:"p99_us"`
		Status   int   `json:"status"`
		Connect  int   `json:"connect"`
		Read     int   `json:"read"`
		Write    int   `json:"write"`
		Timeout  int   `json:"timeout"`
	}
	line := out[max(0, bytes.LastIndexByte(out, '{')):]
	if err := json.Unmarshal(line, &said); err != nil || said.Requests < 1 || said.Micros < 1 {
		return sample, fmt.Errorf("%w: wrk printed %.500q; want a line of JSON, with requests", errSample, out)
	}
	failed := said.Status + said.Connect + said.Read + said.Write + said.Timeout
	sample.Ops = said.Requests
	sample.Elapsed = time.Duration(said.Micros) * time.Microsecond
	sample.P50, sample.P99 = time.Duration(said.P50)*time.Microsecond, time.Duration(said.P99)*time.Microsecond
	sample.Failed = &failed
	return sample, nil
}
