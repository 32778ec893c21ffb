package backend

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

func TestWithoutAKernel(t *testing.T) {
	cfg := Config{Port: 1}
	_, opened := Open(nil, cfg)
	_, connected := Connect(t.Context(), nil, cfg)
	_, served := NewServer(nil, ServerConfig{})
	for i, err := range []error{opened, connected, served, ConnectOnInit(nil, cfg), SetPingTimeout(nil, 0, "")} {
		if !errors.Is(err, ErrArgument) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestConfigNamesTheField(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Config.Port":         {},
		"Config.PingWait":     {Port: 1, PingWait: -1},
		"Config.Timeout":      {Port: 1, Timeout: -1},
		"Config.MaxBackoff":   {Port: 1, MinBackoff: time.Hour},
		"Config.MaxQueued":    {Port: 1, MaxQueued: -1},
		"Config.FailFast":     {Port: 1, FailFast: -1},
		"Config.MaxFrame":     {Port: 1, MaxFrame: 2 << 30},
		"Config.Deliver":      {Port: 1, Deliver: "x"},
		"Config.Events":       {Port: 1, Events: []kernel.Event[Message]{news}},
		"Config.Name":         {Port: 1, Name: "\xff"},
		"Config.Network":      {Port: 1, Network: "udp"},
		"Config.Host is \"\"": {Port: 1, Network: "unix"},
		"Config.Host":         {Port: 1, Host: "[::1]"},
		"Config.Alias":        {Port: 1, Alias: "a@b"},
		"Config.Overflow":     {Port: 1, Overflow: 2},
		"Config.Serializer":   {Port: 1, Serializer: "xml"},
		"Config.Secret":       {Port: 1, Serializer: Storable, User: "a", Secret: []byte("b")},
		"Config.User":         {Port: 1, Secret: []byte("b")},
	} {
		if _, err := cfg.complete(1); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	for field, cfg := range map[string]ServerConfig{
		"ServerConfig.Network":         {Network: "udp"},
		"ServerConfig.Listen":          {Network: "unix"},
		"ServerConfig.MaxConns":        {MaxConns: -1},
		"ServerConfig.MaxFrame":        {MaxFrame: -1},
		"ServerConfig.MaxOutput":       {MaxOutput: 7},
		"ServerConfig.RegisterTimeout": {RegisterTimeout: -1},
		"ServerConfig.Serializers":     {Serializers: []Serializer{"xml"}},
		"ServerConfig.MaxTx":           {MaxTx: -1},
		"ServerConfig.Commands":        {Commands: map[string]kernel.Address{"tx_begin": "x"}},
		"no session for \"double\"":    {Commands: map[string]kernel.Address{"double": ""}},
		"ServerConfig.Alias":           {Alias: "#1"},
		"ServerConfig.MinPing":         {MinPing: 25 * time.Hour},
	} {
		if _, err := cfg.complete(); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := (ServerConfig{MaxFrame: 1}).complete(); err != nil {
		t.Errorf("small frames: %v; want defaults that go with them", err)
	}
}

// TestForever: times without end are as good as any others.
func TestForever(t *testing.T) {
	simulating(t, ServerConfig{TxTimeout: math.MaxInt64, DrainTimeout: math.MaxInt64, HelloTimeout: math.MaxInt64, RegisterTimeout: math.MaxInt64}, func(w *world) {
		c := w.client("a", Config{
			PingTimeout: math.MaxInt64, IdlePing: math.MaxInt64, PingWait: math.MaxInt64, Timeout: math.MaxInt64,
			ConnectTimeout: math.MaxInt64, DrainTimeout: math.MaxInt64, MinBackoff: time.Second, MaxBackoff: math.MaxInt64,
		})
		w.pass(100 * time.Millisecond)
		tx := w.begin(c)
		if err := w.commit(tx); err != nil {
			w.Error(err)
		}
		w.do(func(kc *kernel.Context) error { return c.AskOutcome(kc, tx.ID(), evAsked) })
		w.pass(100 * time.Millisecond)
		if a := only(w, &w.asked); a.Outcome != Committed {
			w.Errorf("got %+v", a)
		}
		w.do(func(kc *kernel.Context) error { return c.Ask(kc, Message{Name: "hush"}, evReplied) })
		w.pass(100 * time.Millisecond)
		w.server.Drain()
		w.pass(time.Minute)
		w.is(c, Draining)
		if len(w.replies) != 0 {
			w.Errorf("got %+v", w.replies)
		}
	})
}
