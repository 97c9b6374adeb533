package admin

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxLabelBytes bounds a label that a client chooses.
const maxLabelBytes = 64

// metrics serves what Prometheus scrapes. Every value is read when it is asked
// for, so nothing has to be kept in step.
func (s *Server) metrics() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newCollector(s)) // fails only for what is registered twice
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            metricsLog{s},
		MaxRequestsInFlight: 2, // of a pair of Prometheus servers
	})
}

type metricsLog struct{ *Server }

// Println implements promhttp.Logger.
func (l metricsLog) Println(v ...any) { l.troubles.warn("metrics could not be served", "error", v) }

// collector turns groups and logs into metrics. Each group has one series of
// each metric, so there are no more than groups.
type collector struct {
	s *Server

	members, standbys, active, offset, lagRecords, lagSeconds, lost *prometheus.Desc
	logStart, highWatermark, logBytes, logAge                       *prometheus.Desc
	events, differ                                                  *prometheus.Desc
}

func newCollector(s *Server) *collector {
	group := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("daybook_group_"+name, help, append([]string{"task", "group"}, labels...), nil)
	}
	log := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("daybook_log_"+name, help, []string{"task"}, nil)
	}
	return &collector{
		s:             s,
		members:       group("members", "Members of the group: consumers that subscribe."),
		standbys:      group("standbys", "Consumers that stand by, by subscription or assignment."),
		active:        group("active", "1 for the consumer that receives the records.", "client_id", "host"),
		offset:        group("checkpoint_offset", "The committed offset."),
		lagRecords:    group("lag_records", "Records from the checkpoint to the high watermark."),
		lagSeconds:    group("lag_seconds", "Age of the first record that the checkpoint has not passed."),
		lost:          group("lost_records", "Records after the checkpoint that retention has removed."),
		logStart:      log("start_offset", "Offset of the oldest record."),
		highWatermark: log("high_watermark", "Offset that the next record will have."),
		logBytes:      log("bytes", "Stored bytes of the records."),
		logAge:        log("age_seconds", "How long ago the oldest record was written into the log; 0: there is none."),
		events: prometheus.NewDesc("daybook_task_events_total", "What a person should know of and stopped nothing, since the start; see the task's events.",
			[]string{"task", "kind"}, nil),
		differ: prometheus.NewDesc("daybook_task_definitions_differ", "Tables that are not at the source as their statements in the binlog left them, as the last checks found it.",
			[]string{"task"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.members, c.standbys, c.active, c.offset, c.lagRecords, c.lagSeconds, c.lost, c.logStart, c.highWatermark, c.logBytes, c.logAge, c.events, c.differ} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, p := range c.s.o.Store.Partitions() {
		gauge(c.logStart, float64(p.LogStartOffset()), p.Topic())
		gauge(c.highWatermark, float64(p.HighWatermark()), p.Topic())
		gauge(c.logBytes, float64(p.StoredBytes()), p.Topic())
		if age, err := p.OldestAge(); err == nil { // a log that cannot be read is the store's to tell
			gauge(c.logAge, age.Seconds(), p.Topic())
		}
	}
	for _, st := range c.s.o.Tasks.Statuses() {
		gauge(c.differ, float64(len(st.Definitions.Differ)+st.Definitions.More), st.Name)
		for kind, n := range st.Notices {
			to <- prometheus.MustNewConstMetric(c.events, prometheus.CounterValue, float64(n), st.Name, kind)
		}
	}
	for _, g := range c.s.views(c.s.known()) {
		c.group(gauge, g)
	}
}

func (c *collector) group(gauge func(*prometheus.Desc, float64, ...string), g Group) {
	members, standbys := 0, 0
	for _, consumer := range g.Consumers {
		if consumer.Mode == modeSubscribe {
			members++
		}
		if consumer.Role != RoleActive {
			standbys++
			continue
		}
		gauge(c.active, 1, g.Task, g.Group, label(consumer.ClientID), label(host(consumer.Address)))
	}
	gauge(c.members, float64(members), g.Task, g.Group)
	gauge(c.standbys, float64(standbys), g.Task, g.Group)
	if cp := g.Checkpoint; cp != nil {
		gauge(c.offset, float64(cp.Offset), g.Task, g.Group)
		gauge(c.lagRecords, float64(cp.LagRecords), g.Task, g.Group)
		gauge(c.lost, float64(cp.LostRecords), g.Task, g.Group)
		if cp.LagSeconds != nil {
			gauge(c.lagSeconds, *cp.LagSeconds, g.Task, g.Group)
		}
	}
}

// label makes what a client says about itself fit for a label.
func label(s string) string {
	if len(s) > maxLabelBytes {
		s = s[:maxLabelBytes]
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
