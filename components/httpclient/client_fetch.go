package httpclient

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"time"
)

// piece is a chunk for a receiver, or progress, as the request's goroutine tells
// the client's session. The session may have answered the request meanwhile.
type piece[T any] struct {
	job  *job
	what T
}

// fetch performs a request, on a goroutine of its own. Whether what comes of it
// still interests anybody, the session knows.
func (c *Client) fetch(j *job) {
	r := c.perform(j)
	if !c.over.Load() {
		_ = evDone.PostFrom(c.k, c.addr, piece[Response]{j, r}) // fails when the kernel ends
	}
}

// perform asks and returns the last response.
func (c *Client) perform(j *job) Response {
	asker := http.Client{Transport: c.transport, Jar: c.cfg.Jar, CheckRedirect: j.redirect(c.cfg.FollowRedirects)}
	res, err := asker.Do(j.out)
	if err != nil {
		return j.failed(err)
	}
	defer res.Body.Close()
	if res.Request == nil { // a transport of the user's
		res.Request = j.out
	}
	r := j.response()
	_, peer := j.course.look()
	r.show(res, peer)
	body, err := c.read(j, res, r)
	if err != nil {
		return j.failed(err)
	}
	r.Body, r.Last = body, true
	if c.cfg.Streaming == 0 {
		r.HTTP.Body = reread(body)
	} else {
		last := *r.HTTP // which receivers of chunks have, and may be reading
		r.HTTP = &last
	}
	r.HTTP.Trailer = res.Trailer
	return r
}

// redirect decides whether one more is followed.
func (j *job) redirect(most int) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if len(via) > most {
			return http.ErrUseLastResponse
		}
		j.touch()
		return checkURL(next)
	}
}

// failed is the answer when the transport had none.
func (j *job) failed(err error) Response {
	at, _ := j.course.look()
	why := err
	if over := j.req.HTTP.Context().Err(); over != nil { // whose cause may be anything
		why = over
	}
	return j.refused(kindOf(why, at), err)
}

// How much is read at a time, and at most when streaming.
const (
	readSize = 32 << 10
	mostRead = 1 << 20
)

// read returns the body, or hands it on in chunks.
func (c *Client) read(j *job, res *http.Response, head Response) ([]byte, error) {
	if err := c.checkSize(res.ContentLength); err != nil && res.Request.Method != http.MethodHead {
		return nil, err
	}
	var (
		whole   bytes.Buffer
		got     int64
		told    time.Time
		scratch = make([]byte, scratchSize(c.cfg.Streaming, res.ContentLength))
	)
	for {
		n, err := res.Body.Read(scratch)
		if n > 0 {
			j.touch()
			got += int64(n)
			if err := c.checkSize(got); err != nil {
				return nil, err
			}
			if now := c.k.Now(); j.req.Progress != "" && (told.IsZero() || now.Sub(told) >= c.cfg.ProgressEvery) {
				told = now
				c.progress(j, got, res.ContentLength)
			}
			if c.cfg.Streaming == 0 {
				whole.Write(scratch[:n])
			} else if err := c.deliver(j, head, bytes.Clone(scratch[:n])); err != nil {
				return nil, err
			}
		}
		if err == io.EOF {
			return whole.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// scratchSize is how much to read at a time of a body of this length, -1 when nobody
// knows: 32 KiB for each answer of a few octets would keep the garbage collector busy.
func scratchSize(streaming int, length int64) int {
	size := min(cmp.Or(streaming, readSize), mostRead)
	if length <= 0 { // a transport of the user's may not have set it
		return size
	}
	return int(min(int64(size), max(length+1, 512)))
}

func (c *Client) checkSize(n int64) error {
	if c.cfg.MaxSize > 0 && n > c.cfg.MaxSize {
		return fmt.Errorf("%w: %d octets or more, Config.MaxSize is %d", ErrTooLarge, n, c.cfg.MaxSize)
	}
	return nil
}

func (c *Client) progress(j *job, done, total int64) {
	_ = evProgress.PostFrom(c.k, c.addr, piece[Progress]{j, Progress{j.id, j.req.Tag, j.req.HTTP, done, total}})
}

// deliver sends one chunk and waits until it is taken.
func (c *Client) deliver(j *job, r Response, data []byte) error {
	r.chunk = &chunk{data: data, taken: make(chan struct{})}
	if err := evChunk.PostFrom(c.k, c.addr, piece[Response]{j, r}); err != nil {
		return err
	}
	select {
	case <-r.chunk.taken:
		j.touch()
		return j.ctx.Err() // both may have happened
	case <-j.ctx.Done():
		return j.ctx.Err()
	}
}
