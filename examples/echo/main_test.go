package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// programVariable makes the test binary the example itself.
const programVariable = "USHER_ECHO"

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestEcho(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, self, "-addr", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), programVariable+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	said, err := bufio.NewReader(out).ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(said), "listening on ")
	if err != nil || !ok {
		t.Fatalf("it says %q, %v", said, err)
	}
	for i := range 3 { // one after the other, and all at a time
		conn, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprintf(conn, "hello from %d\n", i)
		if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != fmt.Sprintf("hello from %d\r\n", i) {
			t.Errorf("client %d gets %q, %v", i, line, err)
		}
	}
}
