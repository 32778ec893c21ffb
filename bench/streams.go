package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// streams is how fast large streams go through one connection, from one process to
// another.
var streams = &Group{
	Name:  "streams",
	About: "large streams through one connection, from process to process",
	Peers: []string{usher, usherSerial, goPlain},
	Shows: "MB are 10⁶ bytes; CPU is the server's",
	Rows: []*Row{
		// The server is asked for a number of chunks and sends them as fast as it can.
		{
			Name: "stream-send", About: "the server sends writes of 64 KiB",
			Unit: "64 KiB", OneRun: true, Load: streamLoad(download), Figures: streamFigures,
		},
		// It is told how many chunks will come, and answers when it has them.
		{
			Name: "stream-receive", About: "the server receives them",
			Unit: "64 KiB", OneRun: true, Load: streamLoad(upload), Figures: streamFigures,
		},
	},
}

var streamFigures = []Figure{MBps, CPU}

// chunk is one operation, and what is written at a time.
var chunk = make([]byte, 64<<10)

// moved says that the operations of a sample were chunks.
func moved(s Sample) Sample {
	s.Moved = int64(s.Ops) * int64(len(chunk))
	return s
}

// A request is a number of chunks in so many bytes, the most significant first.
const requestSize = 8

// streamLoad runs transfer on one connection.
func streamLoad(transfer func(conn net.Conn, chunks int) error) Load {
	return func(s *server) (Runner, func(), error) {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			return nil, nil, err
		}
		run := func(ops int) (Sample, error) {
			sample, err := s.measure(ops, func() error { return transfer(conn, ops) })
			return moved(sample), err
		}
		return run, func() { _ = conn.Close() }, nil
	}
}

func download(conn net.Conn, chunks int) error {
	if _, err := conn.Write(binary.BigEndian.AppendUint64(nil, uint64(chunks))); err != nil {
		return err
	}
	return skip(conn, chunks)
}

// skip reads so many chunks.
func skip(r io.Reader, chunks int) error {
	buf := make([]byte, len(chunk))
	for left := chunks * len(chunk); left > 0; {
		n, err := r.Read(buf[:min(left, len(buf))])
		if left -= n; err != nil && left > 0 {
			return fmt.Errorf("with %d bytes to come: %w", left, err)
		}
	}
	return nil
}

func upload(conn net.Conn, chunks int) error {
	request := binary.BigEndian.AppendUint64(nil, uint64(chunks))
	if _, err := conn.Write(request); err != nil {
		return err
	}
	for range chunks {
		if _, err := conn.Write(chunk); err != nil {
			return err
		}
	}
	_, err := io.ReadFull(conn, request)
	if got := binary.BigEndian.Uint64(request); err == nil && got != uint64(chunks) {
		return fmt.Errorf("%w: the server got %d chunks of %d", errSample, got, chunks)
	}
	return err
}
