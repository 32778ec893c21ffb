package httpd_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// perlClient asks for what its arguments say, one after the other, and prints what
// it got.
const perlClient = `
use strict;
use warnings;
use HTTP::Request;
use POE qw(Component::Client::HTTP);

POE::Component::Client::HTTP->spawn(Alias => 'ua', Timeout => 20);
POE::Component::Client::HTTP->spawn(Alias => 'streams', Timeout => 20, Streaming => 4096);

my ($base, @todo) = @ARGV;
my $got = '';

POE::Session->create(inline_states => {
    _start => sub { $_[KERNEL]->yield('next') },
    next   => sub {
        my $task = shift @todo;
        if (!defined $task) {
            $_[KERNEL]->post($_, 'shutdown') for qw(ua streams);
            return;
        }
        my ($what, $path, $length) = split / /, $task;
        if ($what eq 'POST') {
            my $request = HTTP::Request->new(POST => $base . $path, [Content_Length => $length], 'x' x $length);
            $_[KERNEL]->post(ua => request => whole => $request);
        } else {
            my $to = $what eq 'STREAM' ? 'streams' : 'ua';
            $_[KERNEL]->post($to => request => ($to eq 'ua' ? 'whole' : 'piece') => HTTP::Request->new(GET => $base . $path));
        }
    },
    whole => sub {
        my $r = $_[ARG1][0];
        print $r->code, ' ', $r->content, "\n";
        $_[KERNEL]->yield('next');
    },
    piece => sub {
        my ($r, $data) = @{$_[ARG1]};
        if (defined $data) {
            $got .= $data;
            return;
        }
        print $r->code, " stream $got\n";
        $got = '';
        $_[KERNEL]->yield('next');
    },
});

POE::Kernel->run;
`

// POE's own client, two of them, of which one streams: with KeepAlive each has one
// connection, without each request has one.
func TestH30_H59_H61_H62_H81_H82_PerlClient(t *testing.T) {
	if out, err := exec.Command("perl", "-MPOE::Component::Client::HTTP", "-e1").CombinedOutput(); err != nil {
		t.Skipf("perl -MPOE::Component::Client::HTTP: %v, %.100q; see .ci/run for the package that has it", err, out)
	}
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, test := range []struct {
			keep        bool
			connections uint64
		}{{true, 2}, {false, 7}} {
			t.Run(fmt.Sprintf("KeepAlive %v", test.keep), func(t *testing.T) {
				r := newRig(t, m)
				cfg, b := r.keepBooks(httpd.Config{KeepAlive: test.keep})
				cfg.Handlers = append(cfg.Handlers, httpd.Route{Dir: "^/stream$", Session: "streams", Event: "begin"})
				left := 0
				r.spawn("streams",
					httpd.On("begin", func(c *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
						left = 3
						a.Stream(c.Self(), "more", false)
						a.WriteString("begin")
						a.Send()
						return nil
					}),
					session.On("more", func(_ *kernel.Context, a *httpd.Response) error {
						if left--; left == 0 {
							a.WriteString(" end")
							a.Done()
							return nil
						}
						fmt.Fprintf(a, " %d", left)
						a.Send()
						return nil
					}))
				s := r.serve(cfg, pages{"foo": hello, "size": func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
					fmt.Fprintf(a, "%s %d %d", q.Method, len(q.Content), strings.Count(string(q.Content), "x"))
					a.Done()
					return nil
				}})
				got := program(t, perlClient, "perl", "-", "http://"+s.Addrs()[0].String(),
					"GET /foo", "POST /size 5", "POST /size 300000", "GET /foo", "GET /stream", "STREAM /stream", "STREAM /foo")
				const want = "200 hello\n200 POST 5 5\n200 POST 300000 300000\n200 hello\n200 begin 2 1 end\n200 stream begin 2 1 end\n200 stream hello\n"
				if got != want {
					t.Errorf("it prints\n%s\nwant\n%s", got, want)
				}
				r.balance(b, 7)
				r.empty(s)
				if st := s.Stats(); st.Accepted != test.connections || st.Refused != 0 {
					t.Errorf("%d connections, %d refused; want %d and none", st.Accepted, st.Refused, test.connections)
				}
			})
		}
	})
}
