// Package reset moves a group's checkpoint in every way there is, with the tools
// and clients that people use, while nobody, a member or an assign-mode consumer
// reads, and shows that what happens is what docs/operations.md tells: its table
// is made from the one that the test goes by.
package reset
