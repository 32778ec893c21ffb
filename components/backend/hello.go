package backend

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

// The hellos are lines of JSON, whatever serializer follows, and fields that one
// end does not know are ignored: that is how later versions add to them. A client
// speaks first, so that one of Perl's, which has no hello, is known by its first
// byte: a digit.
//
//	client  {"usher":1,"oldest":1,"serializers":["protobuf"],"user":"shop","nonce":"…"}
//	server  {"usher":1,"serializer":"protobuf","min_ping_ms":30000,"auth":"secret","nonce":"…"}
//	client  {"proof":"…"}     with auth "secret" only
//	server  {"proof":"…"}
//
// Instead of what it should say, the server says {"error":"…"} and closes.

// Versions of the protocol that this package speaks. The ends use the newest that
// both do, and part if there is none.
const (
	newestVersion = 1
	oldestVersion = 1
)

// maxHello is the longest line of a hello, in bytes.
const maxHello = 4 << 10

// nonceSize is the length of what makes each handshake another one, in bytes.
const nonceSize = 32

// maxMinPing is the longest time between two pings that a client puts up with.
const maxMinPing = 24 * time.Hour

type clientHello struct {
	Usher       int          `json:"usher"`
	Oldest      int          `json:"oldest"`
	Serializers []Serializer `json:"serializers"`
	User        string       `json:"user,omitempty"`
	Nonce       []byte       `json:"nonce"`
}

type serverHello struct {
	Usher      int        `json:"usher,omitempty"`
	Serializer Serializer `json:"serializer,omitempty"`
	MinPing    int64      `json:"min_ping_ms,omitempty"`
	Auth       string     `json:"auth,omitempty"` // "secret": a proof is to follow
	Nonce      []byte     `json:"nonce,omitempty"`
	Error      string     `json:"error,omitempty"`
}

type proofLine struct {
	Proof []byte `json:"proof,omitempty"`
	Error string `json:"error,omitempty"`
}

const authSecret = "secret"

// line writes one; the types above cannot fail.
func line(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("backend: bug: a hello that is no JSON: %v", err))
	}
	return append(b, '\n')
}

func readLine(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		var short base64.CorruptInputError
		if errors.As(err, &short) {
			return fmt.Errorf("%w: the hello has bytes that are not base64: %w", ErrRefused, err)
		}
		return fmt.Errorf("%w: the hello is not what it should be: %w", ErrRefused, err)
	}
	return nil
}

// greetings is a filter for the lines of the hellos. Bytes behind a line are left
// for what comes next. A peer that begins with a digit has no hello: Next then
// returns an empty line, again and again, and takes nothing.
type greetings struct {
	in   []byte
	over bool
}

var _ filter.Filter[[]byte, []byte] = (*greetings)(nil)

// maxAhead bounds what may come behind a hello before it is answered.
const maxAhead = 256 << 10

func (g *greetings) Feed(p []byte) {
	if room := maxAhead - len(g.in); len(p) > room {
		p, g.over = p[:room], true
	}
	g.in = append(g.in, p...)
}

func (g *greetings) Next() ([]byte, bool, error) {
	switch {
	case g.over:
		return nil, false, fmt.Errorf("backend: hello: %w: too much behind it", filter.ErrUnusable)
	case len(g.in) == 0:
		return nil, false, nil
	case g.in[0] >= '0' && g.in[0] <= '9':
		return []byte{}, true, nil
	case g.in[0] != '{':
		return nil, false, fmt.Errorf("backend: hello: %w: it begins with %q; want a line of JSON", filter.ErrUnusable, g.in[:1])
	}
	end := bytes.IndexByte(g.in, '\n')
	if end > maxHello || end < 0 && len(g.in) > maxHello {
		return nil, false, fmt.Errorf("backend: hello: %w: longer than %d bytes", filter.ErrUnusable, maxHello)
	}
	if end < 0 {
		return nil, false, nil
	}
	l := bytes.Clone(g.in[:end])
	g.in = g.in[end+1:]
	return l, true, nil
}

func (g *greetings) Append(dst, line []byte) ([]byte, error) { return append(dst, line...), nil }

func (g *greetings) Pending() []byte {
	if len(g.in) == 0 {
		return nil
	}
	return bytes.Clone(g.in)
}
