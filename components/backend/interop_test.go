package backend

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

var noPOE = sync.OnceValue(func() error {
	return exec.Command("perl", "-MPOE", "-MPOE::Filter::Reference", "-MPOE::Component::Server::TCP", "-e", "POE::Kernel->run").Run()
})

// perlProgram runs one of the scripts in testdata, until the test ends.
func perlProgram(t *testing.T, script string, args ...any) (next func() string, ended func()) {
	t.Helper()
	if err := noPOE(); err != nil {
		t.Skipf("no Perl with POE here (Debian: libpoe-perl): %v", err)
	}
	argv := []string{"testdata/" + script}
	for _, a := range args {
		argv = append(argv, fmt.Sprint(a))
	}
	cmd := exec.CommandContext(deadline(t), "perl", argv...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	next = func() string {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("%s has ended: %v %s", script, cmd.Wait(), &stderr)
		}
		return lines.Text()
	}
	ended = func() {
		t.Helper()
		if lines.Scan() {
			t.Errorf("%s says %q", script, lines.Text())
		}
		if err := cmd.Wait(); err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v %s", script, err, &stderr)
		}
	}
	return next, ended
}

const tenMiB = 10 << 20

// TestB21_B22_B27_B29_B31_B32_B33_B34_PerlClient serves the original's client,
// beside one of ours, on one port.
func TestB21_B22_B27_B29_B31_B32_B33_B34_PerlClient(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{Serializers: []Serializer{Protobuf, Storable}, MaxFrame: 16 << 20})
		responses := make(chan Message, 1)
		bob, err := k.SpawnHeld(session.New(session.On(BackendResponse, func(_ *kernel.Context, m Message) error {
			responses <- m
			return nil
		})), kernel.Alias("res_bob"))
		if err != nil {
			t.Fatal(err)
		}
		defer bob.Release()
		ours := connect(t, k, Config{Port: port(s)})
		next, ended := perlProgram(t, "client.pl", port(s), tenMiB)
		for _, want := range []string{
			"Apache::Backend::POE::Message event=pong",
			"Apache::Backend::POE::Message event=pong reply_to=7",
			"Apache::Backend::POE::Message event=error text=unknown command",
			"Apache::Backend::POE::Message args=42 event=reply reply_to=8",
		} {
			if got := next(); got != want {
				t.Errorf("Perl got %q, want %q", got, want)
			}
		}
		m := <-responses
		fields, _ := m.Args[0].(map[string]any)
		if big, _ := fields["big"].(string); len(big) != tenMiB || strings.Trim(big, "x") != "" || fields["number"] != int64(5) || m.Client != "bob" || m.From != "perl" {
			t.Errorf("bob got %d bytes, %v, from %q", len(big), fields["number"], m.From)
		}
		if err := ours.Send(Message{Name: "news", To: "PERL", Args: []any{"by name", 1}}); err != nil {
			t.Fatal(err)
		}
		if got := next(); !strings.HasPrefix(got, "Apache::Backend::POE::Message args=by name,1 event=news from=backend") {
			t.Errorf("Perl got %q", got)
		}
		if err := s.Send(Message{Name: "news", To: Everyone, Args: []any{map[string]any{"headline": "to all"}}}); err != nil {
			t.Fatal(err)
		}
		if got, want := next(), "Apache::Backend::POE::Message event=news headline=to all"; got != want {
			t.Errorf("Perl got %q, want %q", got, want)
		}
		ended()
		until(t, "it is gone", func() bool { st, err := s.State(); return err == nil && st.Connections == 1 })
		if _, err := ours.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil {
			t.Errorf("ours: %v", err)
		}
	})
}

// TestB13_B14_B21_B27_B29_PerlServer has our client speak to the original's kind
// of server, whose pong does not say which ping it answers.
func TestB13_B14_B21_B27_B29_PerlServer(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		next, ended := perlProgram(t, "server.pl")
		p, err := strconv.Atoi(next())
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan Message, 1)
		c := connect(t, k, Config{
			Port: p, Name: "Ours", Serializer: Storable, MaxFrame: 16 << 20,
			Deliver: listener(t, k, got), Events: []kernel.Event[Message]{news},
		}) // it pings before every message
		if l := next(); l != "registered ours" {
			t.Errorf("it says %q", l)
		}
		if err := c.Ping(deadline(t)); err != nil {
			t.Error(err)
		}
		for i := range 20 {
			if v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{i}}); err != nil || number(v, 0) != 2*i {
				t.Fatalf("double %d: %v, %v", i, v, err)
			}
		}
		var remote *RemoteError
		if _, err := c.Request(deadline(t), Message{Name: "nonsense"}); !errors.As(err, &remote) || remote.Text != "unknown command" {
			t.Errorf("nonsense: %v", err)
		}
		if err := c.Send(Message{Name: "measure", Args: []any{strings.Repeat("x", tenMiB)}}); err != nil {
			t.Fatal(err)
		}
		if l := next(); l != fmt.Sprint("measured ", tenMiB) {
			t.Errorf("it says %q", l)
		}
		if m := <-got; m.Args[0].(map[string]any)["headline"] != "measured" {
			t.Errorf("got %+v", m)
		}
		if _, err := c.Begin(deadline(t)); !errors.Is(err, ErrArgument) {
			t.Errorf("a transaction: %v", err)
		}
		if st, err := c.State(); err != nil || st.Reconnects != 0 {
			t.Errorf("%+v, %v", st, err)
		}
		if err := Oneshot(deadline(t), Config{Port: p, Name: "once", Serializer: Storable}, Message{Name: "measure", Args: []any{"12345"}}); err != nil {
			t.Error(err)
		}
		for _, want := range []string{"registered once", "measured 5"} {
			if l := next(); l != want {
				t.Errorf("it says %q, want %q", l, want)
			}
		}
		if err := c.Send(Message{Name: "quit"}); err != nil {
			t.Error(err)
		}
		ended()
	})
}

// TestStorableBomb: a few bytes that would be a great many are refused, or cost
// their connection, and nobody else's.
func TestStorableBomb(t *testing.T) {
	k, reports := quiet(t)
	s := doubler(t, k, ServerConfig{Serializers: []Serializer{Protobuf, Storable}})
	ours := connect(t, k, Config{Port: port(s), PingTimeout: -1})
	bomb := []byte{5, 11}
	for range 40 { // a list of two references to the list before, and so on
		bomb = append(bomb, 2, 0, 0, 0, 2, 4)
	}
	for what, record := range map[string][]byte{
		"nested":  append(bomb, bytes.Repeat([]byte{4}, 100)...),
		"a count": {5, 11, 2, 0xff, 0xff, 0xff, 0xff},
		"deep":    append([]byte{5, 11}, bytes.Repeat([]byte{4}, 100000)...),
	} {
		r := dialBare(t, s)
		if _, err := r.Write(append(fmt.Appendf(nil, "%d\x00", len(record)), record...)); err != nil {
			t.Fatal(err)
		}
		if got := <-reports; !strings.Contains(got, "message refused") {
			t.Errorf("%s: reported %q", what, got)
		}
		r.Close()
	}
	for what, head := range map[string]string{"a length": "99999999999\x00", "no length": "12x"} {
		r := dialBare(t, s)
		if _, err := r.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("%s: the connection stays open: %v", what, err)
		}
		if got := <-reports; !strings.Contains(got, "what comes are no frames") {
			t.Errorf("%s: reported %q", what, got)
		}
	}
	if _, err := ours.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil {
		t.Errorf("ours: %v", err)
	}
}
