package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// start has the hellos read, and nothing else.
func (p *client) start(c *kernel.Context) (err error) {
	p.greeting, err = wheel.NewReadWrite(c, p.conn, wheel.ReadWriteConfig[[]byte, []byte]{
		Filter: &greetings{}, InputEvent: evHello, ErrorEvent: evErr, CloseEvent: evEnd,
	})
	if err != nil {
		return err
	}
	var binding []byte
	if p.srv.cfg.Secrets != nil {
		if binding, err = bindingOf(p.conn); err != nil {
			return err
		}
	}
	p.book = newBook(&p.srv.cfg)
	p.greet = &serverGreeting{
		serializers: p.srv.cfg.Serializers, secrets: p.srv.cfg.Secrets, minPing: p.srv.cfg.MinPing,
		nonce: newNonce(), binding: binding,
	}
	evMute.Delay(c, p.srv.cfg.HelloTimeout, struct{}{})
	return nil
}

// hello takes a line of the client's, or notices that it is one of Perl's.
func (p *client) hello(c *kernel.Context, l []byte) error {
	if p.greeting == nil || c.Wheel() != p.greeting.ID() {
		return nil
	}
	if len(l) == 0 {
		if !slices.Contains(p.srv.cfg.Serializers, Storable) {
			return p.drop(c, "connection closed: it speaks Storable, which is not in ServerConfig.Serializers", errors.New("no hello"))
		}
		p.serializer = Storable
	}
	if left := p.penalty(c, penaltyAsk{}); left > 0 {
		return p.turnAway(c, fmt.Errorf("%w: too many attempts failed; wait %v", ErrRefused, left), false)
	}
	if p.serializer == Storable {
		return p.judge(c)
	}
	step, err := p.greet.take(l)
	switch {
	case err != nil:
		return p.turnAway(c, err, errors.Is(err, errWrongSecret))
	case step.known:
		p.serializer = p.greet.serializer
		return p.judge(c)
	}
	_ = p.greeting.Put(step.send)
	return nil
}

// penalty tells the desk how an attempt went, and returns how long the peer's
// address has to wait still. Where nobody is asked who he is, nobody waits.
func (p *client) penalty(c *kernel.Context, ask penaltyAsk) time.Duration {
	if p.srv.cfg.Secrets == nil && p.srv.cfg.Auth == nil {
		return 0
	}
	ask.from = source(p.conn.RemoteAddr())
	v, _ := evPenalty.Call(c, p.desk, ask)
	left, _ := v.(time.Duration)
	return left
}

// judgement is what ServerConfig.Auth says.
type judgement struct {
	identity Identity
	err      error
}

// judge asks ServerConfig.Auth, if there is one. Nothing is read meanwhile.
func (p *client) judge(c *kernel.Context) error {
	peer := Peer{Addr: p.conn.RemoteAddr(), User: p.greet.user, Serializer: p.serializer}
	if secure, ok := p.conn.(*tls.Conn); ok {
		state := secure.ConnectionState()
		peer.TLS = &state
	}
	auth := p.srv.cfg.Auth
	if auth == nil {
		return p.judged(c, judgement{identify(peer), nil})
	}
	p.greeting.PauseInput()
	ctx, cancel := context.WithTimeout(background, p.srv.cfg.HelloTimeout)
	p.judging = cancel
	lease := c.Lease("backend Auth")
	go func() {
		defer lease.Release()
		defer cancel()
		who, err := p.ask(ctx, peer)
		_ = lease.Post(evJudged.Name(), judgement{who, err})
	}()
	return nil
}

// ask: a panic in Auth is a no, and reported like one.
func (p *client) ask(ctx context.Context, peer Peer) (who Identity, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("ServerConfig.Auth panicked: %v", v)
		}
	}()
	who, err = p.srv.cfg.Auth(ctx, peer)
	if who.Via == "" {
		who.Via = "auth"
	}
	return who, err
}

func (p *client) judged(c *kernel.Context, j judgement) error {
	if p.greeting == nil {
		return nil // its time is over
	}
	if j.err != nil {
		p.report(c, "ServerConfig.Auth refuses", j.err)
		return p.turnAway(c, fmt.Errorf("%w: not let in", ErrRefused), true)
	}
	p.identity = j.identity
	p.penalty(c, penaltyAsk{succeeded: true})
	return p.admit(c)
}

// admit goes on to messages.
func (p *client) admit(c *kernel.Context) (err error) {
	p.dialect = p.srv.dialects[p.serializer]
	f, err := p.dialect.filter()
	if err != nil {
		return err
	}
	if p.serializer != Storable {
		_ = p.greeting.Put(p.greet.welcome())
	}
	p.greeting.ResumeInput()
	p.rw, err = wheel.Exchange(p.greeting, wheel.ReadWriteConfig[filter.Frame, []byte]{
		Filter: metered{f, &p.card.traffic}, InputEvent: evIn, ErrorEvent: evErr, CloseEvent: evEnd, MaxOutput: p.srv.cfg.MaxOutput,
		HighMark: 1, LowEvent: evDrained, // for count
	})
	p.greeting, p.greet = nil, nil
	if err != nil {
		return nil // it has ended, and says so next
	}
	c.AlarmClear(evMute.Name())
	evHurry.Delay(c, p.srv.cfg.RegisterTimeout, struct{}{})
	p.card.note(func(s *ConnStatus) { s.Identity, s.Serializer = p.identity, p.serializer })
	return nil
}

// turnAway says why, and closes. A failed attempt is counted against its address.
func (p *client) turnAway(c *kernel.Context, why error, failed bool) error {
	p.report(c, "connection refused", why)
	if failed {
		p.penalty(c, penaltyAsk{failed: true})
	}
	if p.serializer == Storable {
		return p.leave(c)
	}
	p.greeting.ResumeInput()
	_ = p.greeting.Put(refuse(why))
	p.greeting.CloseFlushed()
	p.greeting = nil
	c.AlarmClear(evMute.Name())
	evOver.Delay(c, farewell, struct{}{})
	return nil
}

func (p *client) mute(c *kernel.Context, _ struct{}) error {
	if p.judging != nil {
		return p.drop(c, "connection closed: ServerConfig.Auth took longer than ServerConfig.HelloTimeout", errors.New("not let in"))
	}
	return p.drop(c, "connection closed: no hello within ServerConfig.HelloTimeout", errors.New("silent"))
}
