package filter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
)

// Limits of net/http's reader of chunks, so that both refuse the same.
const (
	maxChunkLine = 4 << 10  // a line with a chunk's size; all of a trailer
	maxExcess    = 16 << 10 // what is not content, over 16 bytes and twice the content of each chunk
)

// content finds the end of a request's content as it comes in, and what of it is
// data (F38, F42). Its state is plain; it keeps no input.
type content struct {
	chunked bool
	left    uint64 // of the content, or of the chunk
	total   uint64 // announced so far

	step     chunkStep
	searched int   // bytes of an unfinished line that hold no line end
	excess   int64 // see maxExcess
	trailer  []byte
}

type chunkStep uint8

const (
	chunkSize    chunkStep = iota // a line with the size of the next chunk comes
	chunkData                     // its data, then CRLF
	chunkTrailer                  // the last chunk was there; lines come, the last one empty
	chunksEnd
)

func contentOf(req *http.Request) content {
	if len(req.TransferEncoding) > 0 {
		return content{chunked: true}
	}
	n := uint64(max(req.ContentLength, 0))
	return content{left: n, total: n}
}

// done reports that all of the content has been seen.
func (c *content) done() bool {
	if c.chunked {
		return c.step == chunksEnd
	}
	return c.left == 0
}

// next looks at the front of p and returns how much of it need not be shown
// again, and the data in that; 0 when more has to come.
func (c *content) next(p []byte) (data []byte, used int, err error) {
	if c.left > 0 {
		n := int(min(c.left, uint64(len(p))))
		c.left -= uint64(n)
		return p[:n], n, nil
	}
	if c.step == chunkData {
		used, err = c.endChunk(p)
		return nil, used, err
	}
	line, used, err := c.line(p)
	if used == 0 || err != nil {
		return nil, 0, err
	}
	if c.step == chunkSize {
		return nil, used, c.begin(line)
	}
	return nil, used, c.trail(line)
}

// begin reads the line in front of a chunk: its size in hexadecimal, perhaps an
// extension, which is ignored.
func (c *content) begin(line []byte) error {
	text, _, _ := bytes.Cut(bytes.TrimRight(line, " \t"), []byte(";"))
	size, err := strconv.ParseUint(string(text[:min(len(text), 17)]), 16, 63)
	if err != nil || len(text) > 16 {
		return fmt.Errorf("%w chunk: its size is %.20q; want up to 16 hexadecimal digits", ErrMalformed, text)
	}
	c.excess += int64(len(line)) + 2
	c.excess = max(0, c.excess-16-2*int64(min(size, 1<<32)))
	if c.excess > maxExcess {
		return fmt.Errorf("%w chunk: too much between the data; want larger chunks", ErrMalformed)
	}
	c.left, c.total, c.step = size, c.total+size, chunkData
	if size == 0 {
		c.step = chunkTrailer
	}
	return nil
}

func (c *content) endChunk(p []byte) (used int, err error) {
	switch {
	case bytes.HasPrefix(p, []byte("\r\n")):
		c.step = chunkSize
		return 2, nil
	case len(p) == 0 || len(p) == 1 && p[0] == '\r':
		return 0, nil
	}
	return 0, fmt.Errorf("%w chunk: it goes on behind its size; want CRLF there", ErrMalformed)
}

func (c *content) trail(line []byte) error {
	if len(line) == 0 {
		c.step = chunksEnd
		return nil
	}
	c.trailer = append(append(c.trailer, line...), "\r\n"...)
	if len(c.trailer)+len("\r\n") > maxChunkLine {
		return fmt.Errorf("%w chunks: trailer of more than %d bytes; want a shorter one", ErrMalformed, maxChunkLine)
	}
	return nil
}

// line cuts a line from the front of p; used is 0 while it is not complete. In
// chunks only CRLF ends a line, and neither stands alone (RFC 9112, 7.1).
func (c *content) line(p []byte) (line []byte, used int, err error) {
	p = p[:min(len(p), maxChunkLine)]
	i := bytes.IndexByte(p[c.searched:], '\n')
	if i < 0 {
		c.searched = len(p)
		if len(p) == maxChunkLine {
			return nil, 0, fmt.Errorf("%w chunks: line of more than %d bytes; want a shorter one", ErrMalformed, maxChunkLine)
		}
		return nil, 0, nil
	}
	used = c.searched + i + 1
	c.searched = 0
	line, ok := bytes.CutSuffix(p[:used], []byte("\r\n"))
	if !ok || bytes.IndexByte(line, '\r') >= 0 {
		return nil, 0, fmt.Errorf("%w chunks: the line %.20q has a lone CR or LF; want CRLF at its end", ErrMalformed, p[:used])
	}
	return line, used, nil
}

// readTrailer adds the fields behind the last chunk to the request.
func (c *content) readTrailer(req *http.Request) error {
	if len(c.trailer) == 0 {
		return nil
	}
	block := io.MultiReader(bytes.NewReader(c.trailer), bytes.NewReader([]byte("\r\n")))
	fields, err := textproto.NewReader(bufio.NewReader(block)).ReadMIMEHeader()
	if err != nil {
		return fmt.Errorf("%w trailer: %w", ErrMalformed, err)
	}
	if req.Trailer == nil {
		req.Trailer = make(http.Header, len(fields))
	}
	for name, values := range fields {
		req.Trailer[name] = values
	}
	return nil
}

// readChunked has net/http read a request that is complete with its chunks. If
// it finds another end, so may somebody else.
func readChunked(wire []byte) (*http.Request, []byte, error) {
	src := bytes.NewReader(wire)
	r := bufio.NewReader(src)
	req, err := http.ReadRequest(r)
	if err != nil {
		return nil, nil, fmt.Errorf("%w request: %w", ErrMalformed, err)
	}
	body, err := io.ReadAll(req.Body)
	if err == nil && r.Buffered()+src.Len() > 0 {
		err = errors.New("they end in two places; want CRLF at the end of each line")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w chunks: %w", ErrMalformed, err)
	}
	return req, body, nil
}

func setBody(req *http.Request, body []byte) {
	req.ContentLength = int64(len(body))
	req.Body = http.NoBody
	if len(body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
}
