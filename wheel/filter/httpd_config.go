package filter

import "net/http"

const defaultMaxHeader = 64 << 10

// HTTPDConfig configures an HTTPD filter; its zero value works.
type HTTPDConfig struct {
	// MaxHeader is the longest request line with header accepted, in bytes with
	// the blank line behind them. Default 64 KiB. Parsed, a header of many tiny
	// fields takes some 30 times that.
	MaxHeader int

	// MaxContent is the longest content accepted, in bytes without the framing
	// of chunks. Default 1 MiB, as in POE (F39). Ignored with Streaming (F43).
	MaxContent int

	// MaxBuffer bounds the unparsed input, in bytes; at least MaxHeader and
	// MaxContent. Default 16 MiB (POE: 512 MiB, F8). Content in tiny chunks
	// needs up to six times its length here.
	MaxBuffer int

	// Streaming gives out a request at the end of its header, and then its
	// content piece by piece (F43). Default false: one record a request.
	Streaming bool
}

func (c *HTTPDConfig) fill() error {
	if err := fillLimit("HTTPDConfig.MaxHeader", &c.MaxHeader, defaultMaxHeader); err != nil {
		return err
	}
	if err := fillLimit("HTTPDConfig.MaxContent", &c.MaxContent, defaultMaxLength); err != nil {
		return err
	}
	if err := fillLimit("HTTPDConfig.MaxBuffer", &c.MaxBuffer, defaultMaxBuffer); err != nil {
		return err
	}
	if c.Streaming {
		return checkBuffer("HTTPDConfig.MaxBuffer", c.MaxBuffer, "HTTPDConfig.MaxHeader", c.MaxHeader, 0)
	}
	return checkBuffer("HTTPDConfig.MaxBuffer", c.MaxBuffer, "HTTPDConfig.MaxContent", c.MaxContent, c.MaxHeader)
}

// HTTPDRecord is a request, or with HTTPDConfig.Streaming a part of one (F35).
type HTTPDRecord struct {
	// Request is never nil. Its fields are as in a handler of net/http, but for
	// RemoteAddr and TLS, which are unknown here. Request.Close says that the
	// peer expects the connection to be closed behind the response.
	//
	// Without Streaming, Body reads the whole content from memory, ContentLength
	// is its length also if it came in chunks, and Trailer is complete. With
	// Streaming, Body is empty, ContentLength is as announced (-1: in chunks),
	// and all records of one request have the same Request, whose Trailer is
	// complete in the last.
	*http.Request

	// Piece is a part of the content, with Streaming only. It belongs to the
	// receiver. Where one ends and the next begins means nothing.
	Piece []byte

	// Last marks the last record of a request. Without Streaming all are.
	Last bool
}
