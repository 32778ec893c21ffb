package backend

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

// greeters are both ends of a handshake, without a network.
func greeters(c Config, secrets map[string][]byte, s ...Serializer) (*clientGreeting, *serverGreeting) {
	if c.Serializer == "" {
		c.Serializer = Protobuf
	}
	if s == nil {
		s = []Serializer{Protobuf, JSON}
	}
	return &clientGreeting{cfg: &c, nonce: newNonce()},
		&serverGreeting{serializers: s, secrets: secrets, nonce: newNonce(), minPing: time.Second}
}

// handshake has them talk, as long as both agree. between may change a line.
func handshake(c *clientGreeting, s *serverGreeting, between func(from string, nth int, l []byte) []byte) (clientErr, serverErr error) {
	if between == nil {
		between = func(_ string, _ int, l []byte) []byte { return l }
	}
	send := c.begin()
	for nth := 0; nth < 3; nth++ {
		step, err := s.take(bytes.TrimSuffix(between(byClient, nth, send), []byte("\n")))
		answer := step.send
		switch {
		case err != nil:
			answer = refuse(err)
		case step.known:
			answer = s.welcome()
		}
		var done bool
		var cerr error
		send, done, cerr = c.take(bytes.TrimSuffix(between(byServer, nth, answer), []byte("\n")))
		if err != nil || cerr != nil || done {
			return cerr, err
		}
	}
	return errors.New("no end"), errors.New("no end")
}

var (
	knows   = Config{User: "shop", Secret: []byte("hush")}
	secrets = map[string][]byte{"shop": []byte("hush"), "desk": []byte("other")}
)

func TestHandshake(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg            Config
		secrets        map[string][]byte
		serializers    []Serializer
		client, server string // what their errors say
	}{
		"open":                 {},
		"with a secret":        {cfg: knows, secrets: secrets},
		"wrong secret":         {cfg: Config{User: "shop", Secret: []byte("hist")}, secrets: secrets, client: "wrong secret", server: "wrong secret"},
		"somebody's secret":    {cfg: Config{User: "desk", Secret: []byte("hush")}, secrets: secrets, client: "wrong secret", server: "wrong secret"},
		"unknown user":         {cfg: Config{User: "who", Secret: []byte("hush")}, secrets: secrets, client: "unknown user", server: "unknown user"},
		"no secret":            {secrets: secrets, client: "Config.Secret"},
		"server knows none":    {cfg: knows, client: "does not ask"},
		"JSON":                 {cfg: Config{Serializer: JSON}},
		"no common serializer": {cfg: Config{Serializer: JSON}, serializers: []Serializer{Protobuf, Storable}, client: "serializers", server: "serializers"},
		"Storable has none":    {cfg: Config{Serializer: Storable}, serializers: []Serializer{Protobuf, Storable}, client: "serializers", server: "serializers"},
	} {
		c, s := greeters(tc.cfg, tc.secrets, tc.serializers...)
		cerr, serr := handshake(c, s, nil)
		for who, x := range map[string]struct {
			err  error
			want string
		}{byClient: {cerr, tc.client}, byServer: {serr, tc.server}} {
			switch {
			case x.want == "" && x.err != nil:
				t.Errorf("%s, %s: %v", name, who, x.err)
			case x.want != "" && (x.err == nil || !errors.Is(x.err, ErrRefused) || !strings.Contains(x.err.Error(), x.want)):
				t.Errorf("%s, %s: %v; want something of %q", name, who, x.err, x.want)
			}
		}
		if cerr == nil && c.minPing != time.Second {
			t.Errorf("%s: the server's minimum came as %v", name, c.minPing)
		}
	}
}

// TestVersions: every pair of ranges meets at the newest common version or is
// refused; ours with newer and older ones.
func TestVersions(t *testing.T) {
	for newest := -1; newest < 4; newest++ {
		for oldest := -1; oldest <= newest; oldest++ {
			_, s := greeters(Config{}, nil)
			l := line(clientHello{newest, oldest, []Serializer{Protobuf}, "", newNonce()})
			step, err := s.take(bytes.TrimSpace(l))
			common := newest >= oldestVersion && oldest <= newestVersion
			if common != (err == nil && step.known) {
				t.Errorf("client %d to %d: %v", oldest, newest, err)
			}
			if err != nil && !strings.Contains(err.Error(), "version") {
				t.Errorf("client %d to %d: %v does not say why", oldest, newest, err)
			}
		}
		c, _ := greeters(Config{}, nil)
		c.begin()
		_, done, err := c.take(bytes.TrimSpace(line(serverHello{Usher: newest, Serializer: Protobuf})))
		if (newest == 1) != (done && err == nil) {
			t.Errorf("server %d: %v", newest, err)
		}
	}
}

// TestHandshakeIsTiedTogether: whatever changes on the way, and whatever is said
// a second time, is found out by somebody.
func TestHandshakeIsTiedTogether(t *testing.T) {
	lines := map[string][]byte{}
	c, s := greeters(knows, secrets)
	if cerr, serr := handshake(c, s, func(from string, nth int, l []byte) []byte {
		lines[fmt.Sprint(from, nth)] = bytes.Clone(l)
		return l
	}); cerr != nil || serr != nil {
		t.Fatal(cerr, serr)
	}
	for key, old := range lines { // replayed, each in a handshake of its own
		c, s := greeters(knows, secrets)
		cerr, serr := handshake(c, s, func(from string, nth int, l []byte) []byte {
			if fmt.Sprint(from, nth) == key {
				return old
			}
			return l
		})
		if cerr == nil || key == "client0" && serr == nil {
			t.Errorf("%s of an earlier handshake was good again: %v, %v", key, cerr, serr)
		}
	}
	c, s = greeters(knows, secrets)
	cerr, serr := handshake(c, s, func(from string, nth int, l []byte) []byte { // all of the client's lines
		if from == byClient {
			return lines[fmt.Sprint(from, nth)]
		}
		return l
	})
	if serr == nil {
		t.Errorf("a replayed client was let in: %v", cerr)
	}
	for key := range lines { // every bit turned, in turn
		for i := 0; i < 8*(len(lines[key])-1); i++ {
			c, s := greeters(knows, secrets)
			cerr, serr := handshake(c, s, func(from string, nth int, l []byte) []byte {
				if fmt.Sprint(from, nth) != key || i/8 >= len(l)-1 {
					return l
				}
				l = bytes.Clone(l)
				l[i/8] ^= 1 << (i % 8)
				return l
			})
			if cerr == nil && serr == nil && !onlyPadding(lines[key], i/8) {
				t.Fatalf("%s with bit %d turned was good: %s", key, i, lines[key])
			}
		}
	}
	c, s = greeters(knows, secrets)
	c.binding, s.binding = []byte("one connection"), []byte("another")
	if cerr, serr := handshake(c, s, nil); cerr == nil || serr == nil {
		t.Errorf("proofs for another TLS connection were good: %v, %v", cerr, serr)
	}
	c, s = greeters(knows, secrets)
	if cerr, _ := handshake(c, s, func(from string, nth int, l []byte) []byte {
		if from == byServer && nth == 1 {
			return line(proofLine{Proof: prove(knows.Secret, byClient, c.hello, c.answer, nil)}) // the client's own
		}
		return l
	}); cerr == nil {
		t.Error("a client took its own proof for the server's")
	}
}

// onlyPadding: case and padding of a proof's base64 or a field's name carry
// nothing that is not proved by the bytes decoded.
func onlyPadding(l []byte, at int) bool {
	return bytes.HasPrefix(l, []byte(`{"proof"`)) && (at < len(`{"proof"`) || at >= len(l)-6)
}

func TestNothingIsEverSentOfTheSecret(t *testing.T) {
	secret := []byte("a secret that would show")
	c, s := greeters(Config{User: "shop", Secret: secret}, map[string][]byte{"shop": secret})
	if cerr, serr := handshake(c, s, func(_ string, _ int, l []byte) []byte {
		if bytes.Contains(l, secret[:8]) {
			t.Errorf("%s", l)
		}
		return l
	}); cerr != nil || serr != nil {
		t.Fatal(cerr, serr)
	}
}

// TestGreetings cuts what begins a connection at every byte.
// TestMinPingIsRoundedUp: a server that enforces it says so.
func TestMinPingIsRoundedUp(t *testing.T) {
	for least, want := range map[time.Duration]time.Duration{0: 0, 1: time.Millisecond, time.Millisecond: time.Millisecond, time.Millisecond + 1: 2 * time.Millisecond} {
		cfg := Config{Serializer: JSON}
		client, err := newClientGreeting(&cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		server := &serverGreeting{serializers: []Serializer{JSON}, minPing: least}
		if _, err := server.take(bytes.TrimSpace(client.begin())); err != nil {
			t.Fatal(err)
		}
		if _, _, err := client.take(bytes.TrimSpace(server.welcome())); err != nil || client.minPing != want {
			t.Errorf("%v: the client is told %v, %v", least, client.minPing, err)
		}
	}
}

func TestGreetings(t *testing.T) {
	hello := string(helloLine(Protobuf))
	for _, tc := range []struct {
		in, lines, rest string
		fails           bool
	}{
		{in: hello + "rest", lines: hello, rest: "rest"},
		{in: hello + hello + "rest", lines: hello + hello, rest: "rest"},
		{in: "{" + strings.Repeat(" ", maxHello+1), fails: true},
		{in: "{" + strings.Repeat(" ", maxHello) + "\n", fails: true},
		{in: "GET / HTTP/1.1", fails: true},
		{in: "\x16\x03\x01", fails: true},
		{in: "\n", fails: true},
	} {
		for cut := range min(len(tc.in), 300) {
			g := &greetings{}
			var lines []byte
			failed := false
			for _, piece := range []string{tc.in[:cut], tc.in[cut:]} {
				g.Feed([]byte(piece))
				for len(lines) < len(tc.lines) || tc.fails {
					l, ok, err := g.Next()
					failed = failed || errors.Is(err, filter.ErrUnusable)
					if !ok {
						break
					}
					lines = append(append(lines, l...), '\n')
				}
			}
			if string(lines) != tc.lines || failed != tc.fails || !tc.fails && string(g.Pending()) != tc.rest {
				t.Fatalf("%.20q cut at %d: lines %q, rest %q, failed %v", tc.in, cut, lines, g.Pending(), failed)
			}
		}
	}
	g := &greetings{}
	g.Feed([]byte("17\x00record"))
	for range 3 {
		if l, ok, err := g.Next(); len(l) != 0 || !ok || err != nil || string(g.Pending()) != "17\x00record" {
			t.Fatalf("Perl's: %q %v %v, pending %q", l, ok, err, g.Pending())
		}
	}
	g = &greetings{}
	g.Feed(append([]byte(hello), make([]byte, maxAhead)...))
	if _, _, err := g.Next(); !errors.Is(err, filter.ErrUnusable) {
		t.Errorf("without bound: %v", err)
	}
}

// FuzzHandshake gives both ends lines that are none: no panic, and nobody is let
// in without a proof.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte(`{"usher":1,"serializers":["protobuf"],"nonce":"AAAA"}`), []byte(`{"proof":"AAAA"}`))
	f.Add(bytes.TrimSpace(helloLine(JSON)), []byte(`{"error":"no"}`))
	f.Add([]byte(`{"usher":1,"serializer":"protobuf","auth":"secret","nonce":null}`), []byte(`[]`))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		_, s := greeters(knows, secrets)
		for _, l := range [][]byte{one, two} {
			if step, err := s.take(l); err == nil && step.known {
				t.Fatalf("%q, %q: let in", one, two)
			} else if err != nil && !errors.Is(err, ErrRefused) {
				t.Fatal(err)
			}
		}
		for _, cfg := range []Config{{}, knows} {
			c, _ := greeters(cfg, nil)
			c.begin()
			for _, l := range [][]byte{one, two} {
				_, done, err := c.take(l)
				if done && err == nil && cfg.Secret != nil {
					t.Fatalf("%q, %q: believed", one, two)
				}
				if err != nil && !errors.Is(err, ErrRefused) {
					t.Fatal(err)
				}
			}
		}
	})
}
