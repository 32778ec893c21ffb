package httpclient

import (
	"context"
	"net/http/httptrace"
	"time"
)

func traceGet(ctx context.Context, way *route) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GetConn != nil {
		trace.GetConn(way.target())
	}
}

func traceGot(ctx context.Context, w *wire, reused bool, idle time.Duration) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: w.Conn, Reused: reused, WasIdle: reused, IdleTime: idle})
	}
}
