package broker

// lastOfEach returns the elements without those that another one with the same
// key follows: Kafka, where it collects what is asked for in a map, answers
// each thing once, and the last one counts.
func lastOfEach[E any, K comparable](elements []E, key func(E) K) []E {
	last := make(map[K]int, len(elements))
	for i, e := range elements {
		last[key(e)] = i
	}
	if len(last) == len(elements) {
		return elements
	}
	once := make([]E, 0, len(last))
	for i, e := range elements {
		if last[key(e)] == i {
			once = append(once, e)
		}
	}
	return once
}

func itself[E comparable](e E) E { return e }
