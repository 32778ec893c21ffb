package backend

import (
	"crypto/hmac"
	"fmt"
	"slices"
	"time"
)

// serverGreeting is a server's side of the hellos, apart from I/O.
type serverGreeting struct {
	serializers []Serializer
	secrets     map[string][]byte // nil: none is asked for
	minPing     time.Duration
	nonce       []byte
	binding     []byte

	hello, answer []byte
	proving       bool
	user          string
	serializer    Serializer
	secret        []byte
}

// step is what to do with a line: send something, and go on; or, when known, ask
// whoever decides about this peer, then say welcome or refuse.
type step struct {
	send  []byte
	known bool
}

// take takes a line of the client's. Errors match ErrRefused, and what refuse
// makes of them is the answer.
func (g *serverGreeting) take(l []byte) (step, error) {
	if g.proving {
		return step{known: true}, g.check(l)
	}
	var h clientHello
	if err := readLine(l, &h); err != nil {
		return step{}, err
	}
	version := min(h.Usher, newestVersion)
	if version < max(h.Oldest, oldestVersion) {
		return step{}, fmt.Errorf("%w: the client speaks versions %d to %d of the protocol, the server %d to %d; update one of them", ErrRefused, h.Oldest, h.Usher, oldestVersion, newestVersion)
	}
	i := slices.IndexFunc(h.Serializers, func(s Serializer) bool { return s != Storable && slices.Contains(g.serializers, s) })
	if i < 0 {
		return step{}, fmt.Errorf("%w: none of the serializers %.100q is in ServerConfig.Serializers, %q", ErrRefused, h.Serializers, g.serializers)
	}
	if len(h.Nonce) != nonceSize {
		return step{}, fmt.Errorf("%w: the client's nonce has %d bytes; want %d", ErrRefused, len(h.Nonce), nonceSize)
	}
	g.serializer, g.user, g.hello = h.Serializers[i], h.User, append(l, '\n')
	a := serverHello{Usher: version, Serializer: g.serializer, MinPing: (g.minPing + time.Millisecond - 1).Milliseconds()}
	if g.secrets == nil {
		g.user = "" // it proves nothing
		g.answer = line(a)
		return step{known: true}, nil
	}
	a.Auth, a.Nonce = authSecret, g.nonce
	g.proving, g.answer = true, line(a)
	return step{send: g.answer}, nil
}

// check takes the client's proof. Who is not known is refused like one whose
// secret is wrong.
func (g *serverGreeting) check(l []byte) error {
	var p proofLine
	if err := readLine(l, &p); err != nil {
		return err
	}
	secret, known := g.secrets[g.user]
	if !known {
		secret = newNonce() // which nobody knows
	}
	if !hmac.Equal(p.Proof, prove(secret, byClient, g.hello, g.answer, g.binding)) || !known {
		return errWrongSecret
	}
	g.secret = secret
	return nil
}

// errWrongSecret counts as a failed attempt.
var errWrongSecret = fmt.Errorf("%w: unknown user or wrong secret", ErrRefused)

// welcome is the last line.
func (g *serverGreeting) welcome() []byte {
	if g.proving {
		return line(proofLine{Proof: prove(g.secret, byServer, g.hello, g.answer, g.binding)})
	}
	return g.answer
}

// refuse says so; for the peer's eyes.
func refuse(err error) []byte { return line(proofLine{Error: fmt.Sprintf("%.1000s", err.Error())}) }
