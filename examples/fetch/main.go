// Fetch gets a list of URLs, many at a time, and shows how it goes: what is done
// scrolls by, and below it stand the pool's connections to each host and a line for
// each request under way. Ctrl-C ends it in order. Without URLs it starts some
// servers of its own, slow, failing and large ones, and fetches from those.
//
//	go run ./examples/fetch
//	go run ./examples/fetch -o pages https://go.dev/ https://poe.perl.org/
//	go run ./examples/fetch -list urls.txt -max-per-host 2 | tee log
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

func main() {
	perHost := flag.Int("max-per-host", 4, "how many connections to one host may be busy")
	open := flag.Int("max-open", 16, "how many connections may be open")
	timeout := flag.Duration("timeout", 3*time.Minute, "the longest a URL may wait, for its turn or for more of its answer")
	dir := flag.String("o", "", "save what is fetched in this directory")
	list := flag.String("list", "", "fetch the URLs in this file, one a line")
	flag.Parse()
	if *perHost < 1 || *open < 1 {
		log.Fatalf("-max-per-host is %d and -max-open %d; want 1 or more", *perHost, *open)
	}
	urls, err := wanted(flag.Args(), *list)
	if err == nil && len(urls) == 0 {
		err = fmt.Errorf("%s names no URLs; want one a line", *list)
	}
	if err != nil {
		log.Fatal(err)
	}
	k := kernel.New(kernel.Config{})
	pool, err := keepalive.New(k, keepalive.Config{
		MaxPerHost: *perHost,
		MaxOpen:    *open,
		MaxWaiting: keepalive.NoLimit,
		Timeout:    keepalive.NoLimit, // the client's counts
		Breaker:    keepalive.Breaker{Failures: 3},
	})
	if err != nil {
		log.Fatal(err)
	}
	ua, err := httpclient.New(k, httpclient.Config{
		Pool: pool, Timeout: *timeout, Streaming: 32 << 10, FollowRedirects: 10,
	})
	if err != nil {
		log.Fatal(err)
	}
	f := &fetcher{pool: pool, ua: ua, perHost: *perHost, open: *open, screen: newScreen(os.Stdout)}
	if f.files, err = directory(*dir); err != nil {
		log.Fatal(err)
	}
	if f.jobs, err = newJobs(urls); err != nil {
		log.Fatal(err)
	}
	_, err = k.Spawn(session.New(
		session.Handle("_start", f.start),
		session.On(Began, f.began),
		session.On(Answer, f.answer),
		session.On(Counted, f.counted),
		session.Handle("interrupted", f.interrupted),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// wanted is what to fetch.
func wanted(args []string, list string) (urls []string, err error) {
	if list == "" {
		if len(args) == 0 {
			return demo()
		}
		return args, nil
	}
	text, err := os.ReadFile(list)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			urls = append(urls, line)
		}
	}
	return append(urls, args...), err
}

// directory is one that no file name leads out of; nil without a name.
func directory(name string) (*os.Root, error) {
	if name == "" {
		return nil, nil
	}
	if err := os.MkdirAll(name, 0o777); err != nil {
		return nil, err
	}
	return os.OpenRoot(name)
}
