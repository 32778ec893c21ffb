package backend

import (
	"sync/atomic"

	"github.com/usher-go/usher/wheel/filter"
)

// Traffic is what has gone over a connection since its hello: messages, pings and
// answers counted, and bytes.
type Traffic struct {
	Received      int64 `json:"received"`
	Sent          int64 `json:"sent"`
	ReceivedBytes int64 `json:"received_bytes"`
	SentBytes     int64 `json:"sent_bytes"`
}

// traffic counts, for others to read on any goroutine.
type traffic struct{ received, sent, receivedBytes, sentBytes atomic.Int64 }

func (t *traffic) read() Traffic {
	return Traffic{t.received.Load(), t.sent.Load(), t.receivedBytes.Load(), t.sentBytes.Load()}
}

// metered is a filter whose traffic is counted.
type metered struct {
	filter.Filter[filter.Frame, []byte]
	of *traffic
}

func (m metered) Feed(p []byte) {
	m.of.receivedBytes.Add(int64(len(p)))
	m.Filter.Feed(p)
}

func (m metered) Next() (filter.Frame, bool, error) {
	f, ok, err := m.Filter.Next()
	if ok {
		m.of.received.Add(1)
	}
	return f, ok, err
}

func (m metered) Append(dst, encoded []byte) ([]byte, error) {
	m.of.sent.Add(1)
	m.of.sentBytes.Add(int64(len(encoded)))
	return m.Filter.Append(dst, encoded)
}
