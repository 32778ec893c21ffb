package httpclient_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const Answer kernel.Event[httpclient.Response] = "answer"

// reader asks for one page, and then for one that is not there.
type reader struct {
	ua   *httpclient.Client
	urls []string
}

func (r *reader) ask(c *kernel.Context) error {
	if len(r.urls) == 0 {
		r.ua.Shutdown() // the program need not wait for idle connections
		return nil
	}
	req, err := http.NewRequest(http.MethodGet, r.urls[0], nil)
	if err != nil {
		return err
	}
	r.urls = r.urls[1:]
	_, err = r.ua.Request(c, httpclient.Request{HTTP: req, Event: Answer, Tag: len(r.urls)})
	return err
}

func (r *reader) answer(c *kernel.Context, res httpclient.Response) error {
	if res.Err != nil {
		fmt.Println("failed:", res.HTTP.Header.Get("X-PCCH-Errmsg"))
	} else {
		fmt.Printf("%d to go: %s: %s", res.Tag, res.HTTP.Status, res.Body)
	}
	return r.ask(c)
}

func ExampleClient() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hello" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, "hello,", r.UserAgent())
	}))
	defer server.Close()

	k := kernel.New(kernel.Config{})
	ua, err := httpclient.New(k, httpclient.Config{Alias: "ua", Agent: []string{"SpiffCrawler/0.90"}})
	if err != nil {
		log.Fatal(err)
	}
	r := &reader{ua: ua, urls: []string{server.URL + "/hello", server.URL + "/missing", "gopher://old/"}}
	_, err = k.Spawn(session.New(
		session.Handle("_start", r.ask),
		session.On(Answer, r.answer),
	))
	if err != nil {
		log.Fatal(err)
	}
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 2 to go: 200 OK: hello, SpiffCrawler/0.90
	// 1 to go: 404 Not Found: 404 page not found
	// failed: httpclient: GET gopher://old/: unusable URL; want one of "http" or "https", with a host: scheme "gopher"
}
