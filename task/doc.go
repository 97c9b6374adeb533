// Package task runs change tracking tasks: it checks the source, reads its
// binlog, encodes the changes and appends them to the task's partition.
//
// The main types are [Manager], which owns all tasks, [Task], the life of one,
// and [Check], the result of one precheck. A task's state, and what it is told to
// do, is durable ([Task.alter]), and one table says what each state allows
// ([Phases]). A task that fails goes to [Error], says why, and tries again by
// itself with growing pauses, unless only a person can decide; what it has
// appended stays, and it goes on at the exact row after it.
//
// Guarantee: a record and the position behind it become durable in one append
// of the store, and where a task starts is saved before its state tells of it,
// so a task that is killed at any instant neither loses nor doubles a change. A
// command ([Task.Restart], [Task.Skip]) survives that too, and is done once.
//
// [Precheck] looks whether a source can be tracked, and [ListDatabases], [ListTables]
// and [PreviewObjects] at what it has and which of it patterns select, for who chooses
// a task's objects. They log in by themselves, need no task, and take 30 s at most.
//
// A task belongs to the configuration file, or to the store, and is then created,
// changed and deleted while the Manager runs; the source's password is kept sealed.
//
// A Manager is opened and closed by one goroutine; what its tasks are, and are
// told to do, may be asked by any.
package task
