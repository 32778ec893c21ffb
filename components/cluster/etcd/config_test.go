package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/usher-go/usher/components/cluster"
)

func TestConfig_SaysWhatIsWrong(t *testing.T) {
	good := []string{"127.0.0.1:2379"}
	for field, cfg := range map[string]Config{
		"Endpoints is empty":     {},
		`Endpoints is ["a" ""]`:  {Endpoints: []string{"a", ""}},
		`Endpoints is ["http:`:   {Endpoints: []string{"http://a:1"}, TLS: &tls.Config{}},
		`Endpoints is ["a:1"`:    {Endpoints: []string{"a:1", "https://b:1"}},
		`Username is ""`:         {Endpoints: good, Password: "x"},
		`Username is "me"`:       {Endpoints: good, Username: "me"},
		"TTL is 1ms":             {Endpoints: good, TTL: time.Millisecond},
		"TTL is -1s":             {Endpoints: good, TTL: -time.Second},
		"DialTimeout is -1ns":    {Endpoints: good, DialTimeout: -1},
		`the node's name is "/"`: {Endpoints: good, Prefix: "x"},
		"the address of node":    {Endpoints: good, Prefix: "y"},
	} {
		self := cluster.Member{Name: "a", Address: "a:1"}
		switch cfg.Prefix {
		case "x":
			self.Name = "/"
		case "y":
			self.Address = ""
		}
		_, err := Directory(cfg).Join(context.Background(), self, nil)
		if !errors.Is(err, cluster.ErrConfig) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestConfig_Defaults(t *testing.T) {
	c := Config{Client: &clientv3.Client{}}
	if err := c.fill(); err != nil {
		t.Fatal(err)
	}
	if c.TTL != 5*time.Second || c.DialTimeout != 2*time.Second || newKeys(c.Prefix).root != "usher/" {
		t.Errorf("got %+v", c)
	}
	c.TTL = 1200 * time.Millisecond
	if _ = c.fill(); c.TTL != 2*time.Second {
		t.Errorf("TTL is %v", c.TTL)
	}
}
