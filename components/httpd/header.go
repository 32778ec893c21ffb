package httpd

import (
	"net/http"
	"strconv"
	"strings"
)

// bodyAllowed is RFC 9110, 6.4.1.
func bodyAllowed(code int) bool {
	return code >= 200 && code != http.StatusNoContent && code != http.StatusNotModified
}

// counted is up to which size net/http finds a body's length itself.
const counted = 2048

// setLength says how long the body is, where net/http does not (H38, H41).
func setLength(h http.Header, size int, head bool) {
	if size > counted || size > 0 && head {
		h["Content-Length"] = []string{strconv.Itoa(size)}
	}
}

// mustClose adds to net/http's reasons for ending a connection those of H62 and
// H63. The connections of HTTP/2 end for other reasons.
func mustClose(r *http.Request, code int) bool {
	return r.ProtoMajor == 1 && (code >= 400 || r.ProtoMinor == 0 || hasToken(r.Header["Proxy-Connection"], "close"))
}

// hasToken looks for a word in lists of words.
func hasToken(lists []string, word string) bool {
	for _, list := range lists {
		for token := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(token), word) {
				return true
			}
		}
	}
	return false
}
