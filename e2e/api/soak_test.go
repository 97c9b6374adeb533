//go:build servers && soak

package api

import (
	"testing"
	"time"
)

func TestSoakAPIIsAsDescribed(t *testing.T) { askAll(t, 20*time.Minute) }
