package rowevent

import (
	"bytes"
	"cmp"
	"slices"
)

// jsonNode is a value of a document that is being changed. Only the containers
// on the paths of the changes are taken apart; the rest stays binary.
type jsonNode struct {
	key      []byte // in an object
	value    jsonValue
	expanded *jsonChildren // replaces value once it has been taken apart
}

type jsonChildren struct {
	object bool
	nodes  []jsonNode
}

// jsonTree is a document and the changes made to it.
type jsonTree struct {
	root jsonNode
	// size is the bytes of the document and of all values put into it; budget
	// those that have not been taken apart yet (see jsonWriter.budget).
	size, budget int
}

func newJSONTree(doc []byte) (*jsonTree, error) {
	v, err := parseJSON(doc)
	if err != nil {
		return nil, err
	}
	return &jsonTree{root: jsonNode{value: v}, size: len(doc) + 1, budget: len(doc) + 1}, nil
}

// expand returns the children of n, nil if n is a scalar.
func (t *jsonTree) expand(n *jsonNode) (*jsonChildren, error) {
	if n.expanded != nil || !n.value.isContainer() {
		return n.expanded, nil
	}
	c, err := n.value.container()
	if err != nil {
		return nil, err
	}
	if t.budget -= c.headerSize(); t.budget < 0 {
		return nil, errJSON
	}
	children := &jsonChildren{object: c.object, nodes: make([]jsonNode, c.count)}
	for i := range children.nodes {
		child := &children.nodes[i]
		if c.object {
			if child.key, err = c.key(i); err != nil {
				return nil, err
			}
		}
		if child.value, err = c.element(i); err != nil {
			return nil, err
		}
	}
	n.expanded = children
	return children, nil
}

// compareKeys is the order of an object's keys: the shorter first.
func compareKeys(a, b []byte) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), bytes.Compare(a, b))
}

// find returns where leg is, or where it would be inserted.
func (c *jsonChildren) find(leg jsonLeg) (i int, found bool) {
	if !c.object {
		return min(leg.index, len(c.nodes)), leg.index < len(c.nodes)
	}
	return slices.BinarySearchFunc(c.nodes, leg.key, func(n jsonNode, key []byte) int { return compareKeys(n.key, key) })
}

// parent returns the children of the container that the last leg of path is
// in, or would be.
func (t *jsonTree) parent(path []jsonLeg) (*jsonChildren, error) {
	n := &t.root
	for i, leg := range path {
		children, err := t.expand(n)
		if err != nil {
			return nil, err
		}
		if children == nil || children.object != (leg.key != nil) {
			return nil, errJSONDiff
		}
		if i == len(path)-1 {
			return children, nil
		}
		at, found := children.find(leg)
		if !found {
			return nil, errJSONDiff
		}
		n = &children.nodes[at]
	}
	return nil, errJSONDiff
}

// node renders a changed document.
func (w *jsonWriter) node(n *jsonNode, depth int) error {
	if n.expanded == nil {
		return w.value(n.value, depth)
	}
	w.open(n.expanded.object)
	for i := range n.expanded.nodes {
		child := &n.expanded.nodes[i]
		w.separate(i)
		if n.expanded.object {
			if err := w.key(child.key); err != nil {
				return err
			}
		}
		if err := w.node(child, depth+1); err != nil {
			return err
		}
	}
	w.close(n.expanded.object)
	return nil
}
