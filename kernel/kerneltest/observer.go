package kerneltest

import "github.com/usher-go/usher/kernel"

// observer notes what fails the test and passes everything on to next.
func (w *watch) observer(next *kernel.Observer) *kernel.Observer {
	if next == nil {
		next = &kernel.Observer{}
	}
	obs := *next
	obs.Unhandled = func(r kernel.Record) {
		if !w.unhandled {
			w.add("nobody handles %q, sent by %v to %v", r.Event, r.From, r.To)
		}
		if next.Unhandled != nil {
			next.Unhandled(r)
		}
	}
	obs.Dropped = func(r kernel.Record, why kernel.Reason) {
		if !w.dropped {
			w.add("dropped %q %v, sent by %v to %v: %s", r.Event, r.Args, r.From, r.To, why)
		}
		if next.Dropped != nil {
			next.Dropped(r, why)
		}
	}
	obs.Fatal = func(x *kernel.Exception) {
		w.add("nobody handles the failure: %v", x)
		if next.Fatal != nil {
			next.Fatal(x)
		}
	}
	obs.Reported = func(component, cause string, err error) {
		if !w.reported {
			w.add("%s reports: %s: %v", component, cause, err)
		}
		if next.Reported != nil {
			next.Reported(component, cause, err)
		}
	}
	return &obs
}
