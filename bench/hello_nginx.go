package main

import (
	"fmt"
	"os/exec"
)

func init() {
	hello.serve(nginx, map[string]Server{"hello-http": {Program: kept(prepareNginx)}})
}

func needNginx() error {
	if _, err := exec.LookPath("nginx"); err != nil {
		return fmt.Errorf("%w; install nginx (Debian: nginx-light)", err)
	}
	return nil
}

func prepareNginx(dir, addr string) ([]string, error) {
	conf, err := configured(dir, fmt.Sprintf(`daemon off;
worker_processes auto;
pid %[1]s/pid;
error_log stderr;
events { worker_connections 1024; }
http {
	access_log off;
	keepalive_timeout 75s;
	keepalive_requests 1000000000;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		location / { default_type text/plain; return 200 "hello, world\n"; }
	}
}
`, dir, addr))
	return []string{"nginx", "-e", "stderr", "-p", dir, "-c", conf}, err
}
