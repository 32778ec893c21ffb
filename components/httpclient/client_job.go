package httpclient

import (
	"container/list"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
)

// job is a request with what belongs to it, from its receipt to its answer.
type job struct {
	id      RequestID
	req     Request
	who     kernel.Address // is answered
	timeout time.Duration

	ctx    context.Context
	cancel context.CancelFunc
	out    *http.Request // what is sent
	course course

	place   *list.Element // in the table's queue
	started bool
	timer   kernel.TimerID
	ignore  func() bool // the end of the request's own context

	now     func() time.Time
	touched atomic.Pointer[time.Time] // when something last moved
}

func newJob(cfg *Config, now func() time.Time, req Request, who kernel.Address) *job {
	j := &job{id: req.id, req: req, who: who, timeout: req.Timeout, now: now, ignore: func() bool { return true }}
	if j.timeout <= 0 {
		j.timeout = cfg.Timeout
	}
	j.touch()
	j.ctx, j.cancel = context.WithCancel(req.HTTP.Context())
	ctx := httptrace.WithClientTrace(j.ctx, j.course.trace(j.touch))
	if req.Proxy != nil {
		ctx = context.WithValue(ctx, proxyKey{}, req.Proxy)
	}
	j.out = req.HTTP.Clone(ctx)
	if j.out.Header == nil {
		j.out.Header = http.Header{}
	}
	head(j.out.Header, "User-Agent", cfg.Agent[rand.IntN(len(cfg.Agent))])
	head(j.out.Header, "From", cfg.From)
	j.watchUpload()
	return j
}

// head sets a header that is not there.
func head(h http.Header, name, value string) {
	if _, there := h[name]; !there && value != "" {
		h.Set(name, value)
	}
}

func (j *job) touch() {
	now := j.now()
	j.touched.Store(&now)
}

// left is how much of the timeout remains.
func (j *job) left(now time.Time) time.Duration { return j.timeout - now.Sub(*j.touched.Load()) }

// watchUpload has the time start again while the request's body is read.
func (j *job) watchUpload() {
	if j.out.Body == nil || j.out.Body == http.NoBody {
		return
	}
	j.out.Body = upload{j.out.Body, j.touch}
	if again := j.out.GetBody; again != nil {
		j.out.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil || body == http.NoBody {
				return body, err
			}
			return upload{body, j.touch}, nil
		}
	}
}

type upload struct {
	io.ReadCloser
	touch func()
}

func (u upload) Read(p []byte) (int, error) {
	u.touch()
	return u.ReadCloser.Read(p)
}

// closeBody is for a request that no transport gets, which would have closed it.
// It is the user's, and may take its time.
func closeBody(req *http.Request) {
	if req.Body != nil && req.Body != http.NoBody {
		go func() { _ = req.Body.Close() }()
	}
}

// response is an answer to this request, still without what it says.
func (j *job) response() Response { return Response{ID: j.id, Tag: j.req.Tag, Request: j.req.HTTP} }

// refused is the last response of a request that its server did not answer.
func (j *job) refused(kind, cause error) Response {
	r := j.response()
	r.refuse(kind, cause)
	return r
}
