package httpclient_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// program is another program on this machine. It is killed when the test ends.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	err  bytes.Buffer
	gone chan struct{} // closed when it has ended
}

func run(t *testing.T, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd, gone: make(chan struct{})}
	cmd.Stderr = &p.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.gone)
		_ = cmd.Wait()
	}()
	t.Cleanup(p.kill)
	return p
}

// kill is kill -9.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

func (p *program) signal(s os.Signal) {
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Error(err)
	}
}

// ended reports whether it has ended.
func (p *program) ended() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// nginx is a server of that name in a folder of its own.
type nginx struct {
	*program
	dir, addr, url string
}

// newNginx starts one with these directives in its only server block, and a log of
// requests. DIR is its folder.
func newNginx(t *testing.T, directives string) *nginx {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skipf("no nginx here (Debian: nginx-light): %v", err)
	}
	n := &nginx{dir: t.TempDir()}
	for range 3 { // somebody may take the port first
		n.addr = freeAddress(t)
		n.url = "http://" + n.addr
		conf := strings.NewReplacer("DIR", n.dir, "ADDR", n.addr).Replace(strings.Replace(nginxConf, "REST", directives, 1))
		if err := os.WriteFile(n.conf(), []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		if n.start(t) {
			return n
		}
	}
	t.Fatalf("nginx does not start:\n%s", n.program.err.String())
	return nil
}

const nginxConf = `
daemon off;
master_process off; # one process, which is not to be left behind
pid DIR/pid;
error_log stderr crit;
events { worker_connections 256; }
http {
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	log_format short '$connection $connection_requests $status $request_method $request_uri';
	access_log DIR/access.log short;
	absolute_redirect off;
	default_type text/plain;
	add_header X-Connection $connection;
	add_header X-Request $connection_requests;
	server {
		listen ADDR;
		root DIR;
		REST
	}
}
`

func (n *nginx) conf() string { return filepath.Join(n.dir, "conf") }

// start waits until it listens; false when it ended instead.
func (n *nginx) start(t *testing.T) bool {
	n.program = run(t, exec.Command("nginx", "-e", "stderr", "-p", n.dir, "-c", n.conf()))
	listens := false
	eventually(t, "nginx listens", func() bool {
		conn, err := net.Dial("tcp", n.addr)
		if listens = err == nil; listens {
			conn.Close()
		}
		return listens || n.ended()
	})
	return listens
}

// file puts one of so many bytes into its folder, and returns its text.
func (n *nginx) file(name string, size int) string {
	text := strings.Repeat("0123456789abcde\n", size/16)
	if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return text
}

// log returns the lines about requests whose path begins so, when there are as many
// as n or more.
func (n *nginx) log(path string, least int) (lines []string) {
	n.t.Helper()
	eventually(n.t, "nginx has logged "+strconv.Itoa(least)+" requests", func() bool {
		all, err := os.ReadFile(filepath.Join(n.dir, "access.log"))
		if err != nil {
			n.t.Fatal(err)
		}
		lines = nil
		for line := range strings.Lines(string(all)) {
			if f := strings.Fields(line); len(f) == 5 && strings.HasPrefix(f[4], path) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
		return len(lines) >= least
	})
	return lines
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// newSimpleHTTP starts testdata/simplehttp.pl and returns its URL.
func newSimpleHTTP(t *testing.T, keepalive string) (url string) {
	t.Helper()
	if out, err := exec.Command("perl", "-MPOE", "-MPOE::Component::Server::SimpleHTTP", "-e", "POE::Kernel->run").CombinedOutput(); err != nil {
		t.Skipf("no Perl with POE::Component::Server::SimpleHTTP here (Debian: libpoe-component-server-simplehttp-perl): %v, %.100s", err, out)
	}
	cmd := exec.Command("perl", filepath.Join("testdata", "simplehttp.pl"), keepalive)
	read, write := io.Pipe()
	cmd.Stdout = write
	p := run(t, cmd)
	go func() { <-p.gone; write.Close() }()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("%v says no port: %v\n%s", cmd.Args, err, p.err.String())
	}
	return "http://127.0.0.1:" + strings.TrimSpace(strings.TrimPrefix(line, "port "))
}
