package httpd

import "github.com/usher-go/usher/kernel"

// Target names an event of a session (H11). The zero value is nobody.
type Target struct {
	Session kernel.Address
	Event   string
}

func (t Target) set() bool { return t != Target{} }

// check reports a target with only one of its halves (H83).
func (t Target) check(field string) error {
	switch {
	case t.set() && t.Session == "":
		return misconfigured(field+".Session", "is empty; name the session that handles %q", t.Event)
	case t.set() && t.Event == "":
		return misconfigured(field+".Event", "is empty; name an event of session %v", t.Session)
	}
	return nil
}

// tell posts to a target. One that does not exist costs a report and nothing else
// (H83).
func (s *Server) tell(t Target, args ...any) {
	if !t.set() {
		return
	}
	if err := s.k.Post(t.Session, t.Event, args...); err != nil {
		s.k.Report("httpd", saysUndelivered, err)
	}
}

// complain tells the ErrorHandler, or whoever hears reports, of something that
// went wrong with one request or one listener (H84).
func (s *Server) complain(says, ip string, err error) {
	if t := s.cfg.ErrorHandler; t.set() {
		s.tell(t, text(says, err), ip)
		return
	}
	s.k.Report("httpd", says, err)
}

func text(says string, err error) string {
	if err == nil {
		return says
	}
	return says + ": " + err.Error()
}
