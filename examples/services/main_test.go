package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/usher-go/usher/wheel"
)

// The program under test is this binary, started again, and so are its services.
const asProgram = "SERVICES_EXAMPLE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	wheel.RunPrograms()
	os.Exit(m.Run())
}

func services(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0", "NO_COLOR=1")
	cmd.Stderr = os.Stderr
	return cmd
}

var summary = regexp.MustCompile(`(\d+) orders made, (\d+) paid, (\d+) asked for again; stock was killed 1× and came back 1×\r?\n`)

func isSummary(t *testing.T, out string) {
	t.Helper()
	n := summary.FindStringSubmatch(out)
	if n == nil || n[1] == "0" || n[1] != n[2] || n[3] == "0" {
		t.Errorf("no good end: %q", n)
	}
}

// Without a terminal there is a line for each change, in order.
func TestServicesWithoutATerminal(t *testing.T) {
	t.Parallel()
	out, err := services(t, "-duration", "6s").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	isSummary(t, string(out))
	rest := string(out)
	for _, want := range []string{`stock +#\d  registered`, `stock is killed`, `stock +#\d  went; \d+ messages`, `stock is started again`, `stock +#4  registered`, `stock +#4  went`} {
		at := regexp.MustCompile(want).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no %q, or too early, in\n%s", want, out)
		}
		rest = rest[at[1]:]
	}
	for _, want := range []string{"orders", "billing"} {
		if n := len(regexp.MustCompile(want+` +#\d  (registered|went)`).FindAll(out, -1)); n != 2 {
			t.Errorf("%d changes of %s", n, want)
		}
	}
	if strings.ContainsRune(string(out), '\x1b') {
		t.Errorf("it plays with a terminal: %q", out)
	}
}

// On a terminal the display shows who is there, that stock goes, and comes back.
func TestServicesOnATerminal(t *testing.T) {
	t.Parallel()
	tm, err := pty.StartWithSize(services(t, "-duration", "6s"), &pty.Winsize{Rows: 20, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer tm.Close()
	all, _ := io.ReadAll(tm) // its error is that of a terminal whose program has ended
	isSummary(t, string(all))
	var seen []string
	for picture := range strings.SplitSeq(string(all), "\r\x1b[J") {
		row := regexp.MustCompile(`stock +● (\w+)`).FindStringSubmatch(picture)
		if len(row) == 2 && (len(seen) == 0 || seen[len(seen)-1] != row[1]) {
			seen = append(seen, row[1])
		}
	}
	if life := strings.Join(seen, " "); !regexp.MustCompile(`(active|new) (.* )?disconnected (.*)active`).MatchString(life) {
		t.Errorf("stock's life was %q", life)
	}
	if !regexp.MustCompile(`backend-server on 127\.0\.0\.1:\d+ · 3 connected, 3 services`).Match(all) {
		t.Error("never were all there")
	}
}

// The page is there while it runs, and an interrupt ends it early and in order.
func TestServicesPageAndInterrupt(t *testing.T) {
	t.Parallel()
	cmd := services(t, "-duration", "30s", "-http", "127.0.0.1:0")
	tm, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := ""
	read := func(until string) []string {
		t.Helper()
		buf := make([]byte, 1000)
		for {
			if found := regexp.MustCompile(until).FindStringSubmatch(said); found != nil {
				return found
			}
			n, err := tm.Read(buf)
			said += string(buf[:n])
			if err != nil {
				t.Fatalf("no %q in %q", until, said)
			}
		}
	}
	url := read(`the status page is (http://\S+)`)[1]
	for _, name := range []string{"orders", "stock", "billing"} {
		read(name + ` +#\d  registered`)
	}
	page, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(page.Body)
	page.Body.Close()
	if err != nil || page.StatusCode != 200 || strings.Count(string(text), `<td class="name">`) != 3 {
		t.Errorf("%v, %d, %s", err, page.StatusCode, text)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	n := read(`(\d+) orders made, (\d+) paid, `)
	if n[1] != n[2] {
		t.Errorf("it says %q", n[0])
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// What cannot work is refused.
func TestServicesWrongFlag(t *testing.T) {
	t.Parallel()
	cmd := services(t, "-duration", "1ms")
	cmd.Stderr = nil
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "want 1s or more") {
		t.Errorf("%v: %s", err, out)
	}
}
