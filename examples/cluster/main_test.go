package main

import (
	"bufio"
	"bytes"
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

	"github.com/usher-go/usher/wheel"
)

// The program under test is this binary, started again, and so are its nodes.
const asProgram = "CLUSTER_EXAMPLE"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	wheel.RunPrograms()
	os.Exit(m.Run())
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0")
	return cmd
}

// inOrder finds one after the other.
func inOrder(t *testing.T, text string, wants ...string) {
	t.Helper()
	rest := text
	for _, want := range wants {
		at := regexp.MustCompile(want).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no %q, or too early, in\n%s", want, text)
		}
		rest = rest[at[1]:]
	}
}

// A node is killed and replaced: no item is lost, none is there twice, and nobody but
// the owner writes.
func TestClusterLosesANode(t *testing.T) {
	t.Parallel()
	cmd := command(t, "-duration", "6s")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.Bytes())
	}
	t.Logf("it warns:\n%s", stderr.Bytes()) // on a busy machine nodes may be lost that were not killed
	inOrder(t, string(out),
		`every cart is on a node: .*node-2: cleo`, `\d+ calls/s`,
		`node-2 is killed with SIGKILL, and \d carts with it`, `node-2 is lost`,
		`had no answer for \d+ ms; the cart went from node-2 to node-[13], with \d+ items`,
		`node-2 is started again`, `wakes up, and writes into \w+'s cart\. The disk says: .* \d+ is over`,
		`(?m)^[1-9]\d+ items for 12 customers, each promised and in its cart once; \d+ times asked again; longest gap \d+ ms; node-2 was killed and replaced\n`)
}

// The page is there while it runs, and an interrupt ends it early and in order.
func TestClusterPageAndInterrupt(t *testing.T) {
	t.Parallel()
	cmd := command(t, "-duration", "1m", "-http", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(pipe)
	url := read(t, in, `the status page is (http://\S+)`)
	read(t, in, `every cart is on a node(:)`)
	page, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(page.Body)
	page.Body.Close()
	if err != nil || page.StatusCode != 200 || strings.Count(string(text), `<span class="s good">up</span>`) != 3 {
		t.Errorf("%v, %d, %s", err, page.StatusCode, text)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	read(t, in, `^(\d+) items for 12 customers`)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// read reads lines until one matches, and returns its first group.
func read(t *testing.T, in *bufio.Reader, want string) string {
	t.Helper()
	said := ""
	for {
		line, err := in.ReadString('\n')
		if found := regexp.MustCompile(want).FindStringSubmatch(line); found != nil {
			return found[1]
		}
		if said += line; err != nil {
			t.Fatalf("no %q in %q", want, said)
		}
	}
}

// Nodes that have lost who started them end, too: they hold its standard error open.
func TestClusterNodesEndWithTheClient(t *testing.T) {
	t.Parallel()
	cmd := command(t)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	read(t, bufio.NewReader(stdout), `every cart is on a node(:)`)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = stderr.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.Copy(io.Discard, stderr); err != nil {
		t.Errorf("nodes are left: %v", err)
	}
	_ = cmd.Wait()
}

// What cannot work is refused.
func TestClusterWrongFlag(t *testing.T) {
	t.Parallel()
	out, err := command(t, "-duration", "1s").CombinedOutput()
	if code := err.(*exec.ExitError).ExitCode(); code != 2 || !strings.Contains(string(out), "want 5s or more") {
		t.Errorf("%v: %s", err, out)
	}
}
