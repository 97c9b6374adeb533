package schema

import "daybook/change"

// Tables returns all known definitions, ordered by database and name.
func (c *Catalog) Tables() []*change.Table {
	var all []*change.Table
	for _, db := range c.Databases() {
		for _, n := range c.Names(db) {
			if t, ok := c.Table(n.Database, n.Name); ok {
				all = append(all, t)
			}
		}
	}
	return all
}
