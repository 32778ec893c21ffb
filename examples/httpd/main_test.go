package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// programVariable makes the test binary the example itself.
const programVariable = "USHER_HTTPD"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestHttpd(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "-addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), programVariable+"=1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	said, err := out.ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(said), "listening on ")
	if err != nil || !ok {
		t.Fatalf("it says %q, %v", said, err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	for _, test := range []struct {
		path string
		code int
		body string
	}{
		{"/", 200, "<h1>Some funky HTML here</h1>\n"},
		{"/bar/x", 200, "<h1>Some funky HTML here</h1>\n"},
		{"/nowhere", 404, "Hi visitor from 127.0.0.1, Page not found -> '/nowhere'\n"},
		{"/stream/", 200, "tick 1\ntick 2\ntick 3\ntick 4\ntick 5\n"},
	} {
		a, err := client.Get("http://" + at + test.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(a.Body)
		a.Body.Close()
		if err != nil || a.StatusCode != test.code || string(body) != test.body || a.Header.Get("Server") != "Usher" {
			t.Errorf("%s: %d %q %v, %v; want %d %q", test.path, a.StatusCode, body, a.Header, err, test.code, test.body)
		}
	}
	if _, err := client.Get("http://" + at + "/foo/"); !errors.Is(err, io.EOF) {
		t.Errorf("/foo/: %v; want no answer", err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("its end: %v", err)
	}
	log := string(rest)
	for _, want := range []string{"127.0.0.1 got 200 30 bytes of /bar/x\n", "127.0.0.1 got 404 56 bytes of /nowhere\n", "127.0.0.1 got 200 35 bytes of /stream/\n"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
	if asks := strings.Count(log, "127.0.0.1 asks for GET http://"); asks < 5 { // and Go's client may repeat the last
		t.Errorf("%d requests in\n%s", asks, log)
	}
}
