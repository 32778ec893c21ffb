package httpd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
)

// smallDisk has room for one page of a log, until the other is given free.
func smallDisk(t *testing.T, dir string) (free func()) {
	t.Helper()
	if err := unix.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", 2*os.Getpagesize())); err != nil {
		t.Skipf("a small disk is needed, and cannot be had: mount: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, os.Getpagesize()), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
}

var commonLine = regexp.MustCompile(`^127\.0\.0\.1 - - \[[^] ]+ [+-]\d{4}\] "GET /[a-z]+ HTTP/1\.1" 200 5$`)

// wholeLines are those of a log, and how many there are that are none.
func wholeLines(t *testing.T, name string, format httpd.LogFormat) (whole []string, torn int) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if format == httpd.JSON && json.Valid([]byte(line)) || format != httpd.JSON && commonLine.MatchString(line) {
			whole = append(whole, line)
		} else {
			torn++
		}
	}
	return whole, torn
}

// Nobody is served worse for a full disk; the loss is reported once, and lines follow
// when there is room, each on a line of its own.
func TestH12_AccessLogOnAFullDisk(t *testing.T) {
	for _, format := range []httpd.LogFormat{httpd.Common, httpd.JSON} {
		dir := t.TempDir()
		free := smallDisk(t, dir)
		name := filepath.Join(dir, "log")
		log, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		r := newRig(t, kernel.Parallel)
		s := r.serve(httpd.Config{AccessLog: log, AccessLogFormat: format, KeepAlive: true}, pages{"foo": hello, "after": hello})
		p := dial(t, s)
		ask := func(path string) {
			t.Helper()
			p.get(path)
			if _, body := p.answer(http.MethodGet); body != "hello" {
				t.Fatalf("got %q", body)
			}
		}
		for n := 0; r.count("report") == 0; n++ {
			if n > os.Getpagesize() {
				t.Fatal("the disk is not full")
			}
			ask("/foo")
		}
		for range 20 {
			ask("/foo")
		}
		free()
		const later = 10
		for range later {
			ask("/after")
		}
		var whole []string
		var torn int
		within(t, "what comes later is logged", func() bool {
			whole, torn = wholeLines(t, name, format)
			n := 0
			for _, line := range whole {
				if strings.Contains(line, "/after") {
					n++
				}
			}
			return n == later
		})
		if torn > 1 {
			t.Errorf("%d lines are torn; want none but the one that met the disk's end", torn)
		}
		report := r.await("report: httpd: access log not written")
		if n := r.count("report"); n != 1 || !strings.Contains(report, syscall.ENOSPC.Error()) {
			t.Errorf("%q", r.entries())
		}
	}
}

// logFile is opened anew when somebody else has put it away.
type logFile struct {
	mu   sync.Mutex
	name string
	file *os.File
}

func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(b)
}

func (l *logFile) reopen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = os.MkdirAll(filepath.Dir(l.name), 0o700)
	f, err := os.OpenFile(l.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, "reopen:", err)
		return
	}
	if l.file != nil {
		_ = l.file.Close()
	}
	l.file = f
}

func init() {
	farms["logging"] = plainFarm(func(cfg *httpd.Config) {
		log := &logFile{name: filepath.Join(os.Getenv(dirVariable), "logs", "access")}
		cfg.AccessLog = log
		cfg.Prefork.StartServers, cfg.Prefork.MaxClients = 1, 1
		cfg.Prefork.Reopen = log.reopen
		if prefork.IsChild() {
			log.reopen()
		}
	})
}

// On USR1 a worker writes to the file that has the name now; where its disk is full it
// goes on answering, and writes again when there is room.
func TestP33_H12_LogIsReopenedAndSurvivesAFullDisk(t *testing.T) {
	f := startFarm(t, kernel.Parallel, "logging")
	f.showing("_")
	logs := filepath.Join(f.dir, "logs")
	name := filepath.Join(logs, "access")
	ask := func(path string) {
		t.Helper()
		if got := f.ask(path); got != "hello" {
			t.Fatalf("got %q", got)
		}
	}
	logged := func(name, what string) int {
		whole, _ := wholeLines(t, name, httpd.Common)
		return strings.Count(strings.Join(whole, "\n"), what)
	}
	reopened := func() {
		t.Helper()
		if err := f.k.Signal("", "USR1"); err != nil {
			t.Fatal(err)
		}
		within(t, "a line in the new file", func() bool { ask("/new"); return logged(name, "/new") > 0 })
	}
	ask("/old")
	within(t, "a line", func() bool { return logged(name, "/old") == 1 })
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	reopened()
	if logged(name, "/old") != 0 || logged(name+".1", "/old") != 1 {
		t.Error("the old line is not where it was")
	}

	free := smallDisk(t, logs) // hides what was there
	reopened()
	size := func() int64 {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	within(t, "a full disk", func() bool { ask("/full"); return size() == int64(os.Getpagesize()) })
	for range 20 {
		ask("/full")
	}
	free()
	within(t, "a line", func() bool { ask("/after"); return logged(name, "/after") > 0 })
	if s := f.status(); s.Started != 1 || s.Lost != 0 {
		t.Errorf("%+v", s.Stats)
	}
}
