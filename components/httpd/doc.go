// Package httpd is an HTTP server whose requests are events of sessions:
// POE::Component::Server::SimpleHTTP, and with Config.Prefork its PreFork. The protocol
// is net/http's.
//
// # Example
//
//	s, err := httpd.New(k, httpd.Config{
//		Alias:    "web",
//		Listen:   []string{"tcp://127.0.0.1:8080"},
//		Handlers: []httpd.Route{{Dir: "^/bar/", Session: "pages", Event: "got_bar"}},
//	})
//
//	k.Spawn(session.New(
//		httpd.On("got_bar", func(c *kernel.Context, req *httpd.Request, resp *httpd.Response) error {
//			fmt.Fprintf(resp, "you asked for %s\n", req.URL.Path)
//			resp.Done()
//			return nil
//		}),
//	), kernel.Alias("pages"))
//
// The Example below is a whole program. Who has an http.Handler already and no
// sessions to talk to does well with net/http alone; Config.Handler is for those
// who have both.
//
// # A request
//
// Its body is read, it is posted to LogHandler, and the first Route whose Dir is
// found in its path has its Event called (kernel.Kernel.Call) with a *Request, a
// *Response and Dir. The handler runs on the request's own goroutine, ahead of what
// its session has queued, and keeps no other request waiting but those for its
// session, or in a serial kernel all. It may answer there or leave that to anybody:
// pass the Response on, as an argument or to a goroutine. Whoever has it ends it
// once, by a method or by the event of that name:
//
//	Response.Done    Done "DONE"      send it, or end its stream
//	Response.Close   Close "CLOSE"    close the connection without an answer
//	Response.Send    Stream "STREAM"  send a piece of a Response marked by Response.Stream
//
// A stream's piece has left this process when its callback comes: a client that does
// not read stops who makes the pieces.
//
// # Events
//
// Posted or called to the server's session, beside the three above:
//
//	GetHandlers      Target, or Address and name   a []Route is posted there
//	SetHandlers      []Route                       Server.SetHandlers
//	SetCloseHandler  CloseHandler, or ID or        an event for the sender; Connection.OnClose
//	                 *Connection, name, arguments  holds the session, too
//	StartListen      none                          Server.StartListen
//	StopListen       none                          Server.StopListen
//	Shutdown         bool: gracefully              Server.Shutdown
//	IsChild          none; called                  prefork.IsChild
//	GetForkHandlers  Target, or Address and name   a map[kernel.Address]string is posted there
//	SetForkHandlers  map[kernel.Address]string     Server.SetForkHandlers
//
// Posted by the server:
//
//	Config.LogHandler     *Request or nil, IP (string)  each request, before its handler
//	Config.Log2Handler    *Request, *Response           each answer, when it was written
//	Config.ErrorHandler   text (string), IP or ""       what went wrong
//	Config.SetupHandler   port (int), net.Addr          an address begins to be served
//	Response.Stream's     *Response                     the piece has left
//	Connection.OnClose's  what was given to it          the connection was closed
//
// A post that finds nobody is reported, and no more (H83).
//
// # Failure
//
// A Route whose session or event does not exist, and a handler that returns an error
// before it has answered, give the client a 500 and the ErrorHandler a text (H25). A
// panic is DIE as anywhere, and a 500. What is done to a Response twice, or too late,
// the ErrorHandler is told, and nothing comes of it (H44, H45). A Response that nobody
// has any more, or that takes longer than Config.AnswerTimeout, is a 500, and a stream
// that nobody has any more is cut off (H93). What net/http refuses it has answered by
// itself; LogHandler gets nil, the ErrorHandler the reason (H32). A client that leaves
// ends Request.Context; one that ends its side of the connection counts as gone, unless
// the handler answers at once.
//
// # Limits
//
// All are on by default: see Config. What it takes in is bounded by MaxConns times
// MaxBody and MaxHeader, what it sends by MaxConns times MaxStream; HTTP/2 has up to 250
// requests at a time on a connection. LogHandler and its like get an event for each
// request, the ErrorHandler for each that is refused: kernel.QueueLimit bounds what may
// wait for their session, and what is over it is reported.
//
// # Preforking
//
// With Config.Prefork, New belongs in main, before the kernel runs. The process that
// calls it first is the master: it opens the addresses and starts workers, each the same
// program once more, see package prefork. In a worker New does not return. The sessions
// of Handlers are needed there: spawn them in Prefork.Server, or before New, where they
// exist in the master, too. A whole program is examples/preforked-httpd.
//
//	httpd.Config{
//		Listen:  []string{"tcp://127.0.0.1:8080"},
//		Handler: mux,
//		Prefork: &prefork.Config{},
//	}
//
// A worker is busy, and so shown, while it has a request, not while it has a connection.
// One that retires, for MaxRequests, a reload or the end, accepts no more, answers with
// "Connection: close", closes connections that ask for nothing within a quarter of a
// second, and leaves when all are closed. No request is lost that was sent on a new
// connection or before an idle one was closed; a client that falls silent and sends just
// when that happens sees the end of the connection before any byte of an answer, and may
// send again (RFC 9112, 9.3.1). When the whole pool ends, clients in the backlog that
// nobody has accepted are reset.
//
// The server's session exists in the master and in each worker. To the master's, Shutdown
// ends the pool, StopListen too, but not the server, and StartListen begins again;
// SetHandlers and SetForkHandlers are for workers started from then on, also for those of a
// reload, until an upgrade begins with another master. To a worker's,
// Shutdown ends that worker, StopListen and StartListen pause it, and the other two are
// refused. LogHandler and its like are told in the worker; what was posted to sessions
// before a worker's last connection was closed is still handled, for a second.
//
// The fastest is a worker for each processor, StartServers and MaxClients being
// runtime.NumCPU(), with runtime.GOMAXPROCS(1) in each (prefork.IsChild). Connections go
// to whoever is awake first, and stay there: where few clients keep theirs for long,
// ConnsPerServer has the workers share them evenly.
//
// StatusHandler is a page that shows all of them, to people, programs and Prometheus.
//
// # Lifetime and goroutines
//
// New opens the addresses; requests are served while the kernel runs. The session lives
// until a Shutdown is complete, and the kernel with it; the kernel's own end closes
// everything at once. That is what a signal does which nobody handles, and the end of the
// context that Run was given: where requests shall be answered first, give Run another
// context and call Shutdown. With Config.Prefork the master sees to it, on INT, TERM and
// the context's end. Methods are for any goroutine. Those of Server do not wait, but
// for Shutdown, and StartListen for the look-up of a host name; those of Response
// never do.
//
// A Response's fields belong to whoever has it, one at a time, and after Done, Close
// or Send to the server.
//
// # Differences from POE
//
//	H1, H19, H83  a struct; ErrConfig names the field, before anything is opened
//	H4            no address is loopback; Config.Listen has any number of them
//	H10           TLS without a certificate is ErrConfig
//	H17, H18      a failed listen is New's error; later ones are tried again with pauses, then ErrorHandler
//	H25           500 and ErrorHandler; the handler is called, not posted to
//	H27           no REGISTER: a session of your own has your events
//	H28, H29      net/http reads requests: it refuses what HTTP/1.1 forbids, and HTTP/0.9
//	H30, H33      chunked bodies, too
//	H32           refused requests are answered and logged
//	H34           https under TLS
//	H35           net/http frames answers in proxy mode, too
//	H40–H42       HEAD as HTTP/1.1 and without the body; plain reason phrases
//	H45, H77      told to ErrorHandler
//	H55, H58, H59 streams are driven by their output, logged, and framed by HTTP/1.1
//	H61           net/http adds "Connection: close"
//	H64, H91      timeouts and limits
//	H67           one request of a connection at a time (HTTP/2: at once, each a stream)
//	H69           ports are ports and addresses addresses
//	H80           close handlers when the socket is closed, whoever has the Response
//	H82           Log2Handler when the answer was written
//	H86           StopListen never ends the server
//	H89, H90      a graceful end closes idle connections, and has a deadline
//	P24, P25      Go cannot fork: a worker has what main gives it, and what the master was told since
//	H92, H93      reported; answered
//
// # Bugs
//
// An answer of up to four kilobytes counts as sent when net/http has buffered it. Under
// TLS the reason for a refused HTTP/1 request cannot be seen, and is a guess. Of HTTP/2,
// net/http does not tell which streams it refuses. A request with both a length and
// chunked encoding is taken by the latter, and its connection may be kept: behind a
// proxy that does otherwise leave KeepAlive off. A request over TLS that comes in the
// very moment when a graceful end closes its idle connection may be read and dropped;
// without TLS it is answered.
package httpd
