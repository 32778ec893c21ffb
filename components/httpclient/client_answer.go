package httpclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Headers of our own in responses, under POE's names.
const (
	errmsgHeader = "X-PCCH-Errmsg"
	peerHeader   = "X-PCCH-Peer"
)

// refuse makes up the answer that a request's server did not give (A117).
func (r *Response) refuse(kind, cause error) {
	err := newError(r.Request, kind, cause)
	text := oneLine(err.Error())
	status, _ := outcomeOf(kind)
	r.Err, r.Last, r.Body = err, true, []byte(text+"\n")
	r.HTTP = &http.Response{
		Status:     fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode: status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"text/plain; charset=utf-8"}},
		Body:          reread(r.Body),
		ContentLength: int64(len(r.Body)),
		Request:       r.Request,
	}
	r.HTTP.Header.Set(errmsgHeader, text)
}

// show makes the server's answer, its body apart, this response's. What the
// server says in our headers is not ours.
func (r *Response) show(res *http.Response, peer string) {
	shown := *res
	shown.Header = res.Header.Clone()
	shown.Header.Del(errmsgHeader)
	shown.Header.Del(peerHeader)
	if peer != "" {
		shown.Header.Set(peerHeader, peer)
	}
	shown.Body, shown.Trailer = http.NoBody, nil
	r.HTTP = &shown
}

func reread(body []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }

// oneLine makes a text fit for a header: causes may quote what a peer sent.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// bare takes off what http.Client puts around an error. It would hide whether
// the error is a timeout.
func bare(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// isEOF: the connection ended.
func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
