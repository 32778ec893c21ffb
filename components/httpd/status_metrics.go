package httpd

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/usher-go/usher/components/prefork"
)

// wantsMetrics goes by ?format=prometheus, and by what a scraper asks for.
func wantsMetrics(r *http.Request) bool {
	if f := r.URL.Query().Get("format"); f != "" {
		return f == "prometheus"
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/openmetrics-text") || strings.Contains(accept, "version=0.0.4")
}

// metricsType is that of Prometheus's text format.
const metricsType = "text/plain; version=0.0.4; charset=utf-8"

// metrics is a Status for Prometheus, without its Parts. The numbers of a worker begin
// anew with its successor in the same slot, as counters may.
func metrics(st Status) []byte {
	var b metricsText
	server := "server=" + label(st.Server)
	b.family("usher_httpd_workers", "gauge", "Processes by what they do.")
	for s := prefork.StateStarting; s <= prefork.StateStopping; s++ {
		n := strings.Count(st.Letters, string(s.Letter()))
		b.sample(float64(n), server, "state="+label(s.String()))
	}
	if l := st.Limits; l != nil {
		b.family("usher_httpd_workers_max", "gauge", "MaxClients.")
		b.sample(float64(l.MaxClients), server)
		b.family("usher_httpd_generation", "gauge", "Of the program that has the work.")
		b.sample(float64(st.Generation), server)
	}
	b.family("usher_httpd_start_time_seconds", "gauge", "When the server was made.")
	b.sample(float64(st.Since.UnixMilli())/1000, server)
	for _, f := range []struct {
		name, kind, help string
		of               func(prefork.WorkerStatus) float64
	}{
		{"connections_total", "counter", "Accepted by the worker of a slot.", func(w prefork.WorkerStatus) float64 { return float64(w.Connections) }},
		{"requests_total", "counter", "Finished by the worker of a slot.", func(w prefork.WorkerStatus) float64 { return float64(w.Requests) }},
		{"start_time_seconds", "gauge", "When the worker of a slot was started.", func(w prefork.WorkerStatus) float64 { return float64(w.Started.UnixMilli()) / 1000 }},
		{"resident_memory_bytes", "gauge", "Of the worker of a slot.", func(w prefork.WorkerStatus) float64 { return float64(w.RSS) }},
	} {
		b.family("usher_httpd_worker_"+f.name, f.kind, f.help)
		for _, w := range st.Workers {
			b.sample(f.of(w), server, "slot="+label(strconv.Itoa(w.Slot)))
		}
	}
	return b.text
}

// metricsText is written family by family.
type metricsText struct {
	text []byte
	name string
}

func (b *metricsText) family(name, kind, help string) {
	b.name = name
	b.text = fmt.Appendf(b.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (b *metricsText) sample(v float64, labels ...string) {
	b.text = fmt.Appendf(b.text, "%s{%s} %s\n", b.name, strings.Join(labels, ","), strconv.FormatFloat(v, 'f', -1, 64))
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// label quotes a label's value.
func label(v string) string { return `"` + escapes.Replace(v) + `"` }
