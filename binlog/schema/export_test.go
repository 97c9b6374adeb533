package schema

import "daybook/change"

// SeeOthers has the catalog rely on it that there are no databases that it does not have.
func (c *Catalog) SeeOthers() { c.setSightOfOthers(seesAll) }

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
