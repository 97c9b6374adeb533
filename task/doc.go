// Package task runs change tracking tasks: it checks the source, reads its
// binlog, encodes the changes and appends them to the task's partition.
//
// The main types are [Manager], which owns all tasks, [Task], the life of one,
// and [Check], the result of one precheck. A task that fails goes to [Error],
// says why, and tries again by itself with growing pauses; what it has
// appended stays, and it goes on at the exact row after it.
//
// Guarantee: a record and the position behind it become durable in one append
// of the store, so a task that is killed at any instant neither loses nor
// doubles a change. A Manager belongs to the
// goroutine that opens and closes it.
package task
