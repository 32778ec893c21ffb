package backend

import (
	"crypto/hmac"
	"fmt"
	"net"
	"time"
)

// clientGreeting is a client's side of the hellos, apart from I/O.
type clientGreeting struct {
	cfg     *Config
	nonce   []byte
	binding []byte

	hello, answer []byte
	proving       bool
	minPing       time.Duration
}

func newClientGreeting(cfg *Config, conn net.Conn) (*clientGreeting, error) {
	g := &clientGreeting{cfg: cfg, nonce: newNonce()}
	if len(cfg.Secret) == 0 {
		return g, nil
	}
	var err error
	g.binding, err = bindingOf(conn)
	return g, err
}

// begin is the first line.
func (g *clientGreeting) begin() []byte {
	g.hello = line(clientHello{newestVersion, oldestVersion, []Serializer{g.cfg.Serializer}, g.cfg.User, g.nonce})
	return g.hello
}

// take takes a line of the server's and says what to send, and whether all is
// said. Errors match ErrRefused.
func (g *clientGreeting) take(l []byte) (send []byte, done bool, err error) {
	if g.proving {
		return nil, true, g.check(l)
	}
	var a serverHello
	if len(l) == 0 {
		return nil, false, fmt.Errorf("%w: the server speaks without a hello; set Config.Serializer to Storable if it is Perl's", ErrRefused)
	}
	if err := readLine(l, &a); err != nil {
		return nil, false, err
	}
	switch {
	case a.Error != "":
		return nil, false, fmt.Errorf("%w by the server: %.300s", ErrRefused, a.Error)
	case a.Usher < oldestVersion || a.Usher > newestVersion:
		return nil, false, fmt.Errorf("%w: the server wants version %d of the protocol, we speak %d to %d; update one of them", ErrRefused, a.Usher, oldestVersion, newestVersion)
	case a.Serializer != g.cfg.Serializer:
		return nil, false, fmt.Errorf("%w: the server chose %.64q, we speak %q", ErrRefused, string(a.Serializer), string(g.cfg.Serializer))
	case a.MinPing < 0 || a.MinPing > maxMinPing.Milliseconds():
		return nil, false, fmt.Errorf("%w: the server wants %d ms between pings; want at most a day", ErrRefused, a.MinPing)
	case a.Auth != "" && a.Auth != authSecret:
		return nil, false, fmt.Errorf("%w: the server wants %.64q, which is not known here; update this end", ErrRefused, a.Auth)
	case a.Auth == authSecret && len(g.cfg.Secret) == 0:
		return nil, false, fmt.Errorf("%w: the server wants a secret; set Config.User and Config.Secret", ErrRefused)
	case a.Auth == "" && len(g.cfg.Secret) > 0:
		return nil, false, fmt.Errorf("%w: the server does not ask for the secret, and so does not prove that it has it; is it the right one? Else leave Config.Secret empty", ErrRefused)
	case a.Auth == authSecret && len(a.Nonce) != nonceSize:
		return nil, false, fmt.Errorf("%w: the server's nonce has %d bytes; want %d", ErrRefused, len(a.Nonce), nonceSize)
	}
	g.minPing = time.Duration(a.MinPing) * time.Millisecond
	if a.Auth == "" {
		return nil, true, nil
	}
	g.proving, g.answer = true, append(l, '\n')
	return line(proofLine{Proof: prove(g.cfg.Secret, byClient, g.hello, g.answer, g.binding)}), false, nil
}

// check takes the server's proof.
func (g *clientGreeting) check(l []byte) error {
	var p proofLine
	if err := readLine(l, &p); err != nil {
		return err
	}
	if p.Error != "" {
		return fmt.Errorf("%w by the server: %.300s", ErrRefused, p.Error)
	}
	if !hmac.Equal(p.Proof, prove(g.cfg.Secret, byServer, g.hello, g.answer, g.binding)) {
		return fmt.Errorf("%w: the server does not know the secret; is it the right one?", ErrRefused)
	}
	return nil
}
