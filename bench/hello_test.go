package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestWhatWrkSays(t *testing.T) {
	const report = "Running 1s test @ http://127.0.0.1:1/hello\n  10 requests in 2.00s\n"
	s, err := wrkSays(Sample{CPU: time.Second}, []byte(report+`{"micros":2000000,"requests":10,"p50_us":7,"p99_us":70,"status":1,"connect":2,"read":3,"write":4,"timeout":5}`+"\n"))
	f := s.figures()
	if err != nil || f.Ops != 10 || f.Nanos != 2e8 || f.P50 != 7 || f.P99 != 70 || f.CPU != 1e5 || *f.Failed != 15 {
		t.Errorf("%+v, %v; want 10 operations in 2 s, 7 and 70 µs, 15 failed", f, err)
	}
	for _, bad := range []string{"", report, report + `{"micros":2000000,"requests":0}`} {
		if _, err := wrkSays(Sample{}, []byte(bad)); !errors.Is(err, errSample) {
			t.Errorf("%q: %v; want errSample", bad, err)
		}
	}
}

// Answers that are wrong are counted, and those of a server that is wrong from the
// start end the sample.
func TestFailedRequestsAreCounted(t *testing.T) {
	if err := needWrk(); err != nil {
		t.Skip(err)
	}
	var asked atomic.Int32
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) > 1 {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, helloBody)
	}))
	defer h.Close()
	s := &server{addr: strings.TrimPrefix(h.URL, "http://"), cmd: &exec.Cmd{Process: &os.Process{Pid: noProcess}}}
	run, hangUp, err := wrkLoad(1)(s)
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp()
	if sample, err := run(1); err != nil || sample.Ops < 1 || *sample.Failed != sample.Ops {
		t.Errorf("%+v, %v; want that all of them failed", sample, err)
	}
	if _, _, err := wrkLoad(1)(s); !errors.Is(err, errSample) || !strings.Contains(err.Error(), "418") {
		t.Errorf("%v; want errSample with the status", err)
	}
}

// A sample that is timed has one run, and a figure of 0 failures is one.
func TestTimedSample(t *testing.T) {
	var asked []int
	none := 0
	s, err := sample(&Row{Timed: true}, func(ms int) (Sample, error) {
		asked = append(asked, ms)
		return Sample{Ops: 5, Elapsed: time.Second, P50: time.Microsecond, P99: time.Millisecond, Failed: &none}, nil
	}, options{Time: 1500 * time.Millisecond})
	f := s.figures()
	if err != nil || len(asked) != 1 || asked[0] != 1500 || f.Ops != 5 || f.P50 != 1 || f.P99 != 1000 {
		t.Errorf("asked for %v, %+v, %v; want one run of 1500 ms", asked, f, err)
	}
	if vs := Failed.each([]Figures{f, {}}); len(vs) != 1 || vs[0] != 0 {
		t.Errorf("failures are %v; want one figure, 0", vs)
	}
}

// A program that is none of ours gets a folder and an address, and its end comes with
// that of the load.
func TestKeptProgram(t *testing.T) {
	var in string
	s, err := start(Server{Program: kept(func(dir, addr string) ([]string, error) {
		in = dir
		name, err := configured(dir, addr)
		return []string{"/bin/sh", "-c", "cat " + name + " >&2; exec sleep 1000"}, err
	})}, "a/b", "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(in + "/bench.conf")
	if err != nil || string(text) != s.addr {
		t.Errorf("its configuration is %q, %v; want %s", text, err, s.addr)
	}
	if err := s.settle(); err != nil {
		t.Error(err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(in); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder: %v; want that it is gone", err)
	}
}
