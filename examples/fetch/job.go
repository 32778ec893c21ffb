package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/usher-go/usher/components/httpclient"
)

// job is one URL and what became of it.
type job struct {
	req       *http.Request
	name      string // of the file
	file      *os.File
	got, size int64 // size is -1 when the server does not say

	over    bool
	outcome string
	good    bool
	givenUp bool // because of Ctrl-C
}

func newJobs(urls []string) ([]*job, error) {
	jobs := make([]*job, len(urls))
	for i, u := range urls {
		req, err := http.NewRequest(http.MethodGet, u, nil)
		if err != nil {
			return nil, err
		}
		jobs[i] = &job{req: req, size: -1, name: fmt.Sprintf("%03d-%.100s", i+1, fileName(req.URL.Path))}
	}
	return jobs, nil
}

// fileName is the end of a path as every system takes it.
func fileName(p string) string {
	return strings.Map(func(r rune) rune {
		if r > 0x7e || r < ' ' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, strings.Trim(path.Base(p), "./"))
}

func (j *job) save(to *os.Root, piece []byte) (err error) {
	if j.file == nil {
		if j.file, err = to.Create(j.name); err != nil {
			return err
		}
	}
	_, err = j.file.Write(piece)
	return err
}

// finish notes the outcome. A file that is not complete is removed.
func (j *job) finish(res httpclient.Response, files *os.Root) error {
	var why *httpclient.Error
	j.over = true
	j.outcome = fmt.Sprint(res.HTTP.StatusCode, " ", http.StatusText(res.HTTP.StatusCode))
	j.good = res.Err == nil && res.HTTP.StatusCode < 300
	if errors.As(res.Err, &why) {
		j.givenUp = why.Kind == httpclient.ErrShutDown
		j.outcome, _, _ = strings.Cut(why.Kind.Error(), ";") // without the advice
	}
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	if !j.good {
		err = errors.Join(err, files.Remove(j.name))
	}
	return err
}

// line is what is said of it in the end.
func (j *job) line() string {
	mark := "✓"
	if !j.good {
		mark = "✗"
	}
	return fmt.Sprintf("%s %-25s %9s  %s", mark, j.outcome, size(j.got), j.req.URL.Redacted())
}
