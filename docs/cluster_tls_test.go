package docs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// nodeTLS has the certificate of a node, and the authority that has signed all of them.
func nodeTLS(dir, name string) (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(filepath.Join(dir, "cluster-ca.crt"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("no certificate in %s/cluster-ca.crt", dir)
	}
	return &tls.Config{Certificates: []tls.Certificate{own}, RootCAs: pool}, nil
}

// joinSecurely lets in nodes of the cluster, to the store, and only the office deletes.
func joinSecurely(k *kernel.Kernel, name, dir string, nodes cluster.Static) (*cluster.Node, error) {
	config, err := nodeTLS(dir, name)
	if err != nil {
		return nil, err
	}
	return cluster.Join(k, cluster.Config{
		Name:      name,
		Directory: nodes,
		TLS:       config,
		Expose:    []string{"store"},
		Accept: func(a cluster.Arrival) error {
			if a.Event == "delete" && a.Node != "office" {
				return errors.New("only the office deletes")
			}
			return nil
		},
	})
}

// TestClusterTLS makes certificates with the commands that cluster.md shows, and joins
// with them.
func TestClusterTLS(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl here; it is to make the certificates")
	}
	dir := t.TempDir()
	for _, b := range clusterBlocks(t) {
		if b.lang != "sh" || !strings.Contains(b.text, "openssl") {
			continue
		}
		sh := exec.Command("sh", "-ec", b.text)
		sh.Dir = dir
		if out, err := sh.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	nodes := cluster.Static{"node-1": free(t), "node-2": free(t), "office": free(t)}
	kernels := map[string]*kernel.Kernel{}
	for name := range nodes {
		k := kernel.New(kernel.Config{})
		node, err := joinSecurely(k, name, dir, nodes)
		if err != nil {
			t.Fatal(err)
		}
		answer := session.New(
			session.Handle("get", func(c *kernel.Context) error { c.Return(name); return nil }),
			session.Handle("delete", func(*kernel.Context) error { return nil }),
		)
		for _, alias := range []string{"store", "secret"} {
			if _, err := k.Spawn(answer, kernel.Alias(alias)); err != nil {
				t.Fatal(err)
			}
		}
		end := make(chan error, 1)
		go func() { end <- k.Run(context.Background()) }()
		t.Cleanup(func() {
			_ = node.Leave(context.Background())
			k.Stop()
			if err := <-end; err != nil {
				t.Error(err)
			}
		})
		kernels[name] = k
	}
	if v, err := kernels["node-2"].Call(ctx, "store@node-1", "get"); err != nil || v != "node-1" {
		t.Errorf("get: %v, %v", v, err)
	}
	if _, err := kernels["office"].Call(ctx, "store@node-1", "delete"); err != nil {
		t.Errorf("the office deletes: %v", err)
	}
	for to, event := range map[kernel.Address]string{"store@node-1": "delete", "secret@node-1": "get"} {
		if _, err := kernels["node-2"].Call(ctx, to, event); !errors.Is(err, cluster.ErrRefused) {
			t.Errorf("%s to %s by node-2: %v", event, to, err)
		}
	}
	// A certificate of one node does not make another one of it.
	config, err := nodeTLS(dir, "node-2")
	if err != nil {
		t.Fatal(err)
	}
	k := kernel.New(kernel.Config{})
	impostor, err := cluster.Join(k, cluster.Config{
		Name: "office", Listen: free(t), TLS: config, CallTimeout: time.Second, Heartbeat: 100 * time.Millisecond,
		Directory: cluster.Static{"office": free(t), "node-1": nodes["node-1"]},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Call(ctx, "store@node-1", "delete"); err == nil {
		t.Error("node-2 passes for the office")
	}
	_ = impostor.Leave(ctx)
}

// free is an address of this machine that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
