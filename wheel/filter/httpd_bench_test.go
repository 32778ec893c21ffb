package filter_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

func BenchmarkHTTPDNext(b *testing.B) {
	browser := "GET /index.html HTTP/1.1\r\nHost: example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
		"Accept: text/html,application/xhtml+xml\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n\r\n"
	form := strings.Repeat("x", 1000)
	for name, wire := range map[string]string{
		"get":     browser,
		"length":  fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(form), form),
		"chunked": fmt.Sprintf("%s%x\r\n%s\r\n0\r\n\r\n", chunkedStart, len(form), form),
	} {
		b.Run(name, func(b *testing.B) {
			f, p := filter.HTTPD(), []byte(wire)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				f.Feed(p)
				if _, ok, err := f.Next(); !ok {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHTTPDAppend(b *testing.B) {
	f, buf := filter.HTTPD(), make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Append(buf, filter.HTTPResponse(nil, http.StatusOK, "hello\n")); err != nil {
			b.Fatal(err)
		}
	}
}
