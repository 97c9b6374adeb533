//go:build servers

package puppet_test

import (
	"fmt"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/puppet"
	"daybook/e2e/servers"
)

var names = []string{"java-1.1.1", "java-4.4.0", "librdkafka-2.15.1", "kafka-python-2.0.6", "kafka-python-3.0.12",
	"sarama-0.10.2.0", "sarama-newest", "franz-go", "kafkajs-2.2.4"}

func TestEveryPuppetDoesEachStep(t *testing.T) {
	source := servers.Get(t, "mysql-8.0")
	name, db := source.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none", Groups: names})
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	for i := range 50 {
		db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d)", i))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			member := puppet.Start(t, d.Address(), name, puppet.Options{Group: name})
			done(t, "subscribe", member.Subscribe())
			read(t, member, 0, 10)
			done(t, "commit", member.Commit(10, "ünicode"))
			done(t, "seek", member.SeekTo(5))
			read(t, member, 5, 3)
			done(t, "commit", member.Commit(8, ""))
			done(t, "close", member.Close())
			if name == "kafkajs-2.2.4" { // has no assign
				return
			}
			other := puppet.Start(t, d.Address(), name, puppet.Options{Group: name})
			done(t, "assign", other.Assign(-1))
			read(t, other, 8, 2)
			done(t, "seek", other.SeekTo(20))
			read(t, other, 20, 5)
			done(t, "commit", other.Commit(25, "m"))
			done(t, "close", other.Close())
		})
	}
}

func done(t *testing.T, step string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

// read polls until n records have come, which must be those from the offset on.
func read(t *testing.T, p *puppet.Puppet, from int64, n int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); n > 0; {
		records, err := p.Poll(time.Second, n)
		done(t, "poll", err)
		for _, r := range records {
			if r.Offset != from {
				t.Fatalf("got offset %d, want %d", r.Offset, from)
			}
			from, n = from+1, n-1
		}
		if time.Now().After(deadline) {
			t.Fatalf("offset %d does not come", from)
		}
	}
}
