package filter

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"slices"
	"sync"
)

// zlib keeps a megabyte for writing and 40 KiB for reading, so both are lent
// for one record only.
var (
	deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}
	inflaters sync.Pool // of io.ReadCloser with zlib.Resetter; there is none without input
)

// sliceWriter appends what is written to it.
type sliceWriter []byte

func (w *sliceWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

// deflate replaces what follows from in p by its compressed form.
func deflate(p []byte, from int) ([]byte, error) {
	plain, out := p[from:], sliceWriter(p)
	w := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return slices.Delete([]byte(out), from, from+len(plain)), nil
}

var (
	errInflated = errors.New("inflated beyond the limit")
	errBehind   = errors.New("bytes behind the compressed data")
)

// inflate appends what p contains to dst, errInflated if that is more than max.
func inflate(dst, p []byte, max int) ([]byte, error) {
	in := bytes.NewReader(p)
	r, err := inflater(in)
	if r != nil {
		defer inflaters.Put(r)
	}
	if err != nil {
		return dst, err
	}
	out := bytes.NewBuffer(dst)
	n, err := out.ReadFrom(io.LimitReader(r, int64(max)+1))
	switch {
	case err == nil && n > int64(max):
		err = errInflated
	case err == nil && in.Len() > 0:
		err = errBehind
	}
	return out.Bytes(), err
}

func inflater(in io.Reader) (io.Reader, error) {
	if r, ok := inflaters.Get().(io.Reader); ok {
		return r, r.(zlib.Resetter).Reset(in, nil)
	}
	return zlib.NewReader(in)
}
