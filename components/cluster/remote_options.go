package cluster

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

const (
	remoteDialling   = 3 * time.Second  // until a peer has answered the greeting
	remoteHandshake  = 5 * time.Second  // until a peer has said enough to be let in
	remotePing       = 2 * time.Second  // of silence, after which a server asks …
	remotePong       = 2 * time.Second  // … and how long an answer may take
	remoteClientPing = 10 * time.Second // gRPC allows its clients no less
	remoteUnused     = 10 * time.Second // for a connection without a stream
	remoteHeader     = 8 << 10
	remoteWindow     = 1 << 20  // of bytes not read yet; one that gRPC chooses costs a ping for each packet
	remoteStreams    = 4        // on one connection; a node opens one
	remoteEnvelope   = 64 << 10 // around a packet
	remoteFlush      = 500 * time.Millisecond
)

func (t *remoteTransport) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(t.door),
		grpc.ForceServerCodecV2(remoteCodec{}),
		grpc.UnaryInterceptor(t.guardCall),
		grpc.StreamInterceptor(t.guardStream),
		grpc.MaxRecvMsgSize(t.cfg.MaxPacket + remoteEnvelope),
		grpc.MaxSendMsgSize(remoteEnvelope),
		grpc.MaxHeaderListSize(remoteHeader),
		grpc.InitialWindowSize(remoteWindow),
		grpc.InitialConnWindowSize(remoteWindow),
		grpc.MaxConcurrentStreams(remoteStreams),
		grpc.ConnectionTimeout(remoteHandshake),
		grpc.WaitForHandlers(true),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: remotePing, Timeout: remotePong, MaxConnectionIdle: remoteUnused}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
}

func (t *remoteTransport) dialOptions() []grpc.DialOption {
	creds := insecure.NewCredentials()
	if t.cfg.client != nil {
		creds = credentials.NewTLS(t.cfg.client)
	}
	return []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(t.dial),
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithMaxHeaderListSize(remoteHeader),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(remoteCodec{}), grpc.MaxCallSendMsgSize(t.cfg.MaxPacket+remoteEnvelope), grpc.MaxCallRecvMsgSize(remoteEnvelope)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: remoteClientPing, Timeout: remotePong}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: remoteDialling}),
	}
}

// dial keeps what is not encrypted on this machine.
func (t *remoteTransport) dial(ctx context.Context, address string) (net.Conn, error) {
	d := new(net.Dialer)
	if t.cfg.client == nil {
		d.ControlContext = func(_ context.Context, _, to string, _ syscall.RawConn) error {
			if !loopback(to) {
				return fmt.Errorf("%w: %s is not on this machine, and Config.TLS is not set; set it", ErrConfig, to)
			}
			return nil
		}
	}
	return d.DialContext(ctx, "tcp", address)
}

// loopback reports whether an address of numbers stays on this machine.
func loopback(address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().Unmap().IsLoopback()
}
