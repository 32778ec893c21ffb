package main

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func init() {
	ends := make(map[string]Ends)
	for row, size := range backendSize {
		ends[row] = Ends{Server{Serve: serveGRPC}, func(s *server) (Runner, func(), error) {
			var conns []*grpc.ClientConn
			hangUp := func() {
				for _, c := range conns {
					_ = c.Close()
				}
			}
			for range size.conns {
				c, err := grpc.NewClient("passthrough:///"+s.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
				if err != nil {
					hangUp()
					return nil, nil, err
				}
				conns = append(conns, c)
			}
			run := askers(s, size.conns*size.each, func(i int) error { return askGRPC(conns[i%size.conns]) })
			if _, err := run(10 * size.conns * size.each); err != nil { // which connects all of them
				hangUp()
				return nil, nil, err
			}
			return run, hangUp, nil
		}}
	}
	backends.pair(grpcPeer, ends)
}

// grpcEcho is what protoc would make of a service with one method, Ask.
const grpcEcho = "/bench.Echo/Ask"

var grpcService = &grpc.ServiceDesc{
	ServiceName: "bench.Echo",
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Ask", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.BytesValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		return wrapperspb.Bytes(in.Value), nil
	}}},
}

func serveGRPC(at func(fmt.Stringer)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	s.RegisterService(grpcService, nil)
	at(l.Addr())
	return s.Serve(l)
}

func askGRPC(c *grpc.ClientConn) error {
	out := new(wrapperspb.BytesValue)
	if err := c.Invoke(context.Background(), grpcEcho, wrapperspb.Bytes(backendPayload), out); err != nil {
		return err
	}
	return checkPayload(out.Value)
}
