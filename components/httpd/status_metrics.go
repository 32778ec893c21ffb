package httpd

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

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

// serveMetrics answers with a Status for Prometheus.
func serveMetrics(w http.ResponseWriter, r *http.Request, st Status) {
	all := prometheus.NewRegistry()
	all.MustRegister(collector(st))
	promhttp.HandlerFor(all, promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

// collector is one Status. The numbers of a worker begin anew with its successor in the
// same slot, as counters may.
type collector Status

var (
	workersNow = metric("workers", "Processes by what they do.", "state")
	workersMax = metric("workers_max", "MaxClients.")
	generation = metric("generation", "Of the program that has the work.")
	startTime  = metric("start_time_seconds", "When the server was made.")

	workerConnections = metric("worker_connections_total", "Accepted by the worker of a slot.", "slot")
	workerRequests    = metric("worker_requests_total", "Finished by the worker of a slot.", "slot")
	workerStart       = metric("worker_start_time_seconds", "When the worker of a slot was started.", "slot")
	workerMemory      = metric("worker_resident_memory_bytes", "Of the worker of a slot.", "slot")

	partNumber = metric("part", "A number at the top of one of StatusConfig.Parts.", "part", "name")
)

func metric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("usher_httpd_"+name, help, append([]string{"server"}, labels...), nil)
}

// Describe leaves the registry nothing to check beforehand: what there is depends on the
// server.
func (collector) Describe(chan<- *prometheus.Desc) {}

func (c collector) Collect(out chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, append([]string{strings.ToValidUTF8(c.Server, "\uFFFD")}, labels...)...)
	}
	for s := prefork.StateStarting; s <= prefork.StateStopping; s++ {
		n := strings.Count(c.Letters, string(s.Letter()))
		tell(workersNow, prometheus.GaugeValue, float64(n), s.String())
	}
	if c.Limits != nil {
		tell(workersMax, prometheus.GaugeValue, float64(c.Limits.MaxClients))
		tell(generation, prometheus.GaugeValue, float64(c.Generation))
	}
	tell(startTime, prometheus.GaugeValue, seconds(c.Since))
	for _, w := range c.Workers {
		slot := strconv.Itoa(w.Slot)
		tell(workerConnections, prometheus.CounterValue, float64(w.Connections), slot)
		tell(workerRequests, prometheus.CounterValue, float64(w.Requests), slot)
		tell(workerStart, prometheus.GaugeValue, seconds(w.Started), slot)
		tell(workerMemory, prometheus.GaugeValue, float64(w.RSS), slot)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Parts)) {
		_, top := readPart(c.Parts[name])
		for _, key := range slices.Sorted(maps.Keys(top)) {
			if v, ok := top[key].(float64); ok {
				tell(partNumber, prometheus.GaugeValue, v, strings.ToValidUTF8(name, "\uFFFD"), key)
			}
		}
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
