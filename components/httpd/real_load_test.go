package httpd_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

// reported is a number in a program's report.
func reported(t *testing.T, report, pattern string) int64 {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(report)
	if m == nil {
		t.Fatalf("no %q in\n%s", pattern, report)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ab speaks HTTP/1.0, so that nothing is kept for it, whatever it asks for.
func TestH12_H62_H81_H82_ApacheBench(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		for _, kept := range []string{"", "-k"} {
			t.Run("ab "+kept, func(t *testing.T) {
				r := newRig(t, m)
				cfg, b := r.keepBooks(httpd.Config{KeepAlive: true})
				s := r.serve(cfg, pages{"foo": hello})
				const n = 1000
				args := []string{"-q", "-n", strconv.Itoa(n), "-c", "20", "http://" + s.Addrs()[0].String() + "/foo"}
				if kept != "" {
					args = append([]string{kept}, args...)
				}
				out := program(t, "", "ab", args...)
				if got := reported(t, out, `Complete requests: +(\d+)`); got != n {
					t.Errorf("ab has %d answers; want %d", got, n)
				}
				if got := reported(t, out, `Failed requests: +(\d+)`); got != 0 || strings.Contains(out, "Non-2xx") {
					t.Errorf("some failed:\n%s", out)
				}
				if got := reported(t, out, `HTML transferred: +(\d+)`); got != n*int64(len("hello")) {
					t.Errorf("ab has %d bytes of content", got)
				}
				if kept != "" && reported(t, out, `Keep-Alive requests: +(\d+)`) != 0 {
					t.Errorf("a connection of HTTP/1.0 was kept:\n%s", out)
				}
				r.balance(b, n)
				r.empty(s)
				// It may begin some connections more, and leave without a word.
				if st := s.Stats(); st.Accepted < n || st.Accepted > n+20 || st.Served != n || st.Refused != 0 {
					t.Errorf("%+v; want %d connections, a request each", st, n)
				}
			})
		}
	})
}

// wrk ends by the clock, in the middle of requests: those the logs may have beyond
// what it counts. Its first connection it makes to see whether somebody is there.
func TestH12_H62_H81_Wrk(t *testing.T) {
	const conns = 16
	for _, keep := range []bool{true, false} {
		t.Run(fmt.Sprintf("KeepAlive %v", keep), func(t *testing.T) {
			r := newRig(t, kernel.Parallel)
			cfg, b := r.keepBooks(httpd.Config{KeepAlive: keep})
			s := r.serve(cfg, pages{"foo": hello})
			out := program(t, "", "wrk", "-t1", "-c", strconv.Itoa(conns), "-d1s", "--timeout", "60s", "http://"+s.Addrs()[0].String()+"/foo")
			n := reported(t, out, `(\d+) requests in`)
			if strings.Contains(out, "Non-2xx") || strings.Contains(out, "Socket errors") {
				t.Errorf("wrk says:\n%s", out)
			}
			r.empty(s)
			r.until("the logs have all requests", func() bool { return b.asked.Load() >= n && b.answered.Load() >= n })
			st := s.Stats()
			if beyond := int64(st.Served) - n; n == 0 || beyond < 0 || beyond > conns {
				t.Errorf("wrk has %d answers, and the server had %d requests", n, st.Served)
			}
			r.until("both logs of requests agree", func() bool { return b.asked.Load() == int64(st.Served) && b.lines.Load() == int64(st.Served) })
			if b.failed.Load() != 0 || st.Refused != 0 {
				t.Errorf("%d answers were no 200, %d requests were refused", b.failed.Load(), st.Refused)
			}
			if keep && st.Accepted > conns+1 || !keep && st.Accepted < st.Served {
				t.Errorf("%d connections for %d requests", st.Accepted, st.Served)
			}
		})
	}
}
