//go:build race

package memtest

const raceDetector = true
