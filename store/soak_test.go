//go:build soak

package store_test

import (
	"maps"
	"slices"
	"testing"
)

func TestSoakDamages(t *testing.T) {
	whole := makeLog(t, 6, 60)
	testDamages(t, whole, files(t, whole.fs))
}

func TestSoakRepair(t *testing.T) {
	whole := makeLog(t, 6, 60)
	testRepair(t, whole, files(t, whole.fs), slices.Sorted(maps.Keys(damages)))
}

func TestSoakRepairThroughCrashes(t *testing.T) {
	testRepairThroughCrashes(t, makeLog(t, 6, 60), 1)
}

func TestSoakCrashLosesNothingAcknowledged(t *testing.T) { testCrashes(t, 20, 40) }

func TestSoakFlippedBitInTheWriteAheadLog(t *testing.T) {
	for _, size := range []int{10, 1000, 20 << 10, 90 << 10} {
		flipBits(t, size, 40)
	}
}

func TestSoakCrashWhileAPartitionIsDeleted(t *testing.T) { testCrashesWhileDeleting(t, 20) }

func TestSoakKillWhileDeleting(t *testing.T) { testKillsWhileDeleting(t, 200) }

func TestSoakKill(t *testing.T) { testKills(t, 200) }

func TestSoakCrashWhileItOpens(t *testing.T) { testCrashesWhileItOpens(t, 20, 6) }
