package httpclient

import (
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// RequestID names one request. IDs are above zero and unique in the process.
type RequestID uint64

// Request asks for one answer.
type Request struct {
	// HTTP is the request. It is not changed; its Body is read on a goroutine of
	// the client's. The end of its context cancels it.
	HTTP *http.Request

	// Event brings the Response: once, or once for each chunk when streaming.
	Event kernel.Event[Response]

	// Progress, if set, tells how far the answer's body is. See Config.ProgressEvery.
	Progress kernel.Event[Progress]

	Tag     any           // handed back as it is
	Timeout time.Duration // as Config.Timeout; the client's when not above 0
	Proxy   *url.URL      // in place of Config.Proxy; NoProxy holds for it, too

	// Hold is a lease on the session that is to be answered, one of the client's
	// kernel; it is released with the last response. Client.Request takes one when
	// it is nil. A request posted as an event without one answers its sender, and
	// does not hold it: a sender that nothing else holds stops, and its request is
	// cancelled.
	Hold *kernel.Lease

	id RequestID
}

// Response answers a Request. The last one, and without Config.Streaming the
// only one, has Last set.
type Response struct {
	ID      RequestID
	Tag     any
	Request *http.Request // as it was given

	// HTTP is the server's answer, or when Err is set one made up: with the
	// status that belongs to Err's kind, and the text in its header X-PCCH-Errmsg
	// and its body. A server's has X-PCCH-Peer, "address.port". Its Body is
	// already read: it gives Body again, or nothing when streaming. Its Request is
	// the one that was answered, after redirects.
	HTTP *http.Response

	Body []byte // all of it; without what came as chunks
	Last bool
	Err  error // an *Error, of the kind ErrTimeout, ErrConnect, …; nil for every answer of the server's, 404 too

	chunk *chunk
}

// Take returns the chunk that a response of a stream brings, and has the next one
// read: a receiver that is not ready for more takes it later, in another handler
// or on any goroutine. The slice is the caller's. Nil with the last response, and
// when it was taken before.
func (r Response) Take() []byte {
	if r.chunk == nil || !r.chunk.once.CompareAndSwap(false, true) {
		return nil
	}
	close(r.chunk.taken)
	return r.chunk.data
}

// Previous returns the redirects that led to this answer, first to last, their
// bodies dropped.
func (r Response) Previous() []*http.Response {
	var chain []*http.Response
	for p := r.HTTP; p.Request != nil && p.Request.Response != nil; {
		p = p.Request.Response
		chain = append(chain, p)
	}
	slices.Reverse(chain)
	return chain
}

// Progress says how far a request's answer is.
type Progress struct {
	ID      RequestID
	Tag     any
	Request *http.Request
	Done    int64 // octets of the body so far
	Total   int64 // of all of it; -1 when the server does not say
}

// chunk is a piece of a body on its way to its receiver.
type chunk struct {
	data  []byte
	taken chan struct{} // closed by the first Take
	once  atomic.Bool
}
