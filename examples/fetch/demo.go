package main

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// demo starts four servers and returns what there is to fetch from them, and from a
// fifth that is not there.
func demo() (urls []string, err error) {
	mux := http.NewServeMux()
	mux.HandleFunc("/page/", func(w http.ResponseWriter, _ *http.Request) { drip(w, 20, 20*time.Millisecond) })
	mux.HandleFunc("/slow/", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(600 * time.Millisecond)
		drip(w, 1, 0)
	})
	mux.HandleFunc("/large/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(1500*len(page)))
		drip(w, 1500, time.Millisecond)
	})
	mux.HandleFunc("/cut/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(100*len(page)))
		drip(w, 50, 10*time.Millisecond)
	})
	mux.HandleFunc("/broken/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	var hosts []string
	for i := range 5 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", i+1))
		if err != nil {
			return nil, fmt.Errorf("%w; this system has no such address, so give some URLs", err)
		}
		hosts = append(hosts, l.Addr().String())
		if i == 4 {
			_ = l.Close() // nobody is there
		} else {
			go func() { _ = http.Serve(l, mux) }()
		}
	}
	for _, d := range []struct {
		host int
		path string
		n    int
	}{
		{1, "page", 20}, {2, "slow", 12}, {3, "large", 8}, {5, "page", 6},
		{4, "cut", 3}, {4, "missing", 3}, {4, "broken", 3}, {4, "page", 6},
	} {
		for n := range d.n {
			urls = append(urls, fmt.Sprintf("http://%s/%s/%d", hosts[d.host-1], d.path, n+1))
		}
	}
	return urls, nil
}

// page is 1000 octets.
var page = make([]byte, 1000)

// drip sends so many pages, with a pause before each.
func drip(w http.ResponseWriter, pages int, pause time.Duration) {
	for range pages {
		time.Sleep(pause)
		if _, err := w.Write(page); err != nil {
			return
		}
		w.(http.Flusher).Flush()
	}
}
