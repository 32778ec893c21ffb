// Package httpclient sends HTTP requests over a keepalive pool: as an
// http.RoundTripper for goroutines, and by events for sessions.
//
// # By event
//
// A Client takes requests from sessions and posts the answers back to them, whole or
// chunk by chunk, with redirects, cookies, proxies, time and size limits and progress:
// what POE::Component::Client::HTTP is for POE. Its comment has all of it. The rest of
// this page is about the other half.
//
// # A RoundTripper
//
// Any program that has an http.Client switches by one line:
//
//	client := &http.Client{Transport: httpclient.NewTransport(pool)}
//
// Its connections then are the pool's: they count under its limits, wait in its
// queue, are listed in its Stats, and end with its Shutdown. HTTP itself is spoken
// by net/http, on an http.ClientConn that stays attached to its connection: status,
// headers, trailers, bodies, compression, Expect and upgrades are as with
// http.Transport.
//
// A connection goes back to the pool when the answer has been read to its end, and
// the other side had no more to say (A114). It is closed when the answer was cut
// short, not read to its end, cancelled or late, when either side said
// "Connection: close", and when anything came that nobody had asked for (A115, R5).
// After an upgrade (101) the body is an io.ReadWriteCloser, and the connection is
// closed with it.
//
// A kept connection may end just when it is used again (A120). Then the request is
// sent once more, on a new connection, if nothing of it was sent, or if it may be
// repeated by the rules of net/http: GET, HEAD, OPTIONS or TRACE, or a header
// Idempotency-Key or X-Idempotency-Key; in any case without a body, or with a
// GetBody. Otherwise the error is a *LostError, which matches ErrConnectionLost and
// says how much was sent. Nothing is sent twice in silence.
//
// The request's context counts at every stage: in the pool's queue, while the
// connection is opened, while the request is sent and the answer read. The pool's
// own Config.Timeout limits the first two as well; a proxy has a minute more to make
// its connection to the target.
//
// # Proxies
//
// Transport.Proxy chooses one for each request; http.ProxyFromEnvironment fits
// (A119). Requests of scheme http share the connections to a proxy, whose address
// then is the pool's key (A18). For https the proxy is asked to CONNECT, and with
// socks5 to reach any target; those connections belong to that target, which stands
// in Key.ForScheme, ForAddr and ForPort, or behind an https proxy in Key.Use. TLS with
// the proxy itself (an https proxy) is done by the pool, in the proxy's name, TLS behind
// it with Transport.TLSClientConfig. Connections with different credentials are kept
// apart; what those are stands in no key.
//
// # Tracing
//
// The hooks of httptrace work where net/http calls them, and GetConn and GotConn
// with Reused, WasIdle and IdleTime. Names are looked up and connections opened by
// the pool, for whoever needs them: DNSStart, ConnectStart and their like are not
// called, TLSHandshakeStart only for TLS behind a proxy.
//
// # Goroutines
//
// A Transport is for any number of goroutines, and not for handlers of sessions,
// which it would block. An open connection has two goroutines of net/http, idle ones
// too. The pool's kernel must be running; Kernel.Hold keeps one that has no sessions.
//
// # Errors
//
// Without a connection the error is a *keepalive.Error, which names the failing step
// and the key; through a proxy it may be net/http's. On a connection it is net/http's
// or a *LostError. When the context ended, errors.Is finds its cause.
//
// # Differences from POE
//
// A Client makes up answers as POE does, a Transport does not: there is no 408 for a
// timeout (A116, A117), a request fails with an error. Redirects and cookies are http.Client's, which reads the short
// body of a redirect, so that the connection is kept (A115). A Transport
// takes one proxy for each request, chosen by a function and not at random (A119).
//
// # Limits
//
// HTTP/1.1 only: a pool whose Config.TLS offers "h2" is refused once a server takes
// it. Connections are shared by the users of one Transport, not between Transports,
// whose settings may differ. Through a tunnel (https behind a proxy, or socks5)
// fewer lost connections are told apart from other failures, and so fewer requests
// repeated. Host names that are not ASCII must be given in their ASCII form.
// What a server sends beyond a complete answer, net/http mentions through package log,
// as it does for http.Transport. It says nothing of a body that is neither read to its
// end nor closed: its connection stays lent until the request's context ends.
package httpclient
