package admin

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
)

// Status is how Daybook itself is.
type Status struct {
	Version     string         `json:"version" doc:"Of Daybook." example:"v1.0.0"`
	Started     time.Time      `json:"started" doc:"When it was."`
	Data        DataStatus     `json:"data" doc:"The data directory."`
	MemoryBytes int64          `json:"memory_bytes" doc:"What the process has of the machine's memory."`
	Listeners   []Listener     `json:"listeners" nullable:"false" doc:"Where it listens: for consumers, and for this API."`
	Tasks       map[string]int `json:"tasks" doc:"How many tasks there are in each state."`
	Failing     int            `json:"failing" doc:"How many of them are in Error, or have failed their precheck."`
	Groups      int            `json:"groups" doc:"How many consumer groups there are."`
}

// DataStatus is what the data directory has and may have.
type DataStatus struct {
	Dir       string `json:"dir" doc:"Where it is."`
	UsedBytes uint64 `json:"used_bytes" doc:"Of all its files."`
	FreeBytes uint64 `json:"free_bytes" doc:"That its file system has yet."`
	LogBytes  int64  `json:"log_bytes" doc:"Of the records of all tasks, as they are stored."`
	MaxBytes  int64  `json:"max_bytes,omitempty" doc:"The cap on log_bytes; absent: none."`
}

// Listener is an address at which Daybook listens.
type Listener struct {
	Name       string `json:"name" doc:"Of the configuration; admin: this API's." example:"local"`
	Address    string `json:"address" doc:"host:port" example:"127.0.0.1:9092"`
	Advertised string `json:"advertised,omitempty" doc:"What clients are told to connect to, where it is another one."`
	TLS        bool   `json:"tls" doc:"Connections are encrypted."`
}

func (a *api) statusOperations() {
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "get-status", Method: http.MethodGet, Path: "/api/v1/status", Tags: []string{"server"},
		Summary: "Show how Daybook is", Description: "Its version, disk, memory and listeners, and how many tasks are in which state.",
	}}, a.s.status)
}

func (s *Server) status(context.Context, *nothing) (*body[Status], error) {
	use, err := s.o.Store.DiskUse()
	if err != nil {
		return nil, err
	}
	st := Status{
		Version: s.o.Version, Started: s.started.UTC(), MemoryBytes: residentBytes(), Tasks: map[string]int{}, Groups: len(s.known()),
		Data:      DataStatus{Dir: s.o.DataDir, UsedBytes: use.Used, FreeBytes: use.Free, MaxBytes: s.o.Store.Retention().Bytes},
		Listeners: append(append([]Listener{}, s.o.Listeners...), Listener{Name: "admin", Address: s.Addr().String(), TLS: s.o.TLS != nil}),
	}
	for _, p := range s.o.Store.Partitions() {
		st.Data.LogBytes += p.StoredBytes()
	}
	for _, t := range s.o.Tasks.Statuses() {
		st.Tasks[string(t.State)]++
		if t.Failing {
			st.Failing++
		}
	}
	return &body[Status]{st}, nil
}

// residentBytes is what the system says of the process's memory, or, where it does not, what the
// runtime has taken.
func residentBytes() int64 {
	if f, err := os.Open("/proc/self/status"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
				if n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64); err == nil {
					return n << 10
				}
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}
