package httpd

import (
	"net/http"

	"github.com/usher-go/usher/kernel"
)

// Response is the answer to one request, to be filled by whoever has it and ended
// once: by Done, by Close, or, after Stream, by a last one of these. After that,
// and between Send and the callback, it is the server's: leave its fields alone.
// The methods are for any goroutine; what they find wrong the ErrorHandler is told,
// and nothing else comes of it.
//
// A Response that is dropped before that is answered with 500 when the garbage
// collector finds it, or after Config.AnswerTimeout (H93). One that no server has made,
// as in a handler's test, answers nobody: its fields show what a handler has done.
type Response struct {
	Code       int         // 200
	Header     http.Header // what Config.Headers gave; Date, Content-Type (text/plain) and Content-Length are added when absent (H38, H39)
	Content    []byte      // the body, or the next piece of a stream
	Connection *Connection

	x *exchange
}

// Write adds to Content; it is for fmt.Fprintf and the like, and never fails.
func (r *Response) Write(b []byte) (int, error) {
	r.Content = append(r.Content, b...)
	return len(b), nil
}

// WriteString is Write for a string.
func (r *Response) WriteString(s string) (int, error) {
	r.Content = append(r.Content, s...)
	return len(s), nil
}

// Done sends the response; that of a stream sends what Content has left and ends
// it (H37, H47). A client that has gone, and a second Done, are told to the
// ErrorHandler (H44, H45).
func (r *Response) Done() { r.x.do(vDone, r) }

// Close closes the connection without an answer. What a stream has queued is sent
// first, and it ends like any other (H48). When the answer has been sent already, it
// closes the connection if that waits for its next request, and else after that request
// (H49); a connection that is closed it leaves alone.
func (r *Response) Close() { r.x.do(vClose, r) }

// Stream marks the response: from now on Send sends pieces. When one has left this
// process, event is posted to session with the Response as its argument, so that it
// fills Content again and calls Send, or Done (H50, H52, H55). With dontFlush no
// event is posted: the program sends when it likes (H53), and at most
// Config.MaxStream may be unsent. The Response is the program's again when Send has
// returned; nothing says when a posted Stream event was handled, so it is only for
// what leaves the fields alone afterwards.
func (r *Response) Stream(session kernel.Address, event string, dontFlush bool) {
	to := Target{session, event}
	if dontFlush {
		to = Target{}
	}
	r.x.mark(to)
}

// Send sends Content as the next piece of a stream, and empties it; the first time
// after status and headers (H51). HTTP/1.1 and up frame it, so that the connection
// may be kept (H59); for HTTP/1.0 its end is the connection's.
func (r *Response) Send() { r.x.do(vStream, r) }

// Sent is how much of the body was sent, in bytes (H58).
func (r *Response) Sent() int64 {
	if r.x == nil {
		return 0
	}
	return r.x.sent.Load()
}

// Streaming reports whether the first Send was made (H56).
func (r *Response) Streaming() bool { return r.x.streaming() }
