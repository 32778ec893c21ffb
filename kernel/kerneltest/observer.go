package kerneltest

import "github.com/usher-go/usher/kernel"

// observer notes what fails the test.
func (w *watch) observer() *kernel.Observer {
	return &kernel.Observer{
		Unhandled: func(r kernel.Record) {
			if !w.unhandled {
				w.add("nobody handles %q, sent by %v to %v", r.Event, r.From, r.To)
			}
		},
		Dropped: func(r kernel.Record, why kernel.Reason) {
			if !w.dropped {
				w.add("dropped %q %v, sent by %v to %v: %s", r.Event, r.Args, r.From, r.To, why)
			}
		},
		Fatal: func(x *kernel.Exception) { w.add("nobody handles the failure: %v", x) },
		Reported: func(component, cause string, err error) {
			if !w.reported {
				w.add("%s reports: %s: %v", component, cause, err)
			}
		},
	}
}
