package kernel

import "log/slog"

// maxCauses bounds how many different causes are remembered: some come from what
// peers send.
const maxCauses = 1000

// Report is for components: something went wrong outside that costs one
// connection or one child, and that a person may want to know. It goes to
// Observer.Reported; without an observer it is logged through slog as a warning,
// once per component and cause. cause is a short constant; err has the details.
func (k *Kernel) Report(component, cause string, err error) {
	if f := k.obs.Reported; f != nil {
		f(component, cause, err)
	}
	if k.obs.warn && k.obs.first(component+": "+cause) {
		slog.Warn("usher: "+component+": "+cause, "error", err, "note", "further ones are not logged")
	}
}
