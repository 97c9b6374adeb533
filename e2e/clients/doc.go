// Package clients holds stock Kafka consumers and shows that each reads what a
// real server's binlog holds: every record, in order, the same bytes, going on
// from its checkpoint after a restart of either side.
package clients
