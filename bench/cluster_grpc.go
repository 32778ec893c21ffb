package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func init() {
	pairClusters(grpcPeer, func(task clusterTask, secure bool) Ends {
		return Ends{Server{Serve: serveClusterGRPC(secure)}, func(s *server) (Runner, func(), error) {
			_, client := grpcCredentials(secure)
			conn, err := grpc.NewClient("passthrough:///"+s.addr, grpc.WithTransportCredentials(client))
			if err != nil {
				return nil, nil, err
			}
			if err := askClusterGRPC(conn); err != nil {
				return nil, nil, err
			}
			hangUp := func() { _ = conn.Close() }
			if task.callers == 0 {
				return grpcFlooder(s, conn), hangUp, nil
			}
			return askers(s, task.callers, func(int) error { return askClusterGRPC(conn) }), hangUp, nil
		}}
	})
}

// grpcFlood is a method with a stream of events, the answer to which is their number.
var grpcFlood = grpc.StreamDesc{
	StreamName: "Flood", ClientStreams: true,
	Handler: func(_ any, stream grpc.ServerStream) error {
		for n := uint64(0); ; {
			in := new(wrapperspb.BytesValue)
			switch err := stream.RecvMsg(in); {
			case errors.Is(err, io.EOF):
				return stream.SendMsg(wrapperspb.UInt64(n))
			case err != nil:
				return err
			case len(in.Value) == len(clusterPayload):
				n++
			}
		}
	},
}

func serveClusterGRPC(secure bool) func(func(fmt.Stringer)) error {
	return func(at func(fmt.Stringer)) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server, _ := grpcCredentials(secure)
		s := grpc.NewServer(grpc.Creds(server))
		service := *grpcService
		service.Streams = []grpc.StreamDesc{grpcFlood}
		s.RegisterService(&service, nil)
		at(l.Addr())
		return s.Serve(l)
	}
}

func askClusterGRPC(c *grpc.ClientConn) error {
	out := new(wrapperspb.BytesValue)
	if err := c.Invoke(context.Background(), grpcEcho, wrapperspb.Bytes(clusterPayload), out); err != nil {
		return err
	}
	return checkClusterAnswer(out.Value)
}

// grpcFlooder sends all events of a run in one stream.
func grpcFlooder(s *server, conn *grpc.ClientConn) Runner {
	return func(ops int) (Sample, error) {
		return measureBoth(s, ops, func() error {
			ctx, cancel := context.WithTimeout(context.Background(), clusterPatience)
			defer cancel()
			stream, err := conn.NewStream(ctx, &grpcFlood, "/"+grpcService.ServiceName+"/"+grpcFlood.StreamName)
			if err != nil {
				return err
			}
			for range ops {
				if err := stream.SendMsg(wrapperspb.Bytes(clusterPayload)); err != nil {
					return err
				}
			}
			if err := stream.CloseSend(); err != nil {
				return err
			}
			counted := new(wrapperspb.UInt64Value)
			if err := stream.RecvMsg(counted); err != nil {
				return err
			}
			return checkHandled(counted.Value, ops)
		})
	}
}
