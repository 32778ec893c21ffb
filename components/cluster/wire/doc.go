// Package wire is what the nodes of a cluster send each other, as protobuf messages.
// Their fields are described in cluster.proto.
package wire

//go:generate protoc -I ../../.. --go_out=../../.. --go_opt=module=github.com/usher-go/usher components/cluster/wire/cluster.proto
