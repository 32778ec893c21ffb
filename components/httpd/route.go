package httpd

import (
	"fmt"
	"net/http"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/usher-go/usher/kernel"
)

// Route sends requests to an event of a session (H19).
type Route struct {
	// Dir is a regular expression (package regexp), searched anywhere in the path
	// as it was sent, without the query and not decoded (H21): "^/bar/" is all
	// below /bar/, "bar" whatever contains it.
	Dir string

	// Session is called with Event; its arguments are a *Request, a *Response and
	// Dir (H23). The session must exist when a request comes, not before.
	Session kernel.Address
	Event   string
}

// routes are what requests are matched against, in order. It is never changed:
// SetHandlers puts another in its place, and requests under way keep theirs (H26).
type routes struct {
	list     []Route
	patterns []pattern
}

// pattern is a compiled Dir. Most are "^text", which needs no regular expression.
type pattern struct {
	re     *regexp.Regexp
	prefix string // "" of another kind
}

func (p *pattern) found(text string) bool {
	if p.prefix != "" {
		return strings.HasPrefix(text, p.prefix)
	}
	return p.re.MatchString(text)
}

func newPattern(dir string) (p pattern, err error) {
	if p.re, err = regexp.Compile(dir); err != nil {
		return p, err
	}
	if tree, err := syntax.Parse(dir, syntax.Perl); err == nil && tree.Op == syntax.OpConcat && len(tree.Sub) == 2 {
		from, text := tree.Sub[0], tree.Sub[1]
		if from.Op == syntax.OpBeginText && text.Op == syntax.OpLiteral && text.Flags&syntax.FoldCase == 0 {
			p.prefix = string(text.Rune)
		}
	}
	return p, nil
}

func compile(field string, list []Route) (*routes, error) {
	r := &routes{list: append([]Route(nil), list...)}
	for i, h := range list {
		name := fmt.Sprintf("%s[%d]", field, i)
		switch {
		case h.Dir == "":
			return nil, misconfigured(name+".Dir", `is empty; for every path write ".*"`)
		case h.Session == "":
			return nil, misconfigured(name+".Session", "is empty; name the session that handles %q", h.Event)
		case h.Event == "":
			return nil, misconfigured(name+".Event", "is empty; name an event of session %v", h.Session)
		}
		p, err := newPattern(h.Dir)
		if err != nil {
			return nil, misconfigured(name+".Dir", "is %q: %v; see package regexp", h.Dir, err)
		}
		r.patterns = append(r.patterns, p)
	}
	return r, nil
}

// match returns the first route whose pattern is found in text, or nil.
func (r *routes) match(text string) *Route {
	for i := range r.patterns {
		if r.patterns[i].found(text) {
			return &r.list[i]
		}
	}
	return nil
}

// subject is what patterns are searched in: the path, of which an empty one counts
// as "/" and several slashes in front as one (H22), or for a proxy the whole URI
// (H35).
func subject(r *http.Request, proxy bool) string {
	if proxy {
		return r.RequestURI
	}
	path := r.URL.EscapedPath()
	if path == "" {
		return "/"
	}
	if strings.HasPrefix(path, "//") {
		path = "/" + strings.TrimLeft(path, "/")
	}
	return path
}
