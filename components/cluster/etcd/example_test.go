package etcd_test

import (
	"crypto/tls"
	"log"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/etcd"
	"github.com/usher-go/usher/kernel"
)

var nodeTLS, etcdTLS *tls.Config // nil: plain connections, on this machine

func ExampleDirectory() {
	k := kernel.New(kernel.Config{})
	node, err := cluster.Join(k, cluster.Config{
		Name:   "node-1",
		Listen: "node-1.example:7000",
		TLS:    nodeTLS,
		Directory: etcd.Directory(etcd.Config{
			Endpoints: []string{"https://etcd-1.example:2379", "https://etcd-2.example:2379", "https://etcd-3.example:2379"},
			Prefix:    "shop", // clusters of different prefixes do not see each other
			TLS:       etcdTLS,
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Println(node.Name(), "listens on", node.Addr())
}
