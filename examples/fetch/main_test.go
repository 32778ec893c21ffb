package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// The program under test is this binary, started again.
const asProgram = "FETCH_EXAMPLE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func fetch(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the demonstration needs 127.0.0.2 to 127.0.0.5, which only Linux has from the start")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

// demoLines are what the demonstration prints of its 61 URLs, sorted, without ports.
func demoLines() (lines []string) {
	for _, d := range []struct {
		line string
		n    int
	}{
		{"✓ 200 OK                      20.0 kB  http://127.0.0.1/page/", 20},
		{"✓ 200 OK                       1.0 kB  http://127.0.0.2/slow/", 12},
		{"✓ 200 OK                       1.5 MB  http://127.0.0.3/large/", 8},
		{"✗ no complete answer          50.0 kB  http://127.0.0.4/cut/", 3},
		{"✗ 404 Not Found                  19 B  http://127.0.0.4/missing/", 3},
		{"✗ 500 Internal Server Error       0 B  http://127.0.0.4/broken/", 3},
		{"✓ 200 OK                      20.0 kB  http://127.0.0.4/page/", 6},
		{"✗ cannot connect                  0 B  http://127.0.0.5/page/", 6},
	} {
		for i := range d.n {
			lines = append(lines, fmt.Sprint(d.line, i+1))
		}
	}
	slices.Sort(lines)
	return lines
}

var port = regexp.MustCompile(`(127\.0\.0\.\d):\d+`)

// isDemo checks what was printed, the picture apart, up to the summary.
func isDemo(t *testing.T, out string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(port.ReplaceAllString(out, "$1")), "\n")
	summary := lines[len(lines)-1]
	lines = lines[:len(lines)-1]
	slices.Sort(lines)
	if want := demoLines(); !slices.Equal(lines, want) {
		t.Errorf("it prints\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if want := "61 URLs: 46 fetched, 15 failed, 0 given up; 12.7 MB in "; !strings.HasPrefix(summary, want) {
		t.Errorf("it sums up %q, want %q…", summary, want)
	}
}

// Without a terminal there is a line for each URL, and what was complete is saved.
func TestDemoWithoutATerminal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	out, err := fetch(t, "-o", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	isDemo(t, string(out))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 46 {
		t.Errorf("%d files are saved (%v), want the 46 that were fetched", len(files), err)
	}
	var total int64
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if want := int64(26*20_000 + 12*1000 + 8*1_500_000); total != want {
		t.Errorf("%d octets are saved, want %d", total, want)
	}
}

var (
	redraw = regexp.MustCompile(`\x1b\[\d+A\x1b\[J`)
	totals = regexp.MustCompile(`(\d+)/(\d+) done · (\d+) failed · \S+ \S+ · (\d+)/(\d+) connections open`)
	host   = regexp.MustCompile(`127\.0\.0\.(\d):\d+ +([█░]+) (\d+)/(\d+) busy · (\d+) idle · +(\d+) waiting · breaker (\S+)`)
)

// On a terminal a picture is drawn again and again; in none of them is a limit
// exceeded, and some show what the limits are for.
func TestDemoOnATerminal(t *testing.T) {
	t.Parallel()
	tm, err := pty.StartWithSize(fetch(t, "-max-per-host", "3", "-max-open", "10"), &pty.Winsize{Rows: 50, Cols: 110})
	if err != nil {
		t.Fatal(err)
	}
	defer tm.Close()
	all, _ := io.ReadAll(tm) // its error is that of a terminal whose program has ended
	pictures := redraw.Split(strings.ReplaceAll(string(all), "\r", ""), -1)

	var printed strings.Builder
	var full, crowded, waiting, tripped bool
	for _, p := range pictures {
		scroll, picture, _ := strings.Cut("\n"+p, "\n\n") // the picture begins with an empty line
		printed.WriteString(scroll)
		sum := 0
		for _, h := range host.FindAllStringSubmatch(picture, -1) {
			busy, limit, idle := number(t, h[3]), number(t, h[4]), number(t, h[5])
			if limit != 3 || busy > limit || strings.Count(h[2], "█") != busy || len([]rune(h[2])) != limit {
				t.Errorf("the limit of 3 is not kept: %s", h[0])
			}
			sum += busy + idle
			full = full || busy == limit
			waiting = waiting || number(t, h[6]) > 0
			tripped = tripped || h[1] == "5" && h[7] == "open"
			if h[1] != "5" && h[7] != "closed" {
				t.Errorf("a breaker has tripped without a cause: %s", h[0])
			}
		}
		for _, s := range totals.FindAllStringSubmatch(picture, -1) {
			done, failed, open := number(t, s[1]), number(t, s[3]), number(t, s[4])
			if s[2] != "61" || s[5] != "10" || failed > done || done > 61 || open > 10 || open != sum {
				t.Errorf("it does not add up: %s; the hosts have %d", s[0], sum)
			}
			crowded = crowded || open == 10
		}
	}
	if len(pictures) < 10 || !full || !crowded || !waiting || !tripped {
		t.Errorf("of %d pictures one shows a busy host: %v, all connections open: %v, a queue: %v, an open breaker: %v; want all of it",
			len(pictures), full, crowded, waiting, tripped)
	}
	isDemo(t, printed.String())
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Ctrl-C gives up what is not done, and sums up.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	cmd := fetch(t)
	tm, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tm.Close()
	var seen []byte
	buf := make([]byte, 4096)
	for interrupted := false; ; {
		n, err := tm.Read(buf)
		seen = append(seen, buf[:n]...)
		if !interrupted && bytes.Contains(seen, []byte("✓")) {
			interrupted = true
			if err := cmd.Process.Signal(os.Interrupt); err != nil { // typed, it would lose what is on its way to us
				t.Fatal(err)
			}
		}
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ends with %v", err)
	}
	m := regexp.MustCompile(`61 URLs: (\d+) fetched, (\d+) failed, (\d+) given up; `).FindSubmatch(seen)
	if m == nil {
		t.Fatalf("there is no summary in %q", seen)
	}
	fetched, failed, givenUp := number(t, string(m[1])), number(t, string(m[2])), number(t, string(m[3]))
	if fetched+failed+givenUp != 61 || fetched == 0 || givenUp == 0 {
		t.Errorf("%s: does not add up to 61, with some fetched and some given up", m[0])
	}
	if lines := bytes.Count(seen, []byte("✓ ")); lines != fetched {
		t.Errorf("%d lines say that a URL was fetched, the summary says %d", lines, fetched)
	}
}

// A list has one URL a line; redirects are followed; names stay in the directory.
func TestList(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/here", http.StatusFound)
			return
		}
		fmt.Fprint(w, "this is ", r.URL.Path)
	}))
	defer server.Close()
	dir := t.TempDir()
	list := filepath.Join(dir, "list")
	text := fmt.Sprintf("# two\n%s/moved\n\n  %[1]s/a/%%2e%%2e \n", server.URL)
	if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := fetch(t, "-list", list, "-o", dir, "-max-per-host", "1", server.URL, "gopher://old/",
		server.URL+"/"+strings.Repeat("x", 300), server.URL+"/nul%00l").Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "6 URLs: 5 fetched, 1 failed, 0 given up; 358 B"; !strings.Contains(string(out), want) {
		t.Errorf("it prints\n%s\nwithout %q", out, want)
	}
	for name, want := range map[string]string{
		"001-moved": "this is /here", "002-": "this is /a/..", "003-": "this is /",
		"005-" + strings.Repeat("x", 100): "this is /" + strings.Repeat("x", 300), "006-nul_l": "this is /nul\x00l",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s has %q (%v), want %q", name, got, err, want)
		}
	}
}

func TestBadArguments(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-max-per-host", "0"}, {"-max-open", "-1"}, {"-list", "/nowhere"}, {"-list", os.DevNull}, {"://"}} {
		cmd := fetch(t, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), args[len(args)-1]) {
			t.Errorf("%q: %v, %s; want a complaint", args, err, stderr.String())
		}
	}
}
